"""A histogram of positive numbers whose buckets are 1 % wide, so that runs merge exactly. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

GROWTH = math.log(1.01)  # a bucket reaches from 1.01**n to 1.01**(n + 1): a quantile is right within half a per cent
SMALLEST = 1e-6  # one microsecond, finer than any clock here; zero and less count as this


@dataclass(slots=True)
class Histogram:
    """Counts by bucket, with the exact count, sum, least and greatest value."""

    buckets: Counter[int] = field(default_factory=Counter)
    count: int = 0
    total: float = 0.0
    least: float = math.inf
    greatest: float = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.buckets[math.floor(math.log(max(value, SMALLEST)) / GROWTH)] += 1
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)

    @property
    def mean(self) -> float | None:
        """The exact mean, or None of nothing."""
        return self.total / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """The value that a share `q` of all values does not exceed, or None of nothing."""
        if not self.count:
            return None
        rank = max(1, math.ceil(q * self.count))
        passed = 0
        for bucket in sorted(self.buckets):
            passed += self.buckets[bucket]
            if passed >= rank:
                break
        return min(max(math.exp((bucket + 0.5) * GROWTH), self.least), self.greatest)


def merged(parts: list[Histogram]) -> Histogram:
    """All the values of `parts` in one histogram."""
    whole = Histogram()
    for part in parts:
        whole.buckets.update(part.buckets)
        whole.count += part.count
        whole.total += part.total
        whole.least = min(whole.least, part.least)
        whole.greatest = max(whole.greatest, part.greatest)
    return whole
