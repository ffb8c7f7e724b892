"""A run of a day or of a step -> does the service keep its promises through it. Pure: measures nothing.

A day: the SLO is kept over the whole and at the peak. A step: whoever is admitted is served as promised, the excess is
refused with 429 and nothing else, as much is served as fits, and all is well again soon after. Three answers, as of any
finding: what so few requests cannot show is not taken for shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Literal

from pydantic import Field
from scipy.special import bdtrc

from infra.errors import InvalidInput
from infra.load_profile import LoadProfile
from infra.rate_curve import Diurnal, RateStep
from loadtests.report.block import FEWEST, blocks, width
from loadtests.report.latency import Value
from loadtests.report.run_file import Run
from loadtests.report.series import Series, Slot
from loadtests.report.verdict import Verdict
from loadtests.search.criterion import Criterion
from loadtests.search.finding import Finding, Result, counter, find, strictness

PEAK = 1 / 6  # of the period around the top: there the cosine is above 93 % of its way up
SERVED = 0.9  # of what fits: refusing costs a gateway little, and a service that gives up under a crowd much more
BURST = 1.0  # s of its rate: what a gateway that keeps an average over seconds may let through at once
SLACK = 0.05  # of what the limit lets through: requests at the edges of the step, by the second
CHANCE = 0.001  # that a second is taken for a bad one which had bad luck only: one in a thousand
QUIET = 3.0  # s at the end without a bad one, or it has not recovered
AFTER = 10.0  # s that are sent after a step at least: less than that is hardly worth being called after it


class Check(Value):
    """One thing that the service must do, and whether it did."""

    what: str
    result: Result
    findings: tuple[Finding, ...] = ()
    says: str = ""


class Acceptance(Value):
    """What a run showed."""

    pattern: Literal["diurnal", "step"]
    result: Result
    checks: tuple[Check, ...]
    recovery_s: float | None = Field(
        default=None, description="Seconds from the end of the step until all was well again."
    )


def lasting(profile: LoadProfile) -> float:
    """Seconds that show all of it: one day, or a step and about as long after it as before. Raises InvalidInput."""
    if profile.diurnal:
        return profile.diurnal.period
    if profile.step:
        return profile.step.at + profile.step.lasting + max(profile.step.at, AFTER)
    raise InvalidInput(
        f"the load profile {profile.name} has no peak to be accepted at: it is neither diurnal nor a step",
        not_done="no load was started",
        next="ops load profiles shows the others, for --profile; ops load gate for a rate that stands still",
    )


def accepted(run: Run, profile: LoadProfile, criteria: Sequence[Criterion], limit: float) -> Acceptance:
    """What the run of a profile says; `limit` are the requests a second that the service accepts."""
    if profile.diurnal:
        checks, recovery = _day(run, profile.diurnal, criteria), None
    else:
        assert profile.step is not None, "lasting() was asked first"
        checks, recovery = _step(run, profile.step, criteria, limit)
    results = {Result.UNKNOWN} if run.report.client.verdict is Verdict.INVALID else {one.result for one in checks}
    return Acceptance(
        pattern="diurnal" if profile.diurnal else "step", result=_all(results), checks=checks, recovery_s=recovery
    )


def _day(run: Run, day: Diurnal, criteria: Sequence[Criterion]) -> tuple[Check, ...]:
    series, end, alpha = run.book.series, run.report.elapsed, strictness(2 * len(criteria))
    top, half = day.period / 2, day.period * PEAK / 2
    whole, peak = _within(series, 0.0, end), _within(series, top - half, top + half)
    return _kept("over the whole day", whole, criteria, alpha), _kept("at the peak", peak, criteria, alpha)


def _step(
    run: Run, step: RateStep, criteria: Sequence[Criterion], limit: float
) -> tuple[tuple[Check, ...], float | None]:
    """Until it has recovered, only who was admitted is promised anything; before and after it, everybody."""
    series, end, alpha = run.book.series, step.at + step.lasting, strictness(2 * len(criteria) + 1)
    bad = _last_bad(_within(series, end, run.report.elapsed), criteria)
    well = (math.ceil(end / series.width) + bad) * series.width
    back = run.report.elapsed - well >= QUIET
    outside = [*_within(series, 0.0, step.at), *_within(series, well, run.report.elapsed)]
    during = _within(series, step.at, end)
    recovery = max(0.0, well - end) if bad else 0.0
    checks = (
        _kept("before the step and after it", outside, criteria, alpha),
        _kept("who was admitted", [_admitted(slot) for slot in _within(series, step.at, well)], criteria, alpha),
        _refused(during, series.width, limit),
        _served(during, series.width, limit, alpha),
        _recovered(recovery, back, run.report.elapsed - end),
    )
    return checks, recovery if back else None


def _kept(what: str, slots: Sequence[Slot], criteria: Sequence[Criterion], alpha: float) -> Check:
    findings = tuple(find(slots, one, alpha) for one in criteria)
    return Check(what=what, result=_all({one.result for one in findings}), findings=findings)


def _refused(slots: Sequence[Slot], width: int, limit: float) -> Check:
    """That the excess was refused: no more got in than the limit lets through. What failed otherwise was admitted."""
    sent, limited = sum(slot.sent for slot in slots), sum(slot.limited for slot in slots)
    most = limit * (len(slots) * width + BURST)
    few = Result.MEETS if sent - limited <= (1 + SLACK) * most else Result.VIOLATES
    result = few if slots else Result.UNKNOWN
    says = f"{limited:,} of {sent:,} were refused with 429; {sent - limited:,} got in, the limit is {most:,.0f}"
    return Check(what="the excess is refused", result=result, says=says)


def _served(slots: Sequence[Slot], seconds: int, limit: float, alpha: float) -> Check:
    """Good requests a second, by blocks; what a burst brings above the limit pays for no hole."""
    offered = sum(slot.sent for slot in slots) / (len(slots) * seconds) if slots else 0.0
    most = min(limit, offered)
    rates = [min(most, sum(s.good for s in block) / (len(block) * seconds)) for block in blocks(slots)]
    what = f"goodput in the step is {SERVED:.0%} of {most:.4g}/s"
    if len(rates) < FEWEST:
        return Check(what=what, result=Result.UNKNOWN, says=f"{len(slots) * seconds} s are too short to tell")
    mean, half = fmean(rates), width(len(rates), alpha) * stdev(rates) / math.sqrt(len(rates))
    says = f"{mean:.1f}/s ({mean - half:.1f} to {mean + half:.1f})"
    return Check(what=what, result=_side(mean - half, mean + half, SERVED * most), says=says)


def _recovered(recovery: float, back: bool, waited: float) -> Check:
    says = f"{recovery:g} s after it" if back else f"not within the {waited:.0f} s after it"
    return Check(what="recovered", result=Result.MEETS if back else Result.VIOLATES, says=says)


def _last_bad(slots: Sequence[Slot], criteria: Sequence[Criterion]) -> int:
    """How many slots there are up to the last bad one: with a 429, or worse than the SLO by more than chance."""
    return max((n for n, slot in enumerate(slots, start=1) if slot.limited or _worse(slot, criteria)), default=0)


def _worse(slot: Slot, criteria: Sequence[Criterion]) -> bool:
    for one in criteria:
        good, events = counter(one)(slot)
        if events > good and bdtrc(events - good - 1, events, 1 - one.share) < CHANCE:
            return True
    return False


def _admitted(slot: Slot) -> Slot:
    return replace(slot, sent=slot.sent - slot.limited)


def _within(series: Series, start: float, end: float) -> list[Slot]:
    """The slots that lie between two moments with all of their time."""
    return series.slots[math.ceil(start / series.width) : max(0, math.floor(end / series.width))]


def _side(low: float, high: float, target: float) -> Result:
    if low >= target:
        return Result.MEETS
    return Result.VIOLATES if high < target else Result.UNKNOWN


def _all(results: set[Result]) -> Result:
    """Violates if anything does; meets if everything does."""
    if Result.VIOLATES in results:
        return Result.VIOLATES
    return Result.MEETS if results == {Result.MEETS} else Result.UNKNOWN
