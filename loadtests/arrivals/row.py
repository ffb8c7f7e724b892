"""One recorded request, and what is wrong with a line that should be one. Pure: values only."""

from __future__ import annotations

from dataclasses import dataclass

from infra.errors import InvalidInput

MOST_PROBLEMS = 10  # enough to see the pattern; a file of another kind has one on every line
NOT_DONE = "no load was started"


class TraceError(InvalidInput):
    """A trace that is not there or is not valid."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request: seconds since the first one, prompt tokens, generated tokens, and its prompt's blocks if known."""

    offset: float
    prompt_tokens: int
    output_tokens: int
    blocks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One line that is not valid, and what would be right."""

    line: int
    message: str


def refuse(source: str, problems: list[Problem]) -> TraceError:
    """The error that tells of all problems as `source:line: message`, of the first ones where there are many."""
    lines = [f"{source}:{problem.line}: {problem.message}" for problem in problems[:MOST_PROBLEMS]]
    more = len(problems) - MOST_PROBLEMS
    return TraceError("\n".join([*lines, f"and {more} more"] if more > 0 else lines), not_done=NOT_DONE)


def ascend(rows: list[Row], lines: list[int]) -> list[Problem]:
    """A problem for each row that is before the one above it; `lines` are where the rows are."""
    found: list[Problem] = []
    latest = 0.0
    for row, line in zip(rows, lines, strict=True):
        if row.offset < latest:
            found.append(
                Problem(line, f"{row.offset:g} s is before the row above, at {latest:g} s; rows ascend in time")
            )
        latest = max(latest, row.offset)
    return found
