"""A histogram of seconds whose buckets are 1 % wide, so that runs merge exactly. Pure: counts and adds nothing else."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

SMALLEST = 1e-6  # s, one microsecond: finer than any clock here; zero and less count as this
GROWTH = math.log(
    1.01
)  # a bucket reaches from SMALLEST * 1.01**n to * 1.01**(n + 1): quantiles are within half a per cent
SCALE, OFFSET = 1 / GROWTH, -math.log(SMALLEST) / GROWTH
NANO = 10**9  # the sum is kept in whole nanoseconds: sums of floating point depend on their order


@dataclass(slots=True)
class Histogram:
    """Counts by bucket, with the exact count, sum (in ns), least and greatest value."""

    buckets: Counter[int] = field(default_factory=Counter)
    count: int = 0
    nanos: int = 0
    least: float = math.inf
    greatest: float = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.buckets[bucket_of(value)] += 1
        self.count += 1
        self.nanos += round(value * NANO)
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)

    def extend(self, values: Sequence[float], buckets: Iterable[int]) -> None:
        """Count many values whose buckets are known: what a value costs is what one token costs."""
        self.buckets.update(buckets)
        self.count += len(values)
        self.nanos += round(sum(values) * NANO)
        self.least = min(self.least, *values)
        self.greatest = max(self.greatest, *values)

    @property
    def mean(self) -> float | None:
        """The mean, exact to a nanosecond, or None of nothing."""
        return self.nanos / NANO / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """The value that a share `q` of all values does not exceed, or None of nothing."""
        if not self.count:
            return None
        rank, passed = max(1, math.ceil(q * self.count)), 0
        for bucket in sorted(self.buckets):
            passed += self.buckets[bucket]
            if passed >= rank:
                break
        return min(max(middle(bucket), self.least), self.greatest)

    def curve(self) -> Iterator[tuple[float, float]]:
        """(upper end of a bucket, share of the values up to it), rising: the cumulative distribution."""
        passed = 0
        for bucket in sorted(self.buckets):
            passed += self.buckets[bucket]
            yield SMALLEST * math.exp((bucket + 1) * GROWTH), passed / self.count

    def to_json(self) -> dict[str, Any]:
        """JSON values; buckets as [number, count, number, count ...]."""
        flat = [number for pair in sorted(self.buckets.items()) for number in pair]
        least = self.least if self.count else None
        return {"count": self.count, "nanos": self.nanos, "least": least, "greatest": self.greatest, "buckets": flat}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Histogram:
        """What `to_json` gave. Raises KeyError, TypeError or ValueError for anything else."""
        flat = data["buckets"]
        buckets = Counter(dict(zip(map(int, flat[::2]), map(int, flat[1::2]), strict=True)))
        least = math.inf if data["least"] is None else float(data["least"])
        return cls(buckets, int(data["count"]), int(data["nanos"]), least, float(data["greatest"]))


def bucket_of(value: float) -> int:
    """The number of the bucket of one value."""
    return int(math.log(max(value, SMALLEST)) * SCALE + OFFSET)


def buckets_of(values: Iterable[float]) -> list[int]:
    """The numbers of the buckets of many values, as cheaply as Python can."""
    log, smallest, scale, offset = math.log, SMALLEST, SCALE, OFFSET
    return [int(log(value if value > smallest else smallest) * scale + offset) for value in values]


def middle(bucket: int) -> float:
    """The value in the middle of a bucket, by ratio."""
    return SMALLEST * math.exp((bucket + 0.5) * GROWTH)


def merged(parts: Iterable[Histogram]) -> Histogram:
    """All the values of `parts` in one histogram, whatever their order."""
    whole = Histogram()
    for part in parts:
        whole.buckets.update(part.buckets)
        whole.count += part.count
        whole.nanos += part.nanos
        whole.least = min(whole.least, part.least)
        whole.greatest = max(whole.greatest, part.greatest)
    return whole
