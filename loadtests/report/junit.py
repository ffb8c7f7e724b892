"""A report as JUnit XML, so that a pipeline shows what of a run held and what did not. Pure.

Cases: the client can be believed; all that was due was sent and ended; and what a verdict goes by, where one was asked
for. Else: nothing ended otherwise than ok, and for each threshold of the SLO, that 99 % of the values keep it (of `itl`
the mean of each request, as goodput has it). What the evidence cannot tell is skipped, not passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from loadtests.report.latency import Latency
from loadtests.report.load_report import LoadReport
from loadtests.report.verdict import Verdict
from loadtests.search.finding import Finding, Result

Ended = Literal["passed", "failed", "skipped"]

INVALID = "the client was INVALID"
MEAN = {"itl": "tpot"}  # what is judged of a threshold that is of each request


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that had to hold."""

    name: str
    ended: Ended
    said: str


def junit(report: LoadReport, checks: Sequence[Case] = ()) -> str:
    """The document; `checks` are the cases of a verdict."""
    found = list(cases(report, checks))
    counts = {word: sum(case.ended == word for case in found) for word in ("failed", "skipped")}
    suite = ElementTree.Element(
        "testsuite",
        name=f"ops load: {report.service}",
        tests=str(len(found)),
        failures=str(counts["failed"]),
        skipped=str(counts["skipped"]),
        errors="0",
        time=f"{report.elapsed:g}",
        timestamp=report.started,
    )
    for case in found:
        suite.append(_element(case, report.service))
    ElementTree.indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suite, encoding="unicode")}\n'


def cases(report: LoadReport, checks: Sequence[Case] = ()) -> Iterator[Case]:
    """What had to hold, and whether it did. Of what an INVALID client saw nothing is told."""
    client, arrivals = report.client, report.arrivals
    invalid = client.verdict is Verdict.INVALID
    yield Case("client", "failed" if invalid else "passed", "; ".join((client.verdict, *client.reasons)))
    whole = arrivals.scheduled == arrivals.done
    said = f"{arrivals.scheduled} scheduled, {arrivals.sent} sent, {arrivals.done} done"
    yield Case("arrivals", "passed" if whole else "failed", said)
    told = (Case(one.name, "skipped", INVALID) if invalid else one for one in checks)
    yield from told if checks else _promise(report, invalid)


def _promise(report: LoadReport, invalid: bool) -> Iterator[Case]:
    """Where nobody said how much may fail and how many may be slow."""
    bad = {outcome: count for outcome, count in report.outcomes.items() if outcome != "ok"}
    said = ", ".join(f"{count} {outcome}" for outcome, count in bad.items()) or "all ok"
    yield Case("outcomes", "failed" if bad else "passed", said)
    for name, most in report.steady.goodput.slo.items():
        yield _threshold(name, most, getattr(report.steady.metrics, MEAN.get(name, name)), invalid)


ENDS: dict[Result, Ended] = {Result.MEETS: "passed", Result.VIOLATES: "failed", Result.UNKNOWN: "skipped"}


def criterion(one: Finding, of: str = "") -> Case:
    """A criterion as a case, with what it is held against where there are several."""
    name = f"{of}: {one.criterion}" if of else one.criterion
    if one.share is None or one.low is None or one.high is None:
        return Case(name, "skipped", "nothing was seen of it")
    said = f"{one.share:.2%} of {one.events:,}, between {one.low:.2%} and {one.high:.2%}; asked are {one.target:.2%}"
    return Case(name, ENDS[one.result], said)


def _threshold(name: str, most: float, found: Latency, invalid: bool) -> Case:
    label = f"{name} p99 <= {most:g} s"
    if invalid or "p99" not in found.ci:
        why = INVALID if invalid else "too few values to tell"
        return Case(label, "skipped", why)
    low, high = found.ci["p99"]
    said = f"{found.p99:g} s, between {low:g} and {high:g}"
    ended: Ended = "passed" if high <= most else "failed" if low > most else "skipped"
    return Case(label, ended, said)


def _element(case: Case, service: str) -> ElementTree.Element:
    element = ElementTree.Element("testcase", classname=f"load.{service}", name=case.name)
    match case.ended:
        case "failed":
            ElementTree.SubElement(element, "failure", message=case.said)
        case "skipped":
            ElementTree.SubElement(element, "skipped", message=case.said)
        case "passed":
            ElementTree.SubElement(element, "system-out").text = case.said
    return element
