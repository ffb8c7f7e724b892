"""The arrivals of a load profile, from a seed: the same on every machine. Pure: never asks what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice, repeat

from infra.load_profile import LoadProfile, recorded
from infra.token_length import BLOCK, SharedPrefix
from loadtests.arrivals.arrival import Arrival, number_of, replay
from loadtests.arrivals.conversation import Conversations
from loadtests.arrivals.curve import Curve, curve_of
from loadtests.arrivals.draw import Draw
from loadtests.arrivals.size import size
from loadtests.arrivals.tracefile import Recording, cut

DIGITS = 9  # nanoseconds: machines whose logarithms differ in the last bit still agree


def arrivals(
    profile: LoadProfile, seed: int, *, recording: Recording, users: int = 1000, prefix: str = "load"
) -> Iterator[Arrival]:
    """Endless arrivals of a profile; `recording` has the rows and rates of the traces that it names.

    Recorded requests are replayed: at a rate from a row that the seed picks, at a speed from the first one. All others
    are drawn. In a closed loop everything is due at 0: whoever sends keeps the profile's number of streams open, and
    takes the next arrival when one has ended.
    """
    if recorded(profile.trace) == "requests":
        return _replayed(profile, seed, recording, users, prefix)
    return _drawn(profile, seed, recording, users, prefix)


def share(found: Iterator[Arrival], index: int, of: int) -> Iterator[Arrival]:
    """The part of one worker: every `of`-th arrival from number `index` on. All parts together are the whole."""
    return islice(found, index, None, of)


def _rate(profile: LoadProfile, recording: Recording) -> float:
    """Requests a second of a replay, on average."""
    return profile.rate or (profile.speed or 1.0) * len(recording.rows) / recording.period


def _replayed(profile: LoadProfile, seed: int, recording: Recording, users: int, prefix: str) -> Iterator[Arrival]:
    rows = cut(recording.rows, profile.max_prompt, profile.max_output)
    start = 0 if profile.speed else None
    rate = _rate(profile, recording)
    return replay(Recording(rows), rate, seed=seed, users=users, prefix=prefix, start=start)


def _drawn(profile: LoadProfile, seed: int, recording: Recording, users: int, prefix: str) -> Iterator[Arrival]:
    talks = Conversations(profile.turns)
    for index, due in enumerate(_dues(profile, seed, recording)):
        turn = talks.take(due)
        own, output = size(profile, recording, f"{seed}:{index}")
        shared = _shared(profile.shared_prefix, f"{seed}:{turn.session}:group")
        prompt = own + (turn.said or BLOCK * len(shared))
        prompt = min(prompt, profile.max_prompt or prompt)
        talks.answer(turn, due, prompt + output)
        session, user = f"s-{prefix}-{seed}-{turn.session}", f"u-{number_of(f'{seed}:{turn.session}:user', users)}"
        blocks = shared[: -(-prompt // BLOCK)]
        yield Arrival(due, prompt, output, session, user, f"{prefix}-{seed}-{index}", turn.turn, blocks)


def _shared(shared: SharedPrefix | None, key: str) -> tuple[int, ...]:
    """The blocks of the system prompt that a conversation has: the same ones for every seed."""
    if shared is None:
        return ()
    length = shared.tokens // BLOCK
    first = number_of(key, shared.groups) * length
    return tuple(range(first, first + length))


def _dues(profile: LoadProfile, seed: int, recording: Recording) -> Iterator[float]:
    """When requests are due: at once in a closed loop, else drawn along the curve."""
    if profile.closed:
        return repeat(0.0)
    return _along(curve_of(profile, recording.rates), Draw(f"{seed}:gaps"))


def _along(curve: Curve, draw: Draw) -> Iterator[float]:
    """A renewal process whose clock runs as fast as the curve: its gaps keep their variation at every rate."""
    sent = draw.wait(curve.cv(0.0))
    for _ in count():
        yield round(curve.when(sent), DIGITS)
        sent += draw.gap(curve.cv(sent))
