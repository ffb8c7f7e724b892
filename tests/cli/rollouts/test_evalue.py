"""The e-processes keep their promise: expectation at most 1 under the null, in every world that is allowed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln, gammaln, logsumexp

from cli.rollouts import evalue
from cli.rollouts.evalue import Floats

NOISE = 0.3


def given_both(pairs: int, ratio: float, noise: float) -> Floats:
    """P(canary's bad | `pairs` in both arms) when rates are gamma with CV `noise` and canary/baseline means `ratio`."""
    shape, x = 1 / noise**2, np.arange(pairs + 1.0)
    scale = shape * (1 + ratio) / pairs  # so that `pairs` is what is expected
    canary = gammaln(x + shape) - gammaln(x + 1) + x * np.log(ratio / (ratio + scale))
    y = pairs - x
    baseline = gammaln(y + shape) - gammaln(y + 1) + y * np.log(1 / (1 + scale))
    return np.asarray(np.exp(canary + baseline - logsumexp(canary + baseline)))


def expected(pairs: int, exposure: float, null: float, alternative: float, noise: float) -> float:
    """The expectation of one block's e-value under `null`, summed over all outcomes."""
    x = np.arange(pairs + 1.0)
    n, values = np.full_like(x, 1000.0), np.array([null, alternative])
    likelihood = evalue.ratio_likelihood(x, exposure * n, pairs - x, n, NOISE, values)  # a column for each outcome
    return float(given_both(pairs, exposure * null, noise) @ np.exp(likelihood[1] - likelihood[0]))


@pytest.mark.parametrize("pairs", [1, 5, 60, 400])
@pytest.mark.parametrize("noise", [0.001, 0.15, 0.3], ids=["no noise", "half", "as assumed"])
@pytest.mark.parametrize("alternative", [1.2, 5.0, 60.0])
@pytest.mark.parametrize("exposure", [0.8, 1.0, 1.25])
def test_counting_gains_nothing_from_a_release_that_is_no_worse(
    pairs: int, noise: float, alternative: float, exposure: float
) -> None:
    """Exact sums. The half percent is for unequal arms without noise, where the model is an approximation."""
    assert expected(pairs, exposure, 1.0, alternative, noise) <= 1.005


@pytest.mark.parametrize("pairs", [1, 60, 400])
@pytest.mark.parametrize("noise", [0.001, 0.3])
@pytest.mark.parametrize("null", [2.0, 5.0, 50.0])
@pytest.mark.parametrize("better", [1.1, 3.0, 60.0])
def test_no_bound_is_proven_by_a_release_that_lies_on_it(pairs: int, noise: float, null: float, better: float) -> None:
    """A beta-binomial law with the mean of the null is not enough: its expectation is above 1 here without noise."""
    assert expected(pairs, 1.0, null, null / better, noise) <= 1.005


def test_equal_arms_are_beta_binomial() -> None:
    """The integral over the noise has a closed form there; the quadrature agrees."""
    x, shape = np.arange(41.0), 1 / NOISE**2
    ones = np.full_like(x, 500.0)
    found = evalue.ratio_likelihood(x, ones, 40 - x, ones, NOISE, np.array([1.0]))[0]
    assert found == pytest.approx(betaln(x + shape, 40 - x + shape), abs=2e-3)


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.3, 3), st.floats(0.3, 1.0))
def test_evidence_of_harm_only_grows_with_the_canarys_bad_responses(
    canary: int, baseline: int, exposure: float, noise: float
) -> None:
    """A monotone likelihood ratio: the null "exactly as bad" covers every better canary."""
    x, n = np.array([float(canary), canary + 1.0]), np.array([1e3 * exposure] * 2)
    pairs = canary + baseline + 1.0
    likelihood = evalue.ratio_likelihood(x, n, pairs - x, np.array([1e3] * 2), noise, np.array([1.0, 1.2, 5.0, 60.0]))
    gain = likelihood[1:] - likelihood[0]
    assert (gain[:, 1] >= gain[:, 0] - 1e-6).all()


