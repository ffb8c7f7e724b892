"""Regions that were pressed together, before and after one was lost: what each kept of the SLO. Pure.

The regions that are left hold the users of the lost one if each of them surely keeps every criterion from the loss on.
A slot that the loss or the return lies in belongs to neither side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from loadtests.order import Outage
from loadtests.report.book import Book, merged
from loadtests.report.latency import Value
from loadtests.report.load_report import Client
from loadtests.report.series import Series
from loadtests.search.criterion import Criterion
from loadtests.search.finding import Finding, Result, find, strictness
from loadtests.search.probe import Probe, grows, verdict

ALL = ""  # the name of all regions together

Phase = Literal["whole", "before", "lost", "back"]


class Span(Value):
    """Seconds of a run in which the same regions took users."""

    phase: Phase
    start: float
    end: float


class Part(Value):
    """What a region did in a span of the run, or all regions together."""

    region: str = Field(description="Empty for all of them together.")
    phase: Phase
    start: float
    end: float
    sent: int
    rate: float = Field(description="Requests a second that were sent.")
    outcomes: dict[str, int] = Field(description="Requests that were sent in it: ok, and all others.")
    good: int = Field(description="Requests that were ok and kept the thresholds of the SLO.")
    growing: bool = Field(description="Open requests became more and more: no steady state.")
    result: Result
    findings: tuple[Finding, ...]


def spans(outage: Outage | None, elapsed: float) -> tuple[Span, ...]:
    """The spans of a run of `elapsed` seconds, as far as it came."""
    if outage is None:
        return (Span(phase="whole", start=0.0, end=elapsed),)
    back = math.inf if outage.back is None else outage.back
    ends: tuple[tuple[Phase, float, float], ...] = (
        ("before", 0.0, outage.at),
        ("lost", outage.at, back),
        ("back", back, math.inf),
    )
    return tuple(Span(phase=name, start=a, end=min(b, elapsed)) for name, a, b in ends if a < elapsed)


def parts(books: Mapping[str, Book], outage: Outage | None, criteria: Sequence[Criterion]) -> tuple[Part, ...]:
    """Span by span, all together and then each region; all that they claim together is 95 % sure."""
    whole = merged(books.values())
    alpha = strictness(len(criteria) * len(books))
    every = {ALL: whole, **books}
    return tuple(
        _part(name, book.series, _by_slots(span, book.series.width, whole.elapsed), criteria, alpha)
        for span in spans(outage, whole.elapsed)
        for name, book in every.items()
    )


def facts(found: Sequence[Part], outage: Outage | None, client: Client, rate: float) -> Probe:
    """What a ruling goes by: every region that is left while one is lost; all of them where none was to be.

    A region without any request there has nothing to keep.
    """
    phase, gone = ("lost", outage.region) if outage else ("whole", ALL)
    there = [one for one in found if one.phase == phase and one.region not in (gone, ALL) and one.sent]
    findings = tuple(_of_region(one.region, finding) for one in there for finding in one.findings)
    growing = any(one.growing for one in there)
    whole = [one for one in found if one.phase == phase and one.region == ALL]
    return Probe(
        rate=rate,
        seconds=max((one.end - one.start for one in whole), default=0.0),
        result=verdict(findings, growing),
        leans_good=all(one.leans_good for one in findings) and not growing,
        findings=findings,
        growing=growing,
        client=client.verdict,
        reasons=client.reasons,
        rate_sent=sum(one.rate for one in whole),
        outcomes=whole[0].outcomes if whole else {},
    )


def notes(found: Sequence[Part]) -> Iterator[str]:
    """What was broken before anything was lost, and so is no doing of the loss."""
    for one in found:
        if one.phase == "before" and one.region != ALL and one.result is Result.VIOLATES:
            yield f"{one.region} broke the SLO before the loss already"


def _by_slots(span: Span, width: int, elapsed: float) -> Span:
    """The whole slots of a span; the last of the run counts where more than half of it was sent in."""
    end = span.end if span.end == elapsed else float(width * math.floor(span.end / width))
    return span.model_copy(update={"start": float(width * math.ceil(span.start / width)), "end": end})


def _part(name: str, series: Series, span: Span, criteria: Sequence[Criterion], alpha: float) -> Part:
    first, last = round(span.start / series.width), round(span.end / series.width)
    slots = series.slots[first:last]
    sent, ok = sum(slot.sent for slot in slots), sum(slot.ok for slot in slots)
    findings = tuple(find(slots, one, alpha) for one in criteria)
    seconds = span.end - span.start
    growing = _grows(series, first, last)
    return Part(
        region=name,
        phase=span.phase,
        start=round(span.start, 3),
        end=round(span.end, 3),
        sent=sent,
        rate=round(sent / seconds, 3) if seconds > 0 else 0.0,
        outcomes={"ok": ok, "not ok": sent - ok},
        good=sum(slot.good for slot in slots),
        growing=growing,
        result=verdict(findings, growing),
        findings=findings,
    )


def _grows(series: Series, first: int, last: int) -> bool:
    """Whether open requests became more in these slots, which began with those that were open before."""
    slots = series.slots[first:last]
    if not slots:
        return False
    before = sum(slot.sent - slot.done for slot in series.slots[:first])
    slots[0] = replace(slots[0], sent=slots[0].sent + before)
    return grows(Series(series.width, slots), float(len(slots) * series.width))


def _of_region(region: str, one: Finding) -> Finding:
    return one.model_copy(update={"criterion": f"{region}: {one.criterion}"})
