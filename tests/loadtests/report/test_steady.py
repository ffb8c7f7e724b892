"""The warm-up is found by rule: where there is one it is cut off, where there is none nothing is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import PCG64, Generator

from loadtests.report.series import Series
from loadtests.report.steady import mser, steady
from tests.loadtests.report.made import book, run, sample


def noisy(values: list[float], seed: int = 1) -> list[float]:
    """With a tenth of noise."""
    draw = Generator(PCG64(seed))
    return [value * (1 + 0.1 * float(draw.standard_normal())) for value in values]


@pytest.mark.parametrize("warm", [0, 3, 10, 20])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_warm_up_is_cut_where_it_ends(warm: int, seed: int) -> None:
    """A start three times as slow: never too early; by chance later, by a sixth of the run at most."""
    cut = mser(noisy([3.0] * warm + [1.0] * (60 - warm), seed))
    assert cut is not None and warm <= cut <= warm + 10


def test_a_flat_series_is_not_cut() -> None:
    """Rounding is no warm-up."""
    assert mser([0.1] * 50) == 0
    assert mser([0.0] * 50) == 0


def test_noise_alone_is_seldom_cut() -> None:
    """Of twenty series without a warm-up most are kept whole: a small gain is chance."""
    assert sum(mser(noisy([1.0] * 60, seed)) == 0 for seed in range(20)) >= 16


def test_a_series_that_never_settles_has_no_cut() -> None:
    """One that grows to its end, as a queue does that is never emptied."""
    assert mser([float(n) for n in range(60)]) is None


@given(st.lists(st.floats(0, 100), min_size=3, max_size=40))
def test_a_cut_leaves_at_least_half(values: list[float]) -> None:
    """Whatever the numbers are."""
    cut = mser(values)
    assert cut is None or 0 <= cut <= len(values) // 2


def test_a_run_is_cut_where_its_warm_up_ends() -> None:
    """Eight seconds of cold caches; in seconds and slots, and the reason for it in words."""
    requests = [
        sample(due=n / 10, sent=n / 10, ttft=(0.9 if n < 80 else 0.1) + n % 3 / 100, total=0.5) for n in range(400)
    ]
    found = steady(book(*requests, elapsed=40.0).series, 40.0)
    assert (found.found, found.start, found.end) == (True, 8.0, 40.0)
    assert "MSER-5 the first 8 s are its warm-up" in found.why


def test_a_queue_that_only_grows_is_never_steady() -> None:
    """All of the run counts, and the report says so."""
    requests = [sample(due=n / 10, sent=n / 10, ttft=n / 10, total=n / 10 + 0.2) for n in range(400)]
    found = steady(book(*requests, elapsed=40.0).series, 40.0)
    assert (found.found, found.start, found.end) == (False, 0.0, 40.0)
    assert "never became steady" in found.why


@pytest.mark.parametrize("seconds", [0.0, 0.5, 3.0, 9.0])
def test_a_short_run_counts_as_a_whole(seconds: float) -> None:
    """Too little to tell a warm-up from chance."""
    found = steady(book(*(sample(due=n, sent=n) for n in range(int(seconds)))).series, seconds)
    assert (found.found, found.start) == (False, 0.0)
    assert "shorter than 10 s" in found.why


def test_nothing_sent_is_told_too() -> None:
    """An empty series."""
    assert not steady(Series(), 0.0).found


def test_a_long_steady_run_keeps_nearly_all() -> None:
    """Of what is steady from the start, no more than a tenth is given away."""
    assert run(seconds=60).report.steady.start <= 10.0
