"""The Mooncake traces: JSON lines with the hashes of the blocks that prompts share. Pure: parses lines."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from infra.token_length import BLOCK
from loadtests.arrivals.row import Problem, Row, ascend, refuse

FORM = '{"timestamp": ms, "input_length": tokens, "output_length": tokens, "hash_ids": [block, ...]}'

Whole = Annotated[int, Strict()]


class Line(BaseModel):
    """One line as its publishers write it; what else is in it is theirs."""

    model_config = ConfigDict(frozen=True)

    timestamp: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    input_length: Annotated[Whole, Field(ge=1)]
    output_length: Annotated[Whole, Field(ge=1)]
    hash_ids: tuple[Annotated[Whole, Field(ge=0)], ...]


def parse(lines: list[str], source: str) -> tuple[Row, ...]:
    """The requests, times counted from the first. Raises TraceError with every problem."""
    rows: list[Row] = []
    places: list[int] = []
    problems: list[Problem] = []
    first: float | None = None
    for number, line in enumerate(lines, start=1):
        match _line(line):
            case str(message):
                problems.append(Problem(number, message))
            case found:
                first = found.timestamp if first is None else first
                offset = (found.timestamp - first) / 1000
                rows.append(Row(offset, found.input_length, found.output_length, found.hash_ids))
                places.append(number)
    problems += ascend(rows, places)
    if problems:
        raise refuse(source, sorted(problems, key=lambda problem: problem.line))
    return tuple(rows)


def _line(text: str) -> Line | str:
    """The line; or what is wrong with it."""
    try:
        line = Line.model_validate(json.loads(text))
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in wrong["loc"]) or "the line"
        return f"{place}: {wrong['msg'][:1].lower()}{wrong['msg'][1:]}; a line is {FORM}"
    except (ValueError, RecursionError):
        return f"{text[:60]!r} is not JSON; a line is {FORM}"
    if len(line.hash_ids) != (most := -(-line.input_length // BLOCK)):
        return f"{line.input_length} tokens are {most} blocks of {BLOCK}, and hash_ids has {len(line.hash_ids)}"
    return line
