"""Which probe to send next, or why to stop: the search for the highest rate that keeps an SLO. Pure.

A stochastic root search with three-valued answers. Rates grow by doubling until one surely violates the SLO, then the
bracket is halved in log rate (bisection; doubling first is Bentley and Yao's unbounded search, 1976). A probe that
cannot be told is no bound. It only leans to one side: leanings steer the bisection (as the stochastic bisection of
Waeber, Frazier and Henderson, 2013, is steered by noisy signs), and where they have narrowed it enough, the two rates
at the ends are sent again for longer, until they are shown. Near the capacity no run is long enough: where a rate could
not be told in the longest, the search steps away from it, just so far that the bracket would be narrow enough.

Where one curve through all probes tells the capacity closely enough (loadtests/search/crossing.py), the search is done
as well: near the capacity that needs much less than to show both ends alone.

Every probe is judged so strictly that all of them together are right with 95 % (Bonferroni over the probes that the
plan allows and over criteria), so the bracket of a search is a 95 % confidence interval of the capacity.

A probe that did damage is followed by a rest and a probe at half the rate that was kept; only when the service is well
again the search goes on, below what did the damage. A client that was the limit stops it at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from loadtests.search.crossing import Crossing, crossing
from loadtests.search.plan import Plan
from loadtests.search.probe import Probe
from loadtests.search.standing import Standing, stand

DOUBLE = 2.0  # growth, and the way down while nothing leans good
LONGER = 3.0  # times as long, where a rate could not be told: its interval becomes 1.7 times as narrow
REST = 5.0  # s before the first recovery probe, twice as long before each more; open requests were cut off before that
TRIES = 3  # recovery probes in a row: 35 s of rest; what is not well after that needs a person
LEAST = 1 / 64  # of the first rate: six steps down
STEP = 1.03  # steps away from rates that cannot be told become no smaller: intervals of neighbours are the same
INSIDE = 1.001  # so that rounding does not leave a bracket just above what was wanted
DIGITS = 4  # of a rate, significant ones
ALMOST = 0.95  # a run takes as long as it was asked to, give or take its last gap


class Rule(StrEnum):
    """Why a search stopped."""

    BRACKET = "bracket"
    INTERVAL = "interval"
    CEILING = "ceiling"
    CLIENT = "client"
    BUDGET = "budget"
    DAMAGE = "damage"
    NONE = "none"
    UNKNOWN = "cannot tell"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Send:
    """Rest, then probe."""

    rate: float
    seconds: float
    rest: float = 0.0
    recovery: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """The search is over."""

    rule: Rule
    why: str


Decision = Send | Stop


def decide(plan: Plan, probes: Sequence[Probe]) -> Decision:
    """The next probe, or the end. The history of probes is all of the state."""
    if not probes:
        return Send(min(plan.start, plan.up_to), plan.seconds)
    last, standing = probes[-1], stand(probes)
    if last.invalid:
        return Stop(Rule.CLIENT, f"the client is the limit, not the service: {'; '.join(last.reasons)}")
    if end := _end(plan, standing):
        return _afforded(plan, probes, end)
    curve = _curve(plan, probes)
    if curve and curve.high / curve.low <= plan.bracket:
        return Stop(Rule.INTERVAL, f"all probes together tell it within {plan.bracket - 1:.0%}")
    return _afforded(plan, probes, _next(plan, standing, probes, curve))


def _end(plan: Plan, standing: Standing) -> Decision | None:
    """The answer, once its lower end was kept for the longest time too."""
    if not standing.low or (standing.high / standing.low > plan.bracket and standing.low < plan.up_to):
        return None
    if standing.lasted < plan.longest * ALMOST:
        return Send(standing.low, plan.longest)
    if standing.low >= plan.up_to:
        return Stop(Rule.CEILING, f"the SLO is met at {plan.up_to:g}/s, and no more was allowed")
    return Stop(Rule.BRACKET, f"the bracket is within {plan.bracket - 1:.0%}")


def _curve(plan: Plan, probes: Sequence[Probe]) -> Crossing | None:
    """What all probes tell together, one of the longest time among them: in short ones queues have luck."""
    long = any(one.seconds >= plan.longest * ALMOST for one in probes)
    return crossing(probes) if long else None


def _next(plan: Plan, standing: Standing, probes: Sequence[Probe], curve: Crossing | None) -> Decision:
    if probes[-1].damage or probes[-1].failed_recovery:
        return _recover(plan, standing, probes)
    if math.isinf(standing.high):
        return _grow(plan, standing, probes)
    if not standing.leaning_low:
        return _shrink(plan, standing)
    if standing.leaning_high / standing.leaning_low > plan.bracket:
        return _send(plan, math.sqrt(standing.leaning_low * standing.leaning_high))
    return _harden(plan, standing, probes[-1], curve)


def _recover(plan: Plan, standing: Standing, probes: Sequence[Probe]) -> Decision:
    """Half the rate that seemed to be kept, after a rest; half of that, after a rest twice as long."""
    tries = next((n for n, one in enumerate(reversed(probes)) if not one.recovery), len(probes))
    if tries == TRIES:
        return Stop(Rule.DAMAGE, f"the service did not recover in {TRIES} tries")
    kept = standing.leaning_low or min(one.rate for one in probes if not one.recovery) / DOUBLE
    safe = kept / DOUBLE ** (1 + tries)
    return Send(_rounded(safe), plan.seconds, rest=REST * DOUBLE**tries, recovery=True)


def _grow(plan: Plan, standing: Standing, probes: Sequence[Probe]) -> Decision:
    """Twice as much. A rate that leans bad is sent for longer first; one that leans good is believed until the end."""
    top = max(one.rate for one in probes)
    doubtful = top in standing.unknown and (standing.leaning_high == top or top >= plan.up_to)
    if doubtful and not _spent(plan, standing, top):
        return _longer(plan, standing, top)
    if top < plan.up_to:
        return _send(plan, DOUBLE * top)
    return Stop(Rule.UNKNOWN, _nothing(plan, top, top))


def _shrink(plan: Plan, standing: Standing) -> Decision:
    """Half as much, while nothing leans good."""
    rate = standing.leaning_high / DOUBLE
    if rate < plan.start * LEAST:
        return Stop(Rule.NONE, f"no rate down to {standing.leaning_high:g}/s met the SLO")
    return _send(plan, rate)


def _harden(plan: Plan, standing: Standing, last: Probe, curve: Crossing | None) -> Decision:
    """The ends of a bracket that is narrow enough by leanings: for longer, then what the curve needs.

    Without a curve, away from what cannot be told.
    """
    for rate in (standing.leaning_low, standing.leaning_high):
        if rate in standing.unknown and not _spent(plan, standing, rate):
            return _longer(plan, standing, rate)
    if curve:
        return Send(_rounded(_other_side(plan, curve, last.rate)), plan.longest)
    untold = [rate for rate in standing.unknown if _spent(plan, standing, rate)]
    below, above = min(untold), max(untold)
    down, up = below / standing.low if standing.low else math.inf, standing.high / above
    if max(down, up) <= STEP:
        return Stop(Rule.UNKNOWN, _nothing(plan, below, above))
    rate = _rounded(_below(plan, standing, below) if down >= up else _above(plan, standing, above))
    return _longer(plan, standing, rate) if rate in standing.unknown else Send(rate, _needed(plan, rate))


def _other_side(plan: Plan, curve: Crossing, last: float) -> float:
    """The end of the curve's interval that was not sent last, for a slope needs two; not far off, where it bends."""
    if last > curve.rate:
        return max(curve.low, curve.rate / plan.bracket)
    return min(curve.high, curve.rate * plan.bracket, plan.up_to)


