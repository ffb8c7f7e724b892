"""How sure a figure is: 95 % confidence intervals of quantiles and shares. Pure.

Requests of the same second share a queue, and gaps of the same answer share an engine: counting them as independent
would claim too much. So blocks of seconds are clusters, and the spread between them is what an interval is made of.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.report.block import FEWEST, blocks, width
from loadtests.report.histogram import GROWTH, SMALLEST, middle

ALPHA = 0.05  # how often an interval may miss the truth

Part = tuple[int, int]  # good ones, and all


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`."""

    low: float
    high: float


def wilson(good: float, count: float, z: float) -> Interval | None:
    """A share of `count` independent events (Wilson 1927): inside 0 and 1, and honest where none or all are good."""
    if count <= 0:
        return None
    share, spread = good / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def share(slots: Sequence[Part], alpha: float = ALPHA) -> Interval | None:
    """A share, by slot: Wilson's interval of as many independent events as the blocks are worth."""
    parts = clusters(slots)
    good, count = _sum(parts)
    effect = _design_effect(parts, good / count if count else 0.0)
    return wilson(good / effect, count / effect, width(len(parts), alpha)) if count else None


def clusters(slots: Sequence[Part]) -> list[Part]:
    """The blocks that are counted as independent."""
    return [_sum(block) for block in blocks(slots)]


def difference(a: Sequence[Part], b: Sequence[Part], alpha: float = ALPHA) -> Interval:
    """The share of B minus that of A (Newcombe 1998, method 10): no certainty where none of a few events was bad."""
    (low_a, at_a, high_a), (low_b, at_b, high_b) = _ends(a, alpha), _ends(b, alpha)
    found = at_b - at_a
    return Interval(found - math.hypot(at_b - low_b, high_a - at_a), found + math.hypot(high_b - at_b, at_a - low_a))


def quantile(slots: Sequence[Counter[int]], q: float, alpha: float = ALPHA) -> Interval | None:
    """The quantile `q` of all buckets of `slots` (Woodruff 1952): the share below it, with its error, turned back.

    None where there is too little to say: fewer blocks than `FEWEST`, or an end that lies beyond the last value.
    """
    clusters = [one for block in blocks(slots) if (one := sum(block, Counter[int]()))]
    if len(clusters) < FEWEST:
        return None
    whole = sum(clusters, Counter[int]())
    count, at = whole.total(), _rank(whole, q)
    below = [(sum(n for bucket, n in one.items() if bucket <= at), one.total()) for one in clusters]
    effect = _design_effect(below, sum(one for one, _ in below) / count)
    half = width(len(clusters), alpha) * math.sqrt(q * (1 - q) / count * effect)
    if q - half <= 0 or q + half >= 1:
        return None
    return Interval(_low(_rank(whole, q - half)), _high(_rank(whole, q + half)))


def quantile_of(buckets: Counter[int], q: float) -> float | None:
    """The middle of the bucket in which the quantile lies."""
    return middle(_rank(buckets, q)) if buckets else None


def _ends(slots: Sequence[Part], alpha: float) -> tuple[float, float, float]:
    found, (good, count) = share(slots, alpha), _sum(slots)
    assert found is not None, "a share of nothing is not compared"
    return found.low, good / count, found.high


def _sum(parts: Sequence[Part]) -> Part:
    return sum(good for good, _ in parts), sum(count for _, count in parts)


def _design_effect(clusters: Sequence[Part], share: float) -> float:
    """By how much the spread between clusters exceeds that of independent events; at least 1 (Kish 1965)."""
    filled = [(good, count) for good, count in clusters if count]
    whole, number = sum(count for _, count in filled), len(filled)
    alone = share * (1 - share) / whole if whole else 0.0
    if number < FEWEST or alone == 0:
        return 1.0
    spread = sum((good - share * count) ** 2 for good, count in filled) / whole**2 * number / (number - 1)
    return max(1.0, spread / alone)


def _rank(buckets: Counter[int], q: float) -> int:
    """The bucket that holds the value of rank `q`."""
    wanted, passed = max(1, math.ceil(q * buckets.total())), 0
    for bucket in sorted(buckets):
        passed += buckets[bucket]
        if passed >= wanted:
            break
    return bucket


def _low(bucket: int) -> float:
    return SMALLEST * math.exp(bucket * GROWTH)


def _high(bucket: int) -> float:
    return SMALLEST * math.exp((bucket + 1) * GROWTH)
