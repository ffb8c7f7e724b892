"""Intervals hold the truth as often as they say, also where seconds are not independent."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import PCG64, Generator

from loadtests.report.histogram import bucket_of
from loadtests.report.interval import Interval, difference, quantile, quantile_of, share, wilson

ROUNDS = 100  # of a coverage test: 95 % of them is 95, and by chance 88 to 100 (three sigma)


def slots(draw: Generator, spread: float, count: int = 40, each: int = 50) -> list[Counter[int]]:
    """Seconds of lognormal latencies around 0.1 s, whose middle moves from second to second by `spread`."""
    return [
        Counter(bucket_of(0.1 * float(one)) for one in draw.lognormal(spread * draw.standard_normal(), 0.3, each))
        for _ in range(count)
    ]


@pytest.mark.parametrize("spread", [0.0, 0.3])
@pytest.mark.parametrize("q", [0.5, 0.9])
def test_a_quantile_is_inside_as_often_as_it_is_said(spread: float, q: float) -> None:
    """Counting dependent requests as independent would fail the second: it covers less than half."""
    draw = Generator(PCG64(7))
    truth = 0.1 * math.exp(_normal(q) * math.hypot(spread, 0.3))
    held = 0
    for _ in range(ROUNDS):
        found = quantile(slots(draw, spread, count=100), q)
        assert found is not None
        held += found.low <= truth <= found.high
    assert held >= 0.88 * ROUNDS


def _normal(q: float) -> float:
    return {0.5: 0.0, 0.9: 1.2815515655446004}[q]


def test_too_little_has_no_interval() -> None:
    """Four seconds, or a tail that lies beyond the last value."""
    draw = Generator(PCG64(1))
    assert quantile(slots(draw, 0.0, count=4), 0.5) is None
    assert quantile(slots(draw, 0.0, count=10, each=5), 0.99) is None
    assert quantile([], 0.5) is None
    assert quantile_of(Counter(), 0.5) is None


@given(good=st.integers(0, 500), more=st.integers(0, 500))
def test_a_share_is_inside_its_interval(good: int, more: int) -> None:
    """And the interval is inside 0 and 1."""
    found = wilson(good, good + more, 1.96)
    if good + more == 0:
        assert found is None
        return
    assert found is not None
    assert 0 <= found.low <= good / (good + more) + 1e-12 and good / (good + more) - 1e-12 <= found.high <= 1


def test_none_of_a_few_is_not_never() -> None:
    """0 of 50 may be 7 %; 0 of 5,000 may not (Wilson's interval, from its paper's formula)."""
    assert wilson(0, 50, 1.96) == Interval(0.0, pytest.approx(0.0713, abs=0.0001))
    assert wilson(0, 5000, 1.96) == Interval(0.0, pytest.approx(0.00077, abs=0.00001))


def test_failures_that_come_together_are_less_certain() -> None:
    """Ten bad seconds of a hundred tell less than as many failures spread evenly."""
    together, even = [(0, 50)] * 10 + [(50, 50)] * 90, [(45, 50)] * 100
    wide, narrow = share(together), share(even)
    assert wide is not None and narrow is not None
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert share([]) is None


def test_a_difference_of_shares_knows_what_it_does_not_know() -> None:
    """No failure in either of two short runs is not the proof that there is no difference."""
    short, long = [(5, 5)] * 10, [(500, 500)] * 10
    assert difference(short, short).high > 0.05
    assert difference(long, long).high < 0.01
    worse = difference([(50, 50)] * 40, [(45, 50)] * 40)
    assert worse.low < -0.1 < worse.high < -0.05
