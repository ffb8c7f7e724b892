"""A run at one rate -> whether the service keeps its SLO at that rate, and whether it was harmed. Pure.

A queue that grows has not yet broken its promise, and will: a run whose open requests become more meets nothing. Damage
violates every SLO. A run whose client was INVALID tells nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from pydantic import Field
from scipy.special import ndtri

from loadtests.report import interval
from loadtests.report.latency import Value
from loadtests.report.load_report import LoadReport
from loadtests.report.run_file import Run
from loadtests.report.series import Series, Slot
from loadtests.report.verdict import Verdict
from loadtests.search.criterion import Criterion
from loadtests.search.finding import Finding, Result, find
from loadtests.wire.outcome import OK, http

HARM = 0.05  # of failures other than 429: five times what an SLO of 99 % allows; whatever the SLO, that is no capacity
FAR = 5.0  # times the threshold: work that waits five times as long as promised is a backlog, and must first go away
GROWTH = 0.05  # of the arrivals: half a bracket of 10 %; a service that falls back by less is as good as found
NOISE = 3.0  # standard deviations of two counts of open requests, were they Poisson
QUARTERS = 4


class Probe(Value):
    """One probe and what it showed."""

    rate: float = Field(description="Requests a second that were asked for.")
    seconds: float
    seed: int = 0
    result: Result
    leans_good: bool = Field(description="Whether the SLO was kept as far as can be seen, sure or not.")
    findings: tuple[Finding, ...] = ()
    growing: bool = Field(default=False, description="Open requests became more and more: no steady state.")
    damage: tuple[str, ...] = Field(default=(), description="Why the service must rest before it is asked again.")
    client: Verdict = Verdict.VALID
    reasons: tuple[str, ...] = Field(default=(), description="Why the client is not VALID.")
    rate_sent: float = 0.0
    outcomes: dict[str, int] = Field(default={})
    rest: float = Field(default=0.0, description="Seconds of rest before it.")
    recovery: bool = Field(default=False, description="Asks whether the service has recovered from the last probe.")

    @property
    def invalid(self) -> bool:
        """Whether the client was the limit."""
        return self.client is Verdict.INVALID

    @property
    def worst(self) -> Finding | None:
        """The finding with the largest part of its error budget gone; None where nothing was looked for."""
        return max(self.findings, key=lambda one: one.spent, default=None)

    @property
    def failed_recovery(self) -> bool:
        """Whether it found a service that is not well yet."""
        return self.recovery and (self.result is Result.VIOLATES or bool(self.damage))


def judged(
    run: Run, criteria: tuple[Criterion, ...], alpha: float, rate: float, *, rest: float = 0.0, recovery: bool = False
) -> Probe:
    """What a run says of a service at `rate`; the interval of each criterion misses `alpha` times."""
    report, slots = run.report, run.slots
    findings = tuple(find(slots, one, alpha) for one in criteria)
    growing = grows(run.book.series, run.report.elapsed)
    damage = (*_harm(report, alpha), *_far(slots, criteria, alpha))
    result = Result.VIOLATES if damage else verdict(findings, growing)
    return Probe(
        rate=rate,
        seconds=report.elapsed,
        seed=report.seed,
        result=Result.UNKNOWN if report.client.verdict is Verdict.INVALID else result,
        leans_good=all(one.leans_good for one in findings) and not growing and not damage,
        findings=findings,
        growing=growing,
        damage=damage,
        client=report.client.verdict,
        reasons=report.client.reasons,
        rate_sent=report.arrivals.rate_sent,
        outcomes=report.outcomes,
        rest=rest,
        recovery=recovery,
    )


def verdict(findings: tuple[Finding, ...], growing: bool) -> Result:
    """Violates if any criterion is surely broken; meets if all are surely kept and no queue grows."""
    results = {one.result for one in findings}
    if Result.VIOLATES in results:
        return Result.VIOLATES
    return Result.MEETS if results == {Result.MEETS} and not growing else Result.UNKNOWN


def grows(series: Series, elapsed: float) -> bool:
    """Whether open requests were more in the last quarter of sending than in the one before, by more than chance."""
    slots = series.slots[: int(elapsed / series.width)]
    size = len(slots) // QUARTERS
    if not size:
        return False
    opened = list(accumulate(slot.sent - slot.done for slot in slots))
    before, after = (sum(part) / size for part in (opened[-2 * size : -size], opened[-size:]))
    sent = sum(slot.sent for slot in slots[-size:])
    return after - before > max(GROWTH * sent, NOISE * math.sqrt(before + after))


def _harm(report: LoadReport, alpha: float) -> tuple[str, ...]:
    """Failures other than 429, by which a service says itself that it has enough; requests that never ended count."""
    sent = report.arrivals.sent
    bad = report.arrivals.unfinished
    bad += sum(count for outcome, count in report.outcomes.items() if outcome not in (OK, http(429)))
    span = interval.wilson(bad, sent, float(-ndtri(alpha / 2)))
    surely = span is not None and span.low > HARM
    return (f"{bad / sent:.0%} of the requests failed, other than by 429",) if surely else ()


def _far(slots: Sequence[Slot], criteria: Iterable[Criterion], alpha: float) -> tuple[str, ...]:
    """Criteria that answers would surely not keep at several times their threshold; what was refused is no backlog."""
    timed = [(one, one.threshold) for one in criteria if one.threshold is not None]
    far = [(one, replace(one, threshold=FAR * threshold)) for one, threshold in timed]
    missed = [one for one, farther in far if find(slots, farther, alpha, answered=True).result is Result.VIOLATES]
    return tuple(f"{one.label} is missed by more than {FAR:g} times" for one in missed)
