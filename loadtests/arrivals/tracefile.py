"""A recorded trace: when real requests came, and how many tokens each had. Pure: parses text and opens no file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from infra.errors import InvalidInput

TRACES = {"conv": "azure2023_conv.csv", "code": "azure2023_code.csv"}
HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"
ROW = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?),([0-9]{1,9}),([0-9]{1,9})")
MOST_PROBLEMS = 10  # enough to see the pattern; a file of another kind has one on every line


class TraceError(InvalidInput):
    """A trace that is not there or is not valid."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request of the trace: seconds since the first one, prompt tokens, generated tokens."""

    offset: float
    prompt_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One line that is not valid, and what would be right."""

    line: int
    message: str


def path_of(name: str) -> Path:
    """The file of the trace called `name` (`conv` or `azure2023_conv`). Raises TraceError naming the choices."""
    folder = Path(__file__).parents[1] / "traces"
    for short, file in TRACES.items():
        if name in (short, file, Path(file).stem):
            return folder / file
    raise TraceError(f"there is no trace {name!r}; there are {' and '.join(TRACES)}", not_done="no load was started")


def parse(text: str, source: str) -> tuple[Row, ...]:
    """The rows of an Azure LLM inference trace. Raises TraceError with every problem as `source:line: message`."""
    lines = text.splitlines()
    if not lines or lines[0].removeprefix("\ufeff") != HEADER:
        raise TraceError(f"{source}:1: the first line must be {HEADER}", not_done="no load was started")
    rows: list[Row] = []
    problems = list(_collect(lines[1:], rows))
    if not problems and len(rows) < 2:
        problems = [Problem(len(lines), "a trace needs at least two rows: one row has no rate")]
    if problems:
        raise TraceError(_story(source, problems), not_done="no load was started")
    return tuple(rows)


def cut(rows: tuple[Row, ...], most: int | None) -> tuple[Row, ...]:
    """The rows with no answer of more than `most` tokens; unchanged for None."""
    if most is None:
        return rows
    return tuple(Row(row.offset, row.prompt_tokens, min(row.output_tokens, most)) for row in rows)


def _collect(lines: list[str], rows: list[Row]) -> Iterator[Problem]:
    """Append each valid line to `rows`, yield a Problem for each other one."""
    first: datetime | None = None
    latest = 0.0
    for number, line in enumerate(lines, start=2):
        match _row(line):
            case str(message):
                yield Problem(number, message)
            case (at, prompt, output):
                first = first or at
                offset = (at - first).total_seconds()
                if offset < latest:
                    yield Problem(number, f"{at} is before the row above; rows must ascend in time")
                latest = max(latest, offset)
                rows.append(Row(offset, prompt, output))


def _row(line: str) -> tuple[datetime, int, int] | str:
    """Time, prompt tokens, output tokens; or what is wrong with the line."""
    found = ROW.fullmatch(line)
    if found is None:
        return f"{line[:60]!r} is not `YYYY-MM-DD HH:MM:SS.ffffff,prompt tokens,generated tokens`"
    try:
        at = datetime.fromisoformat(found[1])
    except ValueError as error:
        return f"{found[1]} is not a time: {error}"
    prompt, output = int(found[2]), int(found[3])
    if prompt < 1 or output < 1:
        return "prompt tokens and generated tokens must be at least 1"
    return at, prompt, output


def _story(source: str, problems: list[Problem]) -> str:
    lines = [f"{source}:{problem.line}: {problem.message}" for problem in problems[:MOST_PROBLEMS]]
    more = len(problems) - MOST_PROBLEMS
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)
