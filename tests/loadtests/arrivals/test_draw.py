"""Numbers by chance have the distributions they are named for, and depend on a text alone."""

from __future__ import annotations

from statistics import mean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadtests.arrivals.draw import Draw

MANY = 10_000
LEAST = 0.001  # p-value of a Kolmogorov-Smirnov test; the texts are fixed, so that a test passes always or never


def test_the_same_text_gives_the_same_numbers_everywhere() -> None:
    """These are what blake2b makes of the text; another machine, version or process has the same."""
    draw = Draw("seed")
    assert [draw.uniform() for _ in range(3)] == [0.8695264918952765, 0.7848588893140718, 0.5740280534032958]


@given(st.text(), st.text())
def test_two_texts_have_nothing_in_common(one: str, other: str) -> None:
    """Not even their first number."""
    assert (Draw(one).uniform() == Draw(other).uniform()) == (one == other)


def test_numbers_do_not_come_again() -> None:
    """Beyond the first block of bits, too."""
    draw = Draw("t")
    numbers = [draw.uniform() for _ in range(MANY)]
    assert len(set(numbers)) == MANY
    assert all(0 < number < 1 for number in numbers)


@pytest.mark.parametrize(
    ("name", "cdf"),
    [
        ("uniform", stats.uniform.cdf),
        ("normal", stats.norm.cdf),
        ("gamma 0.25", stats.gamma(0.25).cdf),
        ("gamma 1", stats.gamma(1).cdf),
        ("gamma 7.5", stats.gamma(7.5).cdf),
        ("gap 1", stats.expon.cdf),
        ("gap 2", stats.gamma(0.25, scale=4).cdf),
        ("gap 0.5", stats.gamma(4, scale=0.25).cdf),
        ("wait 1", stats.expon.cdf),
    ],
)
def test_numbers_have_the_distribution_they_are_named_for(name: str, cdf: Any) -> None:
    """By a Kolmogorov-Smirnov test."""
    kind, *parameter = name.split()
    method = getattr(Draw(name), kind)
    numbers = [method(*map(float, parameter)) for _ in range(MANY)]
    assert stats.kstest(numbers, cdf).pvalue > LEAST


@pytest.mark.parametrize("cv", [0.0, 0.3, 1.0, 2.0, 5.0])
def test_gaps_have_mean_one_and_their_variation(cv: float) -> None:
    """To within three standard errors or so."""
    draw = Draw(f"gaps {cv}")
    gaps = [draw.gap(cv) for _ in range(MANY)]
    assert mean(gaps) == pytest.approx(1, abs=3.5 * cv / MANY**0.5)
    assert stdev(gaps) == pytest.approx(cv, rel=0.15)


@pytest.mark.parametrize("cv", [0.5, 2.0, 5.0])
def test_the_first_wait_is_that_of_somebody_who_comes_at_any_time(cv: float) -> None:
    """Its mean is (1 + cv**2) / 2 mean gaps: long gaps are met more often."""
    draw = Draw(f"waits {cv}")
    waits = [draw.wait(cv) for _ in range(MANY)]
    assert mean(waits) == pytest.approx((1 + cv**2) / 2, rel=0.1)


def test_even_gaps_need_no_chance() -> None:
    """And begin at once."""
    assert (Draw("t").wait(0.0), Draw("t").gap(0.0)) == (0.0, 1.0)


@pytest.mark.parametrize("cv", [0.01, 13.2, 20.0])
def test_the_most_extreme_variations_are_numbers_still(cv: float) -> None:
    """Neither an overflow nor less than nothing."""
    draw = Draw("t")
    assert all(0 <= draw.gap(cv) < 1e5 and 0 <= draw.wait(cv) < 1e5 for _ in range(1000))
