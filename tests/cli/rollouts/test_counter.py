"""Increases of counters through resets, births and gaps."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.rollouts.counter import Series, increases, quantile_bound, summed

steps = st.lists(
    st.tuples(st.floats(0.1, 5), st.integers(0, 50), st.booleans()),
    min_size=1,
    max_size=30,
)


def scraped(walk: list[tuple[float, int, bool]]) -> tuple[Series, int]:
    """A counter as scraped, and how much it truly grew. A restart is seen where the new value is below the old."""
    at, value, grown = 0.0, 0, 0
    times, values = [], []
    for wait, growth, restart in walk:
        if restart and growth < value:
            value = 0
        at, value, grown = at + wait, value + growth, grown + growth
        times.append(at)
        values.append(float(value))
    return Series({}, tuple(times), tuple(values)), grown


@given(steps, st.integers(1, 12))
def test_the_increases_of_a_newborn_counter_add_up_to_its_true_growth(
    walk: list[tuple[float, int, bool]], cells: int
) -> None:
    series, grown = scraped(walk)
    grid = [series.times[-1] * i / cells for i in range(cells)] + [series.times[-1]]
    found = increases(series, grid, None)
    assert sum(found) == pytest.approx(grown)
    assert min(found) >= 0


@given(steps, st.data())
def test_looks_taken_one_by_one_count_what_one_long_look_counts(
    walk: list[tuple[float, int, bool]], data: st.DataObject
) -> None:
    """Whatever is a whole window of samples to one query, is two to others; nothing is lost or counted twice."""
    series, _ = scraped(walk)
    end = series.times[-1]
    cut = data.draw(st.floats(0, end))
    head, tail = increases(series, [0.0, cut], None)[0], increases(series, [cut, end], series.latest(cut))[0]
    assert head + tail == pytest.approx(increases(series, [0.0, end], None)[0])


@pytest.mark.parametrize(
    ("times", "values", "before", "found"),
    [
        ((), (), None, (0.0, 0.0)),
        ((5.0,), (7.0,), None, (7.0, 0.0)),  # born
        ((5.0,), (7.0,), 4.0, (3.0, 0.0)),  # known before, not scraped for a while
        ((5.0,), (7.0,), 9.0, (7.0, 0.0)),  # restarted while it was not scraped
        ((0.0, 5.0), (7.0, 7.0), None, (0.0, 0.0)),
        ((0.0, 15.0), (7.0, 9.0), None, (0.0, 2.0)),  # a gap: counted when it is seen
        ((-3.0, 5.0, 15.0), (7.0, 2.0, 3.0), None, (2.0, 1.0)),  # a reset
    ],
)
def test_growth_is_counted_when_it_is_seen(
    times: tuple[float, ...], values: tuple[float, ...], before: float | None, found: tuple[float, ...]
) -> None:
    assert increases(Series({}, times, values), [0.0, 10.0, 20.0], before) == found


def test_a_series_knows_its_age_and_its_last_value() -> None:
    series = Series({}, (1.0, 4.0), (10.0, 20.0))
    assert (series.age(5.0), series.latest(5.0), series.latest(2.0)) == (1.0, 20.0, 10.0)
    assert (series.age(0.5), math.isnan(series.latest(0.5))) == (math.inf, True)


def test_series_are_summed_element_by_element() -> None:
    assert summed([(1.0, 2.0), (3.0, 4.0)], 2) == (4.0, 6.0)
    assert summed([], 2) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("counts", "quantile", "bound"),
    [
        ({0.1: 50, 0.5: 99, math.inf: 100}, 0.5, 0.1),
        ({0.1: 50, 0.5: 99, math.inf: 100}, 0.99, 0.5),
        ({0.1: 50, 0.5: 98, math.inf: 100}, 0.99, None),  # above the last finite bound
        ({0.1: 0, math.inf: 0}, 0.5, None),
        ({}, 0.5, None),
    ],
)
def test_a_quantile_is_the_bucket_bound_that_holds_it(
    counts: dict[float, float], quantile: float, bound: float | None
) -> None:
    assert quantile_bound(counts, quantile) == bound


@given(st.lists(st.integers(0, 9), min_size=2, max_size=8))
def test_a_higher_quantile_never_has_a_lower_bound(cells: list[int]) -> None:
    running = [sum(cells[: i + 1]) for i in range(len(cells))]
    counts = {float(i): float(n) for i, n in enumerate(running)} | {math.inf: float(running[-1])}
    bounds = [quantile_bound(counts, q) for q in (0.1, 0.5, 0.9, 1.0)]
    known = [bound for bound in bounds if bound is not None]
    assert all(a <= b for a, b in pairwise(known))
