"""Where an SLO stops being kept, by one curve through all probes near there. Pure: counts in, a rate out.

Near its capacity a service breaks promises in episodes, and a run long enough to show one rate alone has some hundreds
of them. But what is seen at 40/s also says something of 42/s. So the share of good events is taken for a logistic curve
of the log of the rate, which a short piece of any falling curve is nearly, and fitted to all blocks of seconds of all
probes there; blocks differ by more than chance, which makes the interval wider (McCullagh and Nelder 1989, 4.5). The
rate at which the curve falls through the target has an interval of its own (Fieller 1954).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from loadtests.report.block import USUAL, width
from loadtests.report.interval import Part
from loadtests.search.finding import Finding
from loadtests.search.probe import Probe
from loadtests.search.standing import believed, stand

NEAR = 1.5  # times the rate, up or down, within which the curve is taken for a logistic one
LOOK = 0.01  # how often the interval may miss at one look; a search looks after each of about five probes near the end
ROUNDS = 50  # of Newton's method; it needs about six
TINY = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Requests a second: up to `low` the SLO is surely kept, from `high` on it is surely broken."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Log of the rate from some middle, good events and all; one number of each for every block."""

    x: Floats
    good: Floats
    count: Floats


def crossing(probes: Sequence[Probe]) -> Crossing | None:
    """Where the first criterion falls through its target; None where that cannot be told from these probes."""
    standing = stand(probes)
    if not standing.leaning_low or math.isinf(standing.leaning_high):
        return None
    middle = math.sqrt(standing.leaning_low * standing.leaning_high)
    near = [one for one in believed(probes) if middle / NEAR < one.rate < middle * NEAR]
    broken = {finding.criterion for one in near for finding in one.findings if not finding.leans_good}
    found = [_of(near, name, middle, LOOK / len(broken)) for name in sorted(broken)]
    told = [one for one in found if one is not None]
    if not told or len(told) < len(found):
        return None
    return Crossing(*(min(getattr(one, end) for one in told) for end in ("rate", "low", "high")))


def _of(near: Sequence[Probe], name: str, middle: float, alpha: float) -> Crossing | None:
    """Where one criterion does."""
    found = [(one, finding) for one in near for finding in one.findings if finding.criterion == name]
    length = max((one.seconds / len(finding.blocks) for one, finding in found if finding.blocks), default=0.0)
    rows = [
        (math.log(one.rate / middle), good, count)
        for one, finding in found
        for good, count in _merged(finding, one.seconds, length)
        if count
    ]
    if len(rows) < USUAL:
        return None
    span = _span(_Blocks(*np.array(rows, dtype=np.float64).T), float(logit(found[0][1].target)), alpha)
    return span and Crossing(*(middle * math.exp(x) for x in span))


def _merged(finding: Finding, seconds: float, length: float) -> Iterator[Part]:
    """Its blocks, as long as those of the longest probe: what is cut too short looks independent, and is not."""
    size = max(1, round(length * len(finding.blocks) / seconds))
    for first in range(0, len(finding.blocks), size):
        part = finding.blocks[first : first + size]
        yield sum(good for good, _ in part), sum(count for _, count in part)


def _span(blocks: _Blocks, target: float, alpha: float) -> tuple[float, float, float] | None:
    """Where the line falls through the target, and its interval; None where that has no end, or the line rises."""
    (level, slope), spread = _fitted(blocks)
    wide = width(len(blocks.x) - 1, alpha) ** 2
    off, bend = level - target, slope**2 - wide * spread[1, 1]
    if slope >= 0 or bend <= 0:
        return None
    half = off * slope - wide * spread[0, 1]
    root = math.sqrt(max(0.0, half**2 - bend * (off**2 - wide * spread[0, 0])))
    low, high = (-half - root) / bend, (-half + root) / bend
    return (-off / slope, low, high) if max(-low, high) < math.log(NEAR) else None


def _fitted(blocks: _Blocks) -> tuple[tuple[float, float], Floats]:
    """Level and slope of the logit of the share, and their covariance, by Newton's method with short steps."""
    design = np.column_stack([np.ones_like(blocks.x), blocks.x])
    at = np.array([float(logit(min(1 - TINY, max(TINY, blocks.good.sum() / blocks.count.sum())))), 0.0])
    for _ in range(ROUNDS):
        share = expit(design @ at)
        weight = np.maximum(blocks.count * share * (1 - share), TINY)
        inverse = np.linalg.pinv(design.T @ (design * weight[:, None]))
        step = np.clip(inverse @ (design.T @ (blocks.good - blocks.count * share)), -1.0, 1.0)
        at = at + step
        if np.abs(step).max() < TINY:
            break
    beyond = float((((blocks.good - blocks.count * share) ** 2) / weight).sum()) / (len(blocks.x) - 2)
    return (float(at[0]), float(at[1])), inverse * max(1.0, beyond)
