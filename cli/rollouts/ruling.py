"""Facts of a load -> pass, fail or cannot tell, with reasons. Pure: measures nothing and ends nothing.

The third answer is never taken for one of the others: too little evidence lets nothing pass and blames nobody.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from infra.units import format_ratio

if TYPE_CHECKING:  # they bring scipy, and whoever only reads a ruling in a journal needs none
    from cli.rollouts.plan import Stage
    from loadtests.report.book import Key
    from loadtests.search.finding import Finding, Result
    from loadtests.search.probe import Probe


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a gate says, and why."""

    verdict: Literal["pass", "fail", "cannot tell"]
    reasons: tuple[str, ...]

    @property
    def why(self) -> str:
        """The first reason, which decided."""
        return self.reasons[0] if self.reasons else self.verdict


STOPPED = Ruling("cannot tell", ("the load was stopped before its time",))
"""What is said of a load that a person ended, whatever was seen of it."""


def rule(facts: Probe) -> Ruling:
    """INVALID is told before everything else: such figures are the client's own."""
    from loadtests.report.verdict import Verdict
    from loadtests.search.finding import Result

    if facts.client is Verdict.INVALID:
        return Ruling("cannot tell", tuple(f"the client was INVALID: {reason}" for reason in facts.reasons))
    match facts.result:
        case Result.VIOLATES:
            return Ruling("fail", (*_of(facts, Result.VIOLATES), *facts.damage))
        case Result.MEETS:
            return Ruling("pass", (*_of(facts, Result.MEETS), *_notes(facts)))
        case _:
            return Ruling("cannot tell", (*_of(facts, Result.UNKNOWN), *_queue(facts), *_notes(facts)))


def looks(criteria: int, attempt: int) -> int:
    """For how many looks one of an attempt's must be strict, so that all attempts of a load stage together are 95 %
    sure: attempt n spends 1 / (n (n + 1)) of what may be wrong, and all of them add up to one."""
    return criteria * attempt * (attempt + 1)


def needed(load: Stage) -> int:
    """Requests of the first attempt of a load stage of which all must be good, for it to be able to pass."""
    from loadtests.search.criterion import criterion
    from loadtests.search.finding import fewest, strictness

    asked = [criterion(text) for text in load.slo]
    return math.ceil(fewest(asked, strictness(looks(len(asked), 1))))


def stranger(keys: Iterable[Key], release: str) -> str:
    """Why the answers are not those of a canary of `release`; empty where they are."""
    found = list(keys)
    others = {(key.arm, key.release) for key in found if key.outcome == "ok"} - {("canary", release)}
    if others:
        arm, other = min(others)
        return f"answers came from the arm {arm or 'nobody'} of {other or 'no release'}, not from a canary of {release}"
    return "" if any(key.release == release for key in found) else f"no canary of {release} answered"


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
