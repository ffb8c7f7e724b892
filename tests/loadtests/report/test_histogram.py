"""Percentiles are right within half a per cent, and histograms merge as if they had been one."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.report.histogram import Histogram, bucket_of, buckets_of, merged

values = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=200)


def histogram(of: list[float]) -> Histogram:
    made = Histogram()
    for value in of:
        made.add(value)
    return made


@given(of=values, q=st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0]))
def test_a_quantile_is_within_half_a_per_cent(of: list[float], q: float) -> None:
    """Of the value that stands at that rank in the sorted list."""
    exact = sorted(of)[max(1, math.ceil(q * len(of))) - 1]
    assert histogram(of).quantile(q) == pytest.approx(exact, rel=0.0051)


@given(parts=st.lists(values, max_size=4), order=st.randoms(use_true_random=False))
def test_merging_is_exact(parts: list[list[float]], order: object) -> None:
    """Parts counted apart are what they would be counted together, to the last bit and in any order."""
    shuffled = list(parts)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    together = histogram([value for part in parts for value in part])
    assert merged([histogram(part) for part in shuffled]) == together


@given(of=values)
def test_many_values_at_once_are_as_one_by_one(of: list[float]) -> None:
    """Their sum is rounded once and not each time: a nanosecond for every value at most."""
    at_once, one_by_one = Histogram(), histogram(of)
    at_once.extend(of, buckets_of(of))
    assert (at_once.buckets, at_once.count) == (one_by_one.buckets, one_by_one.count)
    assert (at_once.least, at_once.greatest) == (one_by_one.least, one_by_one.greatest)
    assert abs(at_once.nanos - one_by_one.nanos) <= len(of) + 1e-6 * one_by_one.nanos


@given(of=values)
def test_it_survives_json(of: list[float]) -> None:
    """It comes from another process."""
    made = histogram(of)
    assert Histogram.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_nothing_survives_json_too() -> None:
    """JSON has no infinity."""
    assert Histogram.from_json(json.loads(json.dumps(Histogram().to_json()))) == Histogram()


@given(of=values)
def test_the_curve_rises_to_one(of: list[float]) -> None:
    """And at each point the share of the values up to it."""
    curve = list(histogram(of).curve())
    assert curve == sorted(curve)
    assert curve[-1][1] == 1.0
    for end, share in curve:
        assert share == sum(bucket_of(value) <= bucket_of(end * 0.9999) for value in of) / len(of)


def test_nothing_has_no_quantile() -> None:
    """And no mean."""
    assert (Histogram().quantile(0.5), Histogram().mean) == (None, None)


def test_one_value_is_every_quantile() -> None:
    """Exactly, because least and greatest are kept."""
    one = histogram([0.0371])
    assert [one.quantile(q) for q in (0.0, 0.5, 1.0)] == [0.0371] * 3
    assert one.mean == 0.0371


def test_zero_and_less_are_counted() -> None:
    """A clock that steps back must not stop a load test."""
    made = histogram([0.0, -0.001])
    assert (made.count, set(made.buckets)) == (2, {0})
    assert buckets_of([0.0, -0.001]) == [0, 0]
