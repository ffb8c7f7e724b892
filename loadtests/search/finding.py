"""Did a run keep a criterion: yes, no, or it cannot be told from so few requests. Pure: counts in, a verdict out.

"ttft p99 < 500ms" is tested as "at least 99 % of the requests have their first token within 500 ms": the same claim,
and it counts failed requests too. loadtests/report/interval.py has the interval: by blocks of seconds, for a queue
remembers, and with Student's t, for the blocks are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from pydantic import Field

from loadtests.report import interval
from loadtests.report.block import USUAL, width
from loadtests.report.histogram import bucket_of
from loadtests.report.latency import Value, rounded
from loadtests.report.series import Slot
from loadtests.search.criterion import Criterion

CONFIDENCE = 0.95  # that nothing which is told of all runs together is chance


class Result(StrEnum):
    """Whether an SLO was kept."""

    MEETS = "meets"
    VIOLATES = "violates"
    UNKNOWN = "cannot tell"


class Finding(Value):
    """One criterion and what a run says of it."""

    criterion: str
    target: float
    events: int = Field(description="Requests that were sent, or gaps between tokens for itl.")
    share: float | None = Field(description="The share of them that was good.")
    low: float | None = Field(description="Its interval: the run meets the target below it, violates that above it.")
    high: float | None
    result: Result
    blocks: tuple[interval.Part, ...] = Field(default=(), description="Good events and all, by block of seconds.")

    @property
    def spent(self) -> float:
        """How many times its error budget is gone; all of it where nothing was seen."""
        return 1.0 if self.share is None else (1 - self.share) / (1 - self.target)

    @property
    def leans_good(self) -> bool:
        """Whether it is kept as far as can be seen, however little that is."""
        return self.share is not None and self.share >= self.target


def strictness(looks: int, confidence: float = CONFIDENCE) -> float:
    """How often an interval may miss at either end, so that what many looks show is right together (Bonferroni)."""
    return 2 * (1 - confidence) / looks


def fewest(criteria: Iterable[Criterion], alpha: float) -> float:
    """Requests of which all must be good for an interval to lie above every target (Wilson's, turned round)."""
    wide = width(USUAL, alpha)
    return max(wide * wide * one.share / (1 - one.share) for one in criteria)


def find(slots: Sequence[Slot], criterion: Criterion, alpha: float, *, answered: bool = False) -> Finding:
    """What the slots of a run say of one criterion; its interval misses `alpha` times, half of them at each end.

    Where only what was `answered` counts, requests that failed are no events.
    """
    counted = counter(criterion, answered)
    parts = [counted(slot) for slot in slots]
    good, events = sum(one for one, _ in parts), sum(every for _, every in parts)
    span = interval.share(parts, alpha)
    return Finding(
        criterion=criterion.label,
        target=criterion.share,
        events=events,
        share=rounded(good / events) if events else None,
        low=rounded(span.low) if span else None,
        high=rounded(span.high) if span else None,
        result=_result(span, criterion.share),
        blocks=tuple(interval.clusters(parts)),
    )


def _slow(slot: Slot, criterion: Criterion) -> int:
    """How many values lie beyond the threshold, to the 1 % of a bucket."""
    assert criterion.threshold is not None
    most, buckets = bucket_of(criterion.threshold), getattr(slot, criterion.of)
    return sum(count for bucket, count in buckets.items() if bucket > most)


def counter(criterion: Criterion, answered: bool = False) -> Callable[[Slot], tuple[int, int]]:
    """Slot -> (good, all) of what a criterion counts."""
    match criterion.of:
        case "ok" | "goodput":
            name = {"ok": "ok", "goodput": "good"}[criterion.of]
            return lambda slot: (getattr(slot, name), slot.sent)
        case "itl":
            return lambda slot: (slot.itl.total() - _slow(slot, criterion), slot.itl.total())
        case _:
            return lambda slot: (slot.ok - _slow(slot, criterion), slot.ok if answered else slot.sent)


def _result(span: interval.Interval | None, target: float) -> Result:
    if span is not None and span.low >= target:
        return Result.MEETS
    return Result.VIOLATES if span is not None and span.high < target else Result.UNKNOWN
