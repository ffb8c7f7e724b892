"""The Azure LLM inference traces of 2023: a CSV of times and token counts. Pure: parses lines and opens no file."""

from __future__ import annotations

import re
from datetime import datetime

from loadtests.arrivals.row import Problem, Row, ascend, refuse

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"
ROW = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?),([0-9]{1,9}),([0-9]{1,9})")


def parse(lines: list[str], source: str) -> tuple[Row, ...]:
    """The requests; the first line is the header. Raises TraceError with every problem."""
    rows: list[Row] = []
    places: list[int] = []
    problems: list[Problem] = []
    first: datetime | None = None
    for number, line in enumerate(lines[1:], start=2):
        match _row(line):
            case str(message):
                problems.append(Problem(number, message))
            case (at, prompt, output):
                first = first or at
                rows.append(Row((at - first).total_seconds(), prompt, output))
                places.append(number)
    problems += ascend(rows, places)
    if problems:
        raise refuse(source, sorted(problems, key=lambda problem: problem.line))
    return tuple(rows)


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
