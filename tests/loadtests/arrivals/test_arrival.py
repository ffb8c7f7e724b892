"""Arrivals keep the trace's gaps, meet the rate, and depend on the seed alone."""

from __future__ import annotations

import statistics
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.arrivals.arrival import Arrival, number_of, replay, until
from loadtests.arrivals.tracefile import Row, parse, path_of

ROWS = (Row(0.0, 10, 1), Row(1.0, 20, 2), Row(5.0, 30, 3), Row(6.0, 40, 4))  # mean gap 2, so a round is 8


def first(count: int, rate: float, seed: int = 0, rows: tuple[Row, ...] = ROWS) -> list[Arrival]:
    return list(islice(replay(rows, rate, seed=seed), count))


def conv() -> tuple[Row, ...]:
    return parse(path_of("conv").read_text(encoding="utf-8"), "conv")


def test_a_whole_round_has_exactly_the_rate() -> None:
    """The trace's 19,366 requests at 100/s take 193.66 s, and the next round begins then."""
    rows = conv()
    arrivals = first(len(rows) + 1, 100.0, rows=rows)
    assert arrivals[0].due == 0.0
    assert arrivals[-1].due == pytest.approx(193.66)


def test_bursts_stay_bursts() -> None:
    """One factor for all gaps: their coefficient of variation is the trace's 1.09, whatever the rate."""
    rows = conv()
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
    arrivals = list(islice(replay(ROWS, 1.0, seed=7, users=5, prefix="chat"), 200))
    assert len({arrival.request for arrival in arrivals}) == 200
    assert len({arrival.session for arrival in arrivals}) == 200
    assert len({arrival.user for arrival in arrivals}) == 5
    assert arrivals[3].request == "chat-7-3"


def test_seeds_differ() -> None:
    """Two seeds share no request id, because servers draw their faults from it."""
    assert not {arrival.request for arrival in first(50, 1.0, 1)} & {arrival.request for arrival in first(50, 1.0, 2)}


def test_a_duration_ends_the_arrivals() -> None:
    """What is due at its very end is not sent; without one there is no end."""
    assert len(list(until(replay(ROWS, 0.5, seed=_seed_for(0)), 6.0))) == 3
    assert len(list(islice(until(replay(ROWS, 0.5), None), 100))) == 100


def test_numbers_are_spread_evenly() -> None:
    """A quarter of a thousand texts falls on each of four numbers."""
    counts = [sum(number_of(str(text), 4) == number for text in range(1000)) for number in range(4)]
    assert all(200 < count < 300 for count in counts)


def _seed_for(start: int) -> int:
    """A seed that begins at the row `start`."""
    return next(seed for seed in range(1000) if first(1, 1.0, seed)[0].prompt_tokens == ROWS[start].prompt_tokens)