@pytest.mark.parametrize("null", [0.001, 0.02, 0.3, 0.9])
@pytest.mark.parametrize("noise", [0.3, 1.0])
@pytest.mark.parametrize("factor", [0.1, 0.8, 1.2, 5.0])
@pytest.mark.parametrize("total", [1, 30, 400])
def test_an_arms_own_rate_gains_nothing_from_the_null(null: float, noise: float, factor: float, total: int) -> None:
    """Independent responses at exactly the null, the least noise there can be; also at rates above one half."""
    x = np.arange(total + 1.0)
    choose = gammaln(total + 1) - gammaln(x + 1) - gammaln(total - x + 1)
    law = np.exp(choose + x * np.log(null) + (total - x) * np.log1p(-null))
    likelihood = evalue.rate_likelihood(x, np.full_like(x, total), noise, np.array([null, null * factor]))
    assert law @ np.exp(likelihood[1] - likelihood[0]) <= 1.0 + 1e-9


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8))
def test_betting_is_fair_whatever_the_sizes_of_the_differences(sizes: list[float]) -> None:
    """All signs are equally likely when labels can be swapped: the mean over all of them is exactly 1."""
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * len(sizes))).reshape(len(sizes), -1).T
    ends = [evalue.swap_test(row * np.array(sizes))[-1] for row in signs]
    assert np.mean(np.exp(ends)) == pytest.approx(1.0)


def test_a_bet_is_placed_before_its_block_is_seen() -> None:
    """Multiplying the last difference cannot win more than its clipped bet."""
    calm = np.array([0.1, -0.1, 0.1, -0.1])
    assert evalue.swap_test(np.append(calm, 0.2))[-1] == evalue.swap_test(np.append(calm, 2e9))[-1]


Columns = tuple[list[float], list[float], list[float], list[float]]
NOTHING_SEEN: dict[str, Columns] = {  # bad and total of the canary, bad and total of the baseline
    "no blocks": ([], [], [], []),
    "no bad responses": ([0, 0], [50, 50], [0, 0], [50, 50]),
    "no responses": ([0, 0], [0, 0], [0, 0], [0, 0]),
    "no canary responses": ([0], [0], [3], [50]),
    "no baseline responses": ([3], [50], [0], [0]),
}


@pytest.mark.parametrize("columns", NOTHING_SEEN.values(), ids=NOTHING_SEEN.keys())
def test_blocks_that_cannot_tell_say_nothing(columns: Columns) -> None:
    bad_c, total_c, bad_b, total_b = map(evalue.array, columns)
    assert evalue.running_max(evalue.harm(bad_c, total_c, bad_b, total_b, NOISE)) == 0.0


@pytest.mark.parametrize("bad", [0.0, 1e3, 1e9])
def test_huge_counts_stay_finite(bad: float) -> None:
    bad_c, total, bad_b = (np.full(50, value) for value in (bad, 1e9, 1e3))
    assert np.isfinite(evalue.harm(bad_c, total, bad_b, total, NOISE)).all()
    assert np.isfinite(evalue.ratio_likelihood(bad_c, total, bad_b, total, NOISE, np.geomspace(0.05, 100, 30))).all()
    assert np.isfinite(evalue.rate_likelihood(bad_c, total, NOISE, np.array([1e-6, 1.0]))).all()


GRID = np.array([1.0, 2.0, 4.0, 8.0])


@pytest.mark.parametrize(
    ("last", "bound"),
    [
        ([0, 0, 0, 0], 99.0),
        ([0, 0, -9, -9], 4.0),
        ([0, -9, 0, -9], 8.0),
        ([0, -9, -9, -9], 2.0),
        ([0, -9, -9, 0], 99.0),
    ],
)
def test_a_bound_lies_above_every_value_that_still_stands(last: list[float], bound: float) -> None:
    """Also where a lower value was excluded: log evidence need not grow along the grid."""
    assert evalue.excluded_above(GRID, np.array(last, dtype=float)[:, None], 3.0, 99.0) == bound


def test_a_bound_does_not_come_back_when_later_blocks_say_less() -> None:
    likelihood = np.array([[0.0, 0.0], [-9.0, 9.0], [-9.0, 9.0], [-9.0, 9.0]])
    assert evalue.excluded_above(GRID, likelihood, 3.0, 99.0) == 2.0


def test_without_blocks_there_is_no_bound() -> None:
    assert evalue.excluded_above(GRID, np.zeros((4, 0)), 3.0, 99.0) == 99.0
