"""Facts of a load -> pass, fail or cannot tell, with reasons. Pure: measures nothing and ends nothing.

The third answer is never taken for one of the others: too little evidence lets nothing pass and blames nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.units import format_ratio
from loadtests.report.verdict import Verdict
from loadtests.search.finding import Finding, Result
from loadtests.search.probe import Probe


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a gate says, and why."""

    verdict: Literal["pass", "fail", "cannot tell"]
    reasons: tuple[str, ...]


def rule(facts: Probe) -> Ruling:
    """INVALID is told before everything else: such figures are the client's own."""
    if facts.client is Verdict.INVALID:
        return Ruling("cannot tell", tuple(f"the client was INVALID: {reason}" for reason in facts.reasons))
    match facts.result:
        case Result.VIOLATES:
            return Ruling("fail", (*_of(facts, Result.VIOLATES), *facts.damage))
        case Result.MEETS:
            return Ruling("pass", (*_of(facts, Result.MEETS), *_notes(facts)))
        case _:
            return Ruling("cannot tell", (*_of(facts, Result.UNKNOWN), *_queue(facts), *_notes(facts)))


def told(one: Finding) -> str:
    """A finding in words: what was asked, what was seen, how sure it is."""
    if one.share is None or one.low is None or one.high is None:
        return f"{one.criterion}: nothing was seen of it"
    seen = f"{one.share:.2%} of {one.events:,} ({one.low:.2%} to {one.high:.2%})"
    return f"{one.criterion}: {seen}, asked are {format_ratio(one.target)}"


def _of(facts: Probe, result: Result) -> Iterator[str]:
    return (told(one) for one in facts.findings if one.result is result)


def _queue(facts: Probe) -> tuple[str, ...]:
    return ("open requests became more and more: it was no steady state",) if facts.growing else ()


def _notes(facts: Probe) -> tuple[str, ...]:
    return tuple(f"the client was DEGRADED: {reason}" for reason in facts.reasons)
