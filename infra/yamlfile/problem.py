"""Something wrong in a file that a person wrote: where it is, and what would be right. Pure: reads no files.

Problems are values. They are collected, so that all of a file come at once, and raised together.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.errors import InvalidInput

MAX_SHOWN = 50  # problems printed; the rest are counted

Place = tuple[str | int, ...]
"""Where a value is: keys and list positions from the root, ("services", 0, "pool")."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A position in the text, both counted from 1 as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong at a position of a file. `path` is empty where the text itself is wrong."""

    file: str
    mark: Mark
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.mark.line}:{self.mark.column}"
        return ": ".join(part for part in (where, self.path, self.message) if part)


class SourceError(InvalidInput):
    """A file that people edit is not valid. Lists every problem."""

    def __init__(self, problems: list[Problem], *, not_done: str = "", next: str = "") -> None:
        self.problems = sorted(set(problems))
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        more = len(self.problems) - MAX_SHOWN
        lines += [f"... and {more} more problems"] * (more > 0)
        super().__init__("\n".join(lines), not_done=not_done, next=next)


def brief(value: object) -> str:
    """A value as it may stand in a message: on one line, not too long, text in quotes."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def show(place: Place) -> str:
    """A place as people write it: services[0].objectives[1].threshold."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{_word(step)}" for step in place)
    return text.removeprefix(".")


def _word(step: str) -> str:
    """A key as it is where it is a plain word, else in quotes and not too long."""
    return step if step.replace("-", "_").isidentifier() and len(step) <= 60 else brief(step)
