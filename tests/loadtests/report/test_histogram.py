"""Percentiles are right within half a per cent, and histograms merge as if they had been one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.report.histogram import Histogram, merged

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


@given(parts=st.lists(values, max_size=4))
def test_merging_is_exact(parts: list[list[float]]) -> None:
    """Parts counted apart are what they would be counted together."""
    whole, together = (
        merged([histogram(part) for part in parts]),
        histogram([value for part in parts for value in part]),
    )
    assert whole.buckets == together.buckets
    assert (whole.count, whole.least, whole.greatest) == (together.count, together.least, together.greatest)
    assert whole.total == pytest.approx(together.total)


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
    assert histogram([0.0, -0.001]).count == 2
