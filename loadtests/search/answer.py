"""What a search found, in one region and in several together. Pure: reckons with rates that were shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from pydantic import Field

from loadtests.report.latency import Value
from loadtests.search.crossing import crossing
from loadtests.search.decision import Rule, Stop
from loadtests.search.finding import CONFIDENCE
from loadtests.search.probe import Probe
from loadtests.search.standing import stand


class Answer(Value):
    """The capacity of a service in a region under an SLO: it lies from `low` to `high`, and in `interval`."""

    service: str
    region: str
    profile: str
    slo: tuple[str, ...]
    rule: Rule = Field(description="What stopped the search.")
    why: str
    low: float | None = Field(description="The highest rate that was shown to meet the SLO.")
    lasted: float = Field(description="For how many seconds it was met at `low`: in short runs a queue may have luck.")
    high: float | None = Field(description="The lowest rate that was shown to violate it.")
    bracket: float | None = Field(description="By which share `high` is above `low`.")
    estimate: float | None = Field(description="Where a curve through all probes, else their leanings put it.")
    interval: tuple[float, float] | None = Field(None, description="Where the capacity lies, by that curve.")
    confidence: float = CONFIDENCE
    seconds: float = Field(description="For how long was sent.")
    probes: tuple[Probe, ...]

    @property
    def found(self) -> bool:
        """Whether the search came to its end: a narrow bracket, or all that was allowed."""
        return self.rule in (Rule.BRACKET, Rule.INTERVAL, Rule.CEILING)

    @property
    def kept(self) -> float | None:
        """The rate that may be counted on."""
        return self.interval[0] if self.interval and self.rule is Rule.INTERVAL else self.low


class Loss(Value):
    """A region that is lost, and the regions that its users then go to."""

    lost: str
    heirs: tuple[str, ...]
    survivable: float = Field(description="The load on all regions at which the heirs can hold what the lost one had.")


class FleetAnswer(Value):
    """What regions carry together, of what was shown in each; None where it was not shown in all."""

    regions: dict[str, float | None]
    total: float | None = Field(description="All regions up that have users.")
    standing_by: tuple[str, ...] = Field((), description="Regions that have users only once another is lost.")
    losses: tuple[Loss, ...] = ()
    n_minus_1: float | None = Field(description="The load that any one region may be lost at.")
    worst: str | None = Field(description="The region whose loss sets it.")


def answer(
    probes: Sequence[Probe], stop: Stop, *, service: str, region: str, profile: str, slo: Sequence[str]
) -> Answer:
    """What the probes of one region come to."""
    standing = stand(probes)
    low, high = standing.low or None, standing.high if math.isfinite(standing.high) else None
    near = standing.leaning_low, standing.leaning_high
    leaning = math.sqrt(near[0] * near[1]) if near[0] and math.isfinite(near[1]) else None
    curve = crossing(probes)
    estimate = curve.rate if curve else leaning
    return Answer(
        service=service,
        region=region,
        profile=profile,
        slo=tuple(slo),
        rule=stop.rule,
        why=stop.why,
        low=low,
        lasted=round(standing.lasted, 3),
        high=high,
        bracket=round(high / low - 1, 4) if low and high else None,
        estimate=None if estimate is None else round(estimate, 3),
        interval=(round(curve.low, 3), round(curve.high, 3)) if curve else None,
        seconds=round(sum(one.seconds for one in probes), 3),
        probes=tuple(probes),
    )


def together(
    answers: Sequence[Answer], heirs: Mapping[str, Sequence[str]], standing_by: Collection[str] = ()
) -> FleetAnswer:
    """The sum, and what is left of it when any one region is lost; `heirs` says where its users go.

    Load is on all regions in proportion to what they carry, but for those that are `standing_by`: they have none, and
    are in no sum. With a region of capacity c lost, its part goes to heirs of capacity H. If these have users of their
    own they hold it as long as every region is at most H / (c + H) full; if they stood by, at most H / c. Where all
    others are heirs with users, that is their sum; where there is none, nothing.
    """
    lows = {one.region: one.kept for one in answers}
    shown = {region: low for region, low in lows.items() if low is not None}
    if len(shown) < len(lows) or not shown:
        return FleetAnswer(regions=lows, total=None, n_minus_1=None, worst=None)
    users = {region: low for region, low in shown.items() if region not in standing_by}
    losses = tuple(_loss(region, shown, users, heirs.get(region, ())) for region in users)
    worst = min(losses, key=lambda one: one.survivable)
    return FleetAnswer(
        regions=lows,
        total=round(sum(users.values()), 3),
        standing_by=tuple(region for region in shown if region not in users),
        losses=losses,
        n_minus_1=worst.survivable,
        worst=worst.lost,
    )


def _loss(lost: str, shown: Mapping[str, float], users: Mapping[str, float], heirs: Sequence[str]) -> Loss:
    busy, free = (sum(shown[name] for name in heirs if (name in users) is has) for has in (True, False))
    full = min(1.0, (busy + free) / (shown[lost] + busy))
    return Loss(lost=lost, heirs=tuple(heirs), survivable=round(sum(users.values()) * full, 3))