def _below(plan: Plan, standing: Standing, untold: float) -> float:
    """Just so far down that the bracket is narrow enough, if that is above what is known; else half way, or a bit."""
    enough = standing.high / plan.bracket * INSIDE
    if standing.low < enough < untold / STEP:
        return enough
    return max(math.sqrt(standing.low * untold), untold / plan.bracket)


def _above(plan: Plan, standing: Standing, untold: float) -> float:
    enough = standing.low * plan.bracket / INSIDE
    if untold * STEP < enough < standing.high:
        return enough
    return min(math.sqrt(untold * standing.high), untold * plan.bracket)


def _spent(plan: Plan, standing: Standing, rate: float) -> bool:
    """Whether a rate was tried for the longest time."""
    return standing.unknown[rate] >= plan.longest * ALMOST


def _longer(plan: Plan, standing: Standing, rate: float) -> Send:
    seconds = max(LONGER * standing.unknown[rate], _needed(plan, rate))
    return Send(rate, seconds if LONGER * seconds <= plan.longest else plan.longest)


def _needed(plan: Plan, rate: float) -> float:
    """Seconds in which a perfect run shows something, and a fifth more for one that is not."""
    return min(plan.longest, max(plan.seconds, 1.2 * plan.samples / rate))


def _nothing(plan: Plan, below: float, above: float) -> str:
    where = f"{below:g}/s" if below == above else f"rates from {below:g}/s to {above:g}/s"
    few = plan.samples > plan.longest * below
    return f"{plan.longest:g} s at {where} tell nothing" + (f"; it takes {plan.samples:.0f} requests" if few else "")


def _send(plan: Plan, rate: float) -> Send:
    return Send(min(_rounded(rate), plan.up_to), plan.seconds)


def _afforded(plan: Plan, probes: Sequence[Probe], wanted: Decision) -> Decision:
    if isinstance(wanted, Stop):
        return wanted
    if len(probes) >= plan.probes:
        return Stop(Rule.BUDGET, f"{plan.probes} probes are all that was allowed")
    spent = sum(one.seconds + one.rest for one in probes)
    if spent + wanted.rest + wanted.seconds > plan.budget * (2 - ALMOST):
        what = f"{wanted.seconds:g} s at {wanted.rate:g}/s"
        return Stop(Rule.BUDGET, f"{plan.budget:g} s are all that was allowed, and the next step is {what}")
    return wanted


def _rounded(rate: float) -> float:
    """A rate that a person can type."""
    return float(f"{rate:.{DIGITS}g}")
