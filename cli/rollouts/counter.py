"""Counter samples -> increases on a grid of times, through resets, births and gaps. Pure: no clock, no network."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Series:
    """Raw samples of one counter: times in Unix seconds, ascending, and the values as scraped."""

    labels: Mapping[str, str]
    times: tuple[float, ...]
    values: tuple[float, ...]

    def age(self, at: float) -> float:
        """Seconds since the last sample at or before `at`; infinite where there is none."""
        index = bisect_right(self.times, at)
        return at - self.times[index - 1] if index else math.inf

    def latest(self, at: float) -> float:
        """The last value at or before `at`; NaN where there is none."""
        index = bisect_right(self.times, at)
        return self.values[index - 1] if index else math.nan


def increases(series: Series, grid: Sequence[float], before: float | None) -> tuple[float, ...]:
    """How much the counter grew in (grid[i], grid[i+1]].

    A value below its predecessor is a reset: the process restarted and counts from 0. `before` is the value at grid[0]
    for a series without a sample until then, None where it did not exist: then it was born at 0.
    """
    grown = _unrolled(series, grid[0], before)
    at = [_value(series.times, grown, time) for time in grid]
    return tuple(later - earlier for earlier, later in pairwise(at))


def _unrolled(series: Series, start: float, before: float | None) -> list[float]:
    known = bool(series.times) and series.times[0] <= start
    previous = series.values[0] if known and series.values else (before or 0.0)
    total, result = 0.0, []
    for value in series.values:
        total += value - previous if value >= previous else value
        previous = value
        result.append(total)
    return result


def _value(times: Sequence[float], grown: Sequence[float], at: float) -> float:
    index = bisect_right(times, at)
    return grown[index - 1] if index else 0.0


def summed(found: Iterable[Sequence[float]], length: int) -> tuple[float, ...]:
    """The sum over series, element by element; zeros where there is no series."""
    total = [0.0] * length
    for row in found:
        total = [a + b for a, b in zip(total, row, strict=True)]
    return tuple(total)


def quantile_bound(counts: Mapping[float, float], quantile: float) -> float | None:
    """The smallest bucket bound at or above the quantile of a histogram, from cumulative `counts` by upper bound.

    None where the histogram is empty or only the infinite bucket holds it.
    """
    total = counts.get(math.inf, 0.0)
    if total <= 0:
        return None
    reached = [bound for bound, count in sorted(counts.items()) if count >= quantile * total and math.isfinite(bound)]
    return reached[0] if reached else None
