"""Two runs -> what got better or worse, by evidence and not by percentage. Pure.

A difference is told where its interval leaves zero; "no difference" is a claim too, and made only where the interval
lies inside what nobody would mind. Everything between is unknown, and wants longer runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

from pydantic import Field

from loadtests.report import interval
from loadtests.report.bootstrap import Effect, ratio
from loadtests.report.interval import quantile_of
from loadtests.report.latency import Value, rounded
from loadtests.report.load_report import LoadReport
from loadtests.report.run_file import Run
from loadtests.report.series import Slot
from loadtests.report.verdict import Verdict

Found = Literal["better", "worse", "no difference", "unknown"]

CONFIDENCE = 0.95  # of all verdicts of a comparison together (Bonferroni)
SAME = 0.05  # a latency within 5 % is the same: runs of one release on one machine differ by so much
SAME_SHARE = 0.01  # a share within one percentage point
FEWEST = 10  # slots with something in them: a bootstrap of fewer is narrower than the truth
TAIL = 10  # values beyond a quantile: fewer, and it is the luck of single requests

QUANTILES = (
    *(("ttft", "p50", 0.5), ("ttft", "p99", 0.99), ("itl", "p50", 0.5), ("itl", "p99", 0.99)),
    *(("tpot", "p50", 0.5), ("e2e", "p50", 0.5), ("e2e", "p99", 0.99)),
)
ALPHA = (1 - CONFIDENCE) / (len(QUANTILES) + 2)


class Difference(Value):
    """One figure of both runs, and what the evidence says of B."""

    name: str
    a: float | None
    b: float | None
    effect: float | None = Field(description="B / A of a latency, B - A of a share.")
    low: float | None = Field(description="The interval of the effect.")
    high: float | None
    verdict: Found
    why: str = ""


class Comparison(Value):
    """Run B against run A."""

    verdict: Found = Field(description="worse if anything is; better or no difference only if nothing is unknown.")
    differences: tuple[Difference, ...]
    confidence: float = Field(description="That none of the differences told is chance.")
    notes: tuple[str, ...] = Field(description="What else was not the same.")


def compare(a: Run, b: Run) -> Comparison:
    """What run B is against run A. A run whose client was INVALID tells nothing."""
    lost = [name for name, run in (("A", a), ("B", b)) if run.report.client.verdict is Verdict.INVALID]
    if lost:
        why = f"the client of {' and '.join(lost)} was INVALID"
        found = tuple(_unknown(f"{name} {point}", None, None, why) for name, point, _ in QUANTILES)
    else:
        found = tuple(_latency(a.slots, b.slots, *one) for one in QUANTILES)
        found += (_share("goodput", a, b, lambda slot: slot.good, 1), _share("not ok", a, b, _bad, -1))
    return Comparison(verdict=_whole(found), differences=found, confidence=CONFIDENCE, notes=notes(a.report, b.report))


def notes(a: LoadReport, b: LoadReport) -> tuple[str, ...]:
    """What was not the same in both runs: a difference may come from it."""
    names = ("fleet", "region", "service", "model", "url", "profile", "pattern", "seed", "interrupted")
    found = [
        f"{name}: {getattr(a, name)} and {getattr(b, name)}" for name in names if getattr(a, name) != getattr(b, name)
    ]
    if a.goodput.slo != b.goodput.slo:
        found.append(f"slo: {a.goodput.slo} and {b.goodput.slo}")
    found += [f"{name}: its client was DEGRADED" for name, one in (("A", a), ("B", b)) if _degraded(one)]
    return tuple(found)


def _latency(a: list[Slot], b: list[Slot], name: str, point: str, q: float) -> Difference:
    first, second = (_filled(slots, name) for slots in (a, b))
    values = [quantile_of(sum(slots, Counter[int]()), q) for slots in (first, second)]
    label, least = f"{name} {point}", TAIL / (1 - q)
    few = min(len(first), len(second)) < FEWEST
    if few or min(sum(slot.total() for slot in slots) for slots in (first, second)) < least:
        why = f"too short: it needs {FEWEST} slots of time and {least:.0f} values in each"
        return _unknown(label, values[0], values[1], why)
    return _told(label, values, ratio(first, second, q, ALPHA), 1.0, SAME, better=-1)


def _share(name: str, a: Run, b: Run, of: Callable[[Slot], int], better: int) -> Difference:
    counts = [[(of(slot), slot.sent) for slot in run.slots if slot.sent] for run in (a, b)]
    values = [sum(one for one, _ in slots) / sum(n for _, n in slots) if slots else None for slots in counts]
    if min(map(len, counts)) < FEWEST:
        return _unknown(name, values[0], values[1], f"too short: it needs {FEWEST} slots of time in each")
    found = interval.difference(counts[0], counts[1], ALPHA)
    effect = Effect((values[1] or 0.0) - (values[0] or 0.0), found.low, found.high)
    return _told(name, values, effect, 0.0, SAME_SHARE, better=better)


def _told(name: str, of: list[float | None], effect: Effect, none: float, same: float, better: int) -> Difference:
    verdict: Found = "unknown"
    if none - same <= effect.low and effect.high <= none + same:
        verdict = "no difference"
    elif effect.low > none:
        verdict = "better" if better > 0 else "worse"
    elif effect.high < none:
        verdict = "worse" if better > 0 else "better"
    why = "the interval holds both a difference and none" if verdict == "unknown" else ""
    figures = {"effect": effect.estimate, "low": effect.low, "high": effect.high}
    shown = {key: rounded(value) for key, value in figures.items()}
    return Difference(name=name, a=rounded(of[0]), b=rounded(of[1]), verdict=verdict, why=why, **shown)


def _unknown(name: str, a: float | None, b: float | None, why: str) -> Difference:
    return Difference(
        name=name, a=rounded(a), b=rounded(b), effect=None, low=None, high=None, verdict="unknown", why=why
    )


def _whole(found: tuple[Difference, ...]) -> Found:
    verdicts = {one.verdict for one in found}
    order: tuple[Found, ...] = ("worse", "unknown", "better", "no difference")
    return next(verdict for verdict in order if verdict in verdicts)


def _filled(slots: list[Slot], name: str) -> list[Counter[int]]:
    return [buckets for slot in slots if (buckets := getattr(slot, name))]


def _bad(slot: Slot) -> int:
    return slot.sent - slot.ok


def _degraded(report: LoadReport) -> bool:
    return report.client.verdict is Verdict.DEGRADED
