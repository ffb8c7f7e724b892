"""Arrivals keep the trace's gaps, meet the rate, and depend on the seed alone."""

from __future__ import annotations

import statistics
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.arrivals.arrival import Arrival, number_of, replay, until
from loadtests.arrivals.row import Row
from loadtests.arrivals.tracefile import Recording, parse, path_of

ROWS = (Row(0.0, 10, 1), Row(1.0, 20, 2), Row(5.0, 30, 3), Row(6.0, 40, 4))  # mean gap 2, so a round is 8


def first(count: int, rate: float, seed: int = 0, rows: tuple[Row, ...] = ROWS) -> list[Arrival]:
    return list(islice(replay(Recording(rows), rate, seed=seed), count))


def shipped(name: str = "conv") -> tuple[Row, ...]:
    return parse(path_of(name).read_text(encoding="utf-8"), name).rows


def test_a_whole_round_has_exactly_the_rate() -> None:
    """The trace's 19,366 requests at 100/s take 193.66 s, and the next round begins then."""
    rows = shipped()
    arrivals = first(len(rows) + 1, 100.0, rows=rows)
    assert arrivals[0].due == 0.0
    assert arrivals[-1].due == pytest.approx(193.66)


def test_bursts_stay_bursts() -> None:
    """One factor for all gaps: their coefficient of variation is the trace's 1.09, whatever the rate."""
    rows = shipped()
    gaps = [after.due - before.due for before, after in pairwise(first(len(rows), 250.0, rows=rows))]
    assert statistics.stdev(gaps) / statistics.mean(gaps) == pytest.approx(1.09, abs=0.01)


def test_the_end_of_a_trace_joins_its_beginning_with_one_mean_gap() -> None:
    """At the trace's own rate the gaps are its own, then the mean of them, then its own again."""
    dues = [arrival.due for arrival in first(9, 0.5, seed=_seed_for(0))]
    assert [after - before for before, after in pairwise(dues)] == pytest.approx([1, 4, 1, 2, 1, 4, 1, 2])


def test_a_seed_starts_somewhere_in_the_trace() -> None:
    """Token counts go with their rows."""
    arrivals = first(4, 0.5, seed=_seed_for(2))
    assert [arrival.prompt_tokens for arrival in arrivals] == [30, 40, 10, 20]
    assert [arrival.output_tokens for arrival in arrivals] == [3, 4, 1, 2]
    assert [arrival.due for arrival in arrivals] == pytest.approx([0, 1, 3, 4])


@given(rate=st.floats(0.01, 10_000), seed=st.integers(0, 10_000), count=st.integers(1, 40))
def test_arrivals_begin_at_once_and_never_go_back(rate: float, seed: int, count: int) -> None:
    """For every rate and seed, over any number of rounds."""
    arrivals = first(count, rate, seed)
    assert arrivals[0].due == 0.0
    assert all(before.due <= after.due for before, after in pairwise(arrivals))
    assert arrivals == first(count, rate, seed)


def test_every_request_has_names_of_its_own() -> None:
    """Ids are new for each row, also in the second round; users come again, out of a pool."""
    arrivals = list(islice(replay(Recording(ROWS), 1.0, seed=7, users=5, prefix="chat"), 200))
    assert len({arrival.request for arrival in arrivals}) == 200
    assert len({arrival.session for arrival in arrivals}) == 200
    assert len({arrival.user for arrival in arrivals}) == 5
    assert arrivals[3].request == "chat-7-3"


def test_seeds_differ() -> None:
    """Two seeds share no request id, because servers draw their faults from it."""
    assert not {arrival.request for arrival in first(50, 1.0, 1)} & {arrival.request for arrival in first(50, 1.0, 2)}


def test_a_duration_ends_the_arrivals() -> None:
    """What is due at its very end is not sent; without one there is no end."""
    trace = Recording(ROWS)
    assert len(list(until(replay(trace, 0.5, seed=_seed_for(0)), 6.0))) == 3
    assert len(list(islice(until(replay(trace, 0.5), None), 100))) == 100


def test_a_start_is_kept_whatever_the_seed() -> None:
    """For those who want the trace from its first request on."""
    prompts = [next(replay(Recording(ROWS), 1.0, seed=seed, start=0)).prompt_tokens for seed in range(20)]
    assert set(prompts) == {10}


BLOCKS = (Row(0.0, 600, 1, (0, 1)), Row(1.0, 600, 1, (0, 2)), Row(2.0, 600, 1, (0, 1)))


def shares(arrivals: list[Arrival]) -> list[tuple[int, int]]:
    """Which arrivals share how many blocks with the first."""
    known = set(arrivals[0].prefix)
    return [(index, len(known & set(arrival.prefix))) for index, arrival in enumerate(arrivals)]


def test_prompts_share_the_blocks_of_the_trace_within_a_round() -> None:
    """And in the next round none of this one, or every round but the first would find all of them in the cache."""
    arrivals = list(islice(replay(Recording(BLOCKS), 1.0, start=0), 6))
    assert shares(arrivals) == [(0, 2), (1, 1), (2, 2), (3, 0), (4, 0), (5, 0)]
    assert shares(arrivals[3:]) == [(0, 2), (1, 1), (2, 2)]


def test_seeds_share_no_blocks() -> None:
    """A second run must not find the prompts of the first in the cache."""
    one, other = first(30, 1.0, 1, BLOCKS), first(30, 1.0, 2, BLOCKS)
    assert not {block for arrival in one for block in arrival.prefix} & {b for arrival in other for b in arrival.prefix}


def test_a_round_of_the_mooncake_trace_reuses_what_its_publishers_found() -> None:
    """28.4 % of the blocks of these ten minutes were seen before, with a cache that forgets nothing."""
    rows = shipped("mooncake")
    blocks = [block for arrival in islice(replay(Recording(rows), 5.0, start=0), len(rows)) for block in arrival.prefix]
    assert 1 - len(set(blocks)) / len(blocks) == pytest.approx(0.284, abs=0.001)


def test_numbers_are_spread_evenly() -> None:
    """A quarter of a thousand texts falls on each of four numbers."""
    counts = [sum(number_of(str(text), 4) == number for text in range(1000)) for number in range(4)]
    assert all(200 < count < 300 for count in counts)


def _seed_for(start: int) -> int:
    """A seed that begins at the row `start`."""
    return next(seed for seed in range(1000) if first(1, 1.0, seed)[0].prompt_tokens == ROWS[start].prompt_tokens)
