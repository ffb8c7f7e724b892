"""What the probes of a search have shown together, and what they only lean to. Pure.

Results do not count by majority: a run says more than one that was much shorter. Near saturation a queue has luck for
a while, and a short run that met the SLO is overruled by a longer one, of that rate or a lower one, that did not. So
what is left never contradicts itself: `low` is below `high`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.search.finding import Result
from loadtests.search.probe import Probe

MUCH = 1.5  # times as long


@dataclass(frozen=True, slots=True)
class Standing:
    """Rates; 0 and infinity where nothing is known. `low` was shown to meet for `lasted` s, `high` to violate.

    Between them are rates that could not be told, each with the seconds of its longest run; with what these lean to,
    the bracket is from `leaning_low` to `leaning_high`.
    """

    low: float
    lasted: float
    high: float
    leaning_low: float
    leaning_high: float
    unknown: dict[float, float]


def believed(probes: Sequence[Probe]) -> list[Probe]:
    """Those that say something of their rate. Of one whose recovery failed the service was not well."""
    return [one for one in probes if not one.invalid and not one.failed_recovery]


def stand(probes: Sequence[Probe]) -> Standing:
    """What is known."""
    told = believed(probes)
    meets = [one for one in told if one.result is Result.MEETS and not any(_voids_met(one, other) for other in told)]
    voided = [one for one in told if one.result is Result.VIOLATES and any(_voids(one, other) for other in told)]
    told = [one for one in told if one not in voided]
    broken = [one for one in told if one.result is Result.VIOLATES]
    low, high = max((one.rate for one in meets), default=0.0), min((one.rate for one in broken), default=math.inf)
    longest = {one.rate: one for one in sorted(told, key=lambda one: one.seconds) if low < one.rate < high}
    leaning_high = min((rate for rate, one in longest.items() if not one.leans_good), default=high)
    return Standing(
        low=low,
        lasted=max((one.seconds for one in meets if one.rate == low), default=0.0),
        high=high,
        leaning_low=max((rate for rate in longest if rate < leaning_high), default=low),
        leaning_high=leaning_high,
        unknown={rate: one.seconds for rate, one in longest.items()},
    )


def _voids_met(met: Probe, other: Probe) -> bool:
    """Whether `other` shows that luck was why the SLO was met."""
    if other.rate > met.rate or other is met:
        return False
    if other.result is Result.VIOLATES:
        return not _outlasts(met, other)
    doubted = other.rate == met.rate or not other.leans_good
    return other.result is Result.UNKNOWN and doubted and _outlasts(other, met)


def _voids(broken: Probe, other: Probe) -> bool:
    """Whether `other` shows that bad luck was why the SLO was violated."""
    if other.rate < broken.rate or other.result is Result.VIOLATES or not _outlasts(other, broken):
        return False
    return other.result is Result.MEETS or other.leans_good or other.rate == broken.rate


def _outlasts(one: Probe, other: Probe) -> bool:
    return one.seconds > MUCH * other.seconds
