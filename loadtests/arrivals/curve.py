"""How many requests are due by when: rate curves, and their inverse. Pure: arithmetic only."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from math import cos, inf, pi, sin
from typing import Protocol

from infra.load_profile import LoadProfile
from infra.rate_curve import Diurnal, RateStep

CLOSE = 1e-10  # s, how near Newton's steps come: a tenth of the nanosecond that times are rounded to
MOST_STEPS = 60  # bisection alone halves a day to less than a nanosecond in 47


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds with one rate and one variation of gaps (CV)."""

    lasting: float
    rate: float
    cv: float


class Curve(Protocol):
    """The rate of requests over time, turned around."""

    def when(self, count: float) -> float:
        """The time at which `count` requests are due on average. Never falls as `count` grows."""

    def cv(self, count: float) -> float:
        """The variation of the gap that follows when so many are due."""


class Rows:
    """Stretches of time one after the other, then again from the first."""

    def __init__(self, stretches: tuple[Stretch, ...]) -> None:
        self._stretches = stretches
        self._starts = [0.0, *accumulate(one.lasting for one in stretches)]
        self._counts = [0.0, *accumulate(one.lasting * one.rate for one in stretches)]

    def when(self, count: float) -> float:
        """The time at which `count` requests are due on average."""
        lap, rest, place = self._find(count)
        begin = lap * self._starts[-1] if lap else 0.0
        return begin + self._starts[place] + (rest - self._counts[place]) / self._stretches[place].rate

    def cv(self, count: float) -> float:
        """The variation in the stretch where so many are due."""
        return self._stretches[self._find(count)[2]].cv

    def _find(self, count: float) -> tuple[float, float, int]:
        """Rounds that are over, requests of this one, and its stretch: after a pause, not before it."""
        lap, rest = divmod(count, self._counts[-1])
        return lap, rest, bisect_right(self._counts, rest) - 1


class Day:
    """A cosine from the trough up to the peak and down again, over and over."""

    def __init__(self, day: Diurnal, cv: float) -> None:
        self._mean, self._swing, self._period, self._cv = day.mean, (day.peak - day.trough) / 2, day.period, cv

    def when(self, count: float) -> float:
        """The time at which `count` requests are due on average."""
        lap, rest = divmod(count, self._mean * self._period)
        return lap * self._period + self._within(rest)

    def cv(self, count: float) -> float:
        """The same at all times."""
        return self._cv

    def _within(self, count: float) -> float:
        """Newton's method, kept inside a bracket that halves where it would leave it."""
        low, high, turn = 0.0, self._period, 2 * pi / self._period
        at = count / self._mean
        for _ in range(MOST_STEPS):
            over = self._mean * at - self._swing / turn * sin(turn * at) - count
            low, high = (low, at) if over > 0 else (at, high)
            following = at - over / (self._mean - self._swing * cos(turn * at))
            following = following if low <= following <= high else (low + high) / 2
            if abs(following - at) < CLOSE:
                return following
            at = following
        return at


def curve_of(profile: LoadProfile, rates: tuple[Stretch, ...] = ()) -> Curve:
    """The curve of a profile that is neither recorded requests nor a closed loop; `rates` are those of its trace."""
    cv = {"constant": 0.0, "gamma": profile.cv or 1.0}.get(profile.arrivals or "poisson", 1.0)
    if profile.diurnal:
        return Day(profile.diurnal, cv)
    if profile.step:
        return Rows(_around(profile.step, cv))
    if profile.curve:
        return Rows(tuple(Stretch(row.lasting, row.rate, row.cv) for row in profile.curve))
    assert profile.rate is not None
    if rates:
        return Rows(_scaled(rates, profile.rate, profile.speed or 1.0))
    return Rows((Stretch(inf, profile.rate, cv),))


def _around(step: RateStep, cv: float) -> tuple[Stretch, ...]:
    before, after = Stretch(step.at, step.base, cv), Stretch(inf, step.base, cv)
    return before, Stretch(step.lasting, step.base * step.factor, cv), after


def _scaled(rates: tuple[Stretch, ...], mean: float, speed: float) -> tuple[Stretch, ...]:
    """Windows that pass `speed` times as fast, and have `mean` requests a second on average."""
    factor = mean * sum(one.lasting for one in rates) / sum(one.lasting * one.rate for one in rates)
    return tuple(Stretch(one.lasting / speed, one.rate * factor, one.cv) for one in rates)
