"""E-processes for counts: the evidence against a null, valid at every look. Pure: numbers in, numbers out.

An e-process starts at 1 and has expectation <= 1 under its null at every stopping time, so it exceeds 1/alpha with
probability <= alpha however often one looks (Ville). Everything here is the natural logarithm of one, per block.

The noise is one model: in each block and arm the rate of bad responses is multiplied by a gamma variable of mean 1 and
coefficient of variation `noise`, independent of all others. `shape` below is that gamma's shape, 1 / noise^2.

Sources: conditional counting test, Lindon & Malek 2022 (arXiv 2011.03567); mixtures over the alternative, Robbins 1970;
betting, Waudby-Smith & Ramdas 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

Floats = NDArray[np.float64]

EFFECTS = np.geomspace(1.2, 60.0, 24)  # ratios of a bad canary that the test is tuned for
BETS = np.array([0.1, 0.2, 0.4, 0.6, 0.8])  # fractions of the wealth put on "the canary is worse"
# Gauss-Hermite nodes for the integral over the noise, laid around its peak: within 1e-3 for noise up to 1.
NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(15)
LOG_WEIGHTS = np.log(_WEIGHTS) + NODES**2


def array(values: Sequence[float]) -> Floats:
    """A float vector."""
    return np.asarray(values, dtype=np.float64)


def harm(bad_c: Floats, total_c: Floats, bad_b: Floats, total_b: Floats, noise: float) -> Floats:
    """Log e-process against "the canary is no worse than the baseline", after each block.

    The mean of a conditional counting test (powerful, assumes noise of at most `noise` per arm and block) and of
    swap-symmetric betting (exact for any noise, slower): half of alpha each.
    """
    counting = ratio_test(bad_c, total_c, bad_b, total_b, noise, null=1.0, alternatives=EFFECTS)
    betting = swap_test(_rate(bad_c, total_c) - _rate(bad_b, total_b))
    return np.asarray(np.logaddexp(counting, betting) - np.log(2.0), dtype=np.float64)


def ratio_test(
    bad_c: Floats, total_c: Floats, bad_b: Floats, total_b: Floats, noise: float, null: float, alternatives: Floats
) -> Floats:
    """Log e-process against "rate of canary / rate of baseline is `null`", averaged over `alternatives`.

    The likelihood ratio is monotone in the canary's count, so with alternatives on one side of `null` the null covers
    every ratio on the other side as well.
    """
    likelihood = ratio_likelihood(bad_c, total_c, bad_b, total_b, noise, np.append(null, alternatives))
    return _mix(likelihood[1:] - likelihood[0])


def rate_test(bad: Floats, total: Floats, noise: float, null: float, alternatives: Floats) -> Floats:
    """Log e-process against "the arm's own rate of bad responses is `null`", averaged over `alternatives` (rates)."""
    likelihood = rate_likelihood(bad, total, noise, np.append(null, alternatives))
    return _mix(likelihood[1:] - likelihood[0])


def ratio_likelihood(
    bad_c: Floats, total_c: Floats, bad_b: Floats, total_b: Floats, noise: float, ratios: Floats
) -> Floats:
    """Log likelihood of each ratio (rows) in each block (columns), given the bad responses of both arms together.

    The canary's share of them is binomial, its odds are `ratio` x exposures x the ratio of the two arms' gamma noise.
    With equal arms and ratio 1 this is beta-binomial with both parameters `shape`. Up to a constant per block; blocks
    that cannot tell give 0.
    """
    tells = (total_c > 0) & (total_b > 0) & (bad_c + bad_b > 0)
    result = np.zeros((len(ratios), len(bad_c)))
    odds = np.log(total_c[tells] / total_b[tells]) + np.log(ratios)[:, None]
    result[:, tells] = _split(bad_c[tells], bad_b[tells], odds, 1.0 / noise**2)
    return result


def rate_likelihood(bad: Floats, total: Floats, noise: float, rates: Floats) -> Floats:
    """Log likelihood of each rate (rows) in each block (columns): Poisson with gamma noise, up to a constant per block.

    A ratio of two of these is an exponential in the count, so for counts with less variation than assumed (as bad ones
    among `total` responses are) its expectation is only smaller.
    """
    shape, rate = 1.0 / noise**2, rates[:, None]
    return np.asarray(bad * np.log(rate) - (bad + shape) * np.log(shape + total * rate), dtype=np.float64)


def excluded_above(grid: Floats, likelihood: Floats, need: float, none: float) -> float:
    """The smallest value of `grid` that is excluded together with all above it, at log evidence `need`; else `none`.

    Against each value stands a mixture of all values below it. Read from the top, because evidence need not grow along
    the grid: the largest value that is not excluded bounds the truth (one test, one error).
    """
    if likelihood.shape[1] == 0:
        return none
    sums = np.cumsum(likelihood, axis=1)
    prior = 0.5 * np.log(grid)[:, None]  # on a logarithmic grid: a quarter of the value gets half of its weight
    below = np.logaddexp.accumulate(sums + prior, axis=0) - np.logaddexp.accumulate(prior, axis=0)
    stands = np.flatnonzero((below[:-1] - sums[1:]).max(axis=1) < need)
    first = int(stands[-1]) + 2 if stands.size else 1
    return float(grid[first]) if first < len(grid) else none


def swap_test(difference: Floats) -> Floats:
    """Log e-process against "swapping the labels of canary and baseline changes nothing".

    Bets on the sign and size of each block's difference, scaled by the mean absolute difference of the blocks before,
    so that the bet is known before the block is seen.
    """
    if difference.size == 0:
        return difference
    seen = np.cumsum(np.abs(difference)) / np.arange(1, difference.size + 1)
    scale = np.concatenate([[0.0], seen[:-1]])
    gain = np.divide(difference, 2.0 * scale, out=np.zeros_like(difference), where=scale > 0)
    steps = np.log1p(BETS[:, None] * np.clip(gain, -1.0, 1.0)[None, :])
    return _mix(steps)


def running_max(log_e: Floats) -> float:
    """The most evidence that was ever seen; 0 (an e-value of 1) before the first block."""
    return float(max(0.0, log_e.max())) if log_e.size else 0.0


def _rate(bad: Floats, total: Floats) -> Floats:
    return np.divide(bad, total, out=np.zeros_like(bad), where=total > 0)


def _split(hits: Floats, misses: Floats, odds: Floats, shape: float) -> Floats:
    """Log of the integral over eta, the log of the ratio of the two arms' noise, whose density is

        e^(shape eta) / (1 + e^eta)^(2 shape),   of   Binomial(hits of hits + misses; odds e^eta / (1 + odds e^eta))

    by Gauss-Hermite quadrature around the peak of the integrand, which is log-concave: the peak is the positive root of
    a quadratic, its width the second derivative there. `odds` are logarithms, rows x blocks.
    """
    ahead, pairs = hits + shape, hits + misses
    peak = _peak(ahead, misses + shape, odds, 2 * shape, pairs)
    curvature = 2 * shape * _variance(peak) + pairs * _variance(peak + odds)
    width = np.sqrt(2.0 / curvature)
    eta = peak[..., None] + width[..., None] * NODES
    binomial = pairs[:, None] * np.logaddexp(0.0, eta + odds[..., None])
    logs = ahead[:, None] * eta - 2 * shape * np.logaddexp(0.0, eta) - binomial
    return np.asarray(logsumexp(logs + LOG_WEIGHTS, axis=-1) + np.log(width) + hits * odds, dtype=np.float64)


def _peak(ahead: Floats, behind: Floats, odds: Floats, double: float, pairs: Floats) -> Floats:
    """Where ahead = double sigmoid(eta) + pairs sigmoid(eta + odds): a v^2 + b v - ahead = 0 in v = e^eta."""
    ratio = np.exp(odds)
    a, b = ratio * behind, double + pairs * ratio - ahead * (1.0 + ratio)
    root = np.sqrt(b * b + 4.0 * a * ahead)
    value = np.where(b > 0, 2.0 * ahead / (root + np.abs(b)), (root + np.abs(b)) / (2.0 * a))  # nothing cancels
    return np.asarray(np.log(value), dtype=np.float64)


def _variance(logit: Floats) -> Floats:
    return np.asarray(expit(logit) * expit(-logit), dtype=np.float64)


def _mix(steps: Floats) -> Floats:
    """The log of the average over rows of the running products along columns."""
    return np.asarray(logsumexp(np.cumsum(steps, axis=1), axis=0) - np.log(steps.shape[0]), dtype=np.float64)
