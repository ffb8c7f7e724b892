"""One request that is due, and a recorded trace as such requests. Pure: never asks for the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count, takewhile

from loadtests.arrivals.tracefile import Recording

ROUNDS = 1 << 31  # where a seed's blocks begin, in rounds: two seeds share none, or servers would have them in memory


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: when it is due (seconds since the start), its token counts, and who sends it.

    `turn` counts the requests of its session from 0; each has those before in its prompt. `prefix` names the blocks of
    512 tokens that its prompt begins with: prompts share exactly the blocks whose numbers they share.
    """

    due: float
    prompt_tokens: int
    output_tokens: int
    session: str
    user: str
    request: str
    turn: int = 0
    prefix: tuple[int, ...] = ()


def replay(
    trace: Recording, rate: float, *, seed: int = 0, users: int = 1000, prefix: str = "load", start: int | None = None
) -> Iterator[Arrival]:
    """Endless arrivals with the trace's own gaps and token counts, at `rate` requests per second on average.

    Time is compressed by one factor, so bursts stay bursts. The seed picks the row to start at, if `start` does not;
    where the trace ends it starts again one mean gap later, so any whole number of rounds has exactly that rate.
    One row is one session, because the trace does not say which requests belong together. Within a round they share the
    blocks of the trace, and none with other rounds.
    """
    rows, period = trace.rows, trace.period
    speed = rate * period / len(rows)
    start = number_of(f"{seed}:start", len(rows)) if start is None else start
    first, blocks = number_of(f"{seed}:blocks", ROUNDS), trace.blocks
    for index in count():
        lap, place = divmod(start + index, len(rows))
        row = rows[place]
        due = (lap * period + row.offset - rows[start].offset) / speed
        user = number_of(f"{seed}:{index}:user", users)
        name = f"{prefix}-{seed}-{index}"
        shared = tuple((first + lap) * blocks + block for block in row.blocks)
        yield Arrival(due, row.prompt_tokens, row.output_tokens, f"s-{name}", f"u-{user}", name, prefix=shared)


def until(arrivals: Iterator[Arrival], duration: float | None) -> Iterator[Arrival]:
    """The arrivals that are due before `duration` seconds, or all of them for None."""
    if duration is None:
        return arrivals
    return takewhile(lambda arrival: arrival.due < duration, arrivals)


def number_of(text: str, below: int) -> int:
    """A number from 0 to `below` - 1 that depends on `text` alone: the same on every machine and in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") % below
