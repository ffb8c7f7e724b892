"""The arrival process: which request is due when. Pure: replays a trace from a seed, and never asks what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count, takewhile

from loadtests.arrivals.tracefile import Row


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: when it is due (seconds since the start), its token counts, and who sends it."""

    due: float
    prompt_tokens: int
    output_tokens: int
    session: str
    user: str
    request: str


def replay(
    rows: tuple[Row, ...], rate: float, *, seed: int = 0, users: int = 1000, prefix: str = "load"
) -> Iterator[Arrival]:
    """Endless arrivals with the trace's own gaps and token counts, at `rate` requests per second on average.

    Time is compressed by one factor, so bursts stay bursts. The seed picks the row to start at; where the trace ends it
    starts again one mean gap later, so the rate over any whole number of rounds is exactly `rate`.
    One row is one session, because the trace does not say which requests belong together.
    """
    period = _period(rows)
    speed = rate * period / len(rows)
    start = number_of(f"{seed}:start", len(rows))
    for index in count():
        lap, place = divmod(start + index, len(rows))
        row = rows[place]
        due = (lap * period + row.offset - rows[start].offset) / speed
        user = number_of(f"{seed}:{index}:user", users)
        name = f"{prefix}-{seed}-{index}"
        yield Arrival(due, row.prompt_tokens, row.output_tokens, f"s-{name}", f"u-{user}", name)


def until(arrivals: Iterator[Arrival], duration: float | None) -> Iterator[Arrival]:
    """The arrivals that are due before `duration` seconds, or all of them for None."""
    if duration is None:
        return arrivals
    return takewhile(lambda arrival: arrival.due < duration, arrivals)


def number_of(text: str, below: int) -> int:
    """A number from 0 to `below` - 1 that depends on `text` alone: the same on every machine and in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") % below


def _period(rows: tuple[Row, ...]) -> float:
    """The length of one round in seconds: the trace's span and one mean gap, which joins its end to its start."""
    span = rows[-1].offset
    return span + span / (len(rows) - 1)
