"""Facts of a load -> pass, fail or cannot tell, for gates and for the load stage of a rollout."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from cli.rollouts.plan import Stage
from cli.rollouts.ruling import Ruling, looks, needed, rule, stranger, told
from loadtests.report.book import Key
from loadtests.report.verdict import Verdict
from loadtests.search.finding import Finding, Result
from loadtests.search.probe import Probe


def finding(result: Result, share: float | None = 0.97) -> Finding:
    """A criterion that was looked at in 3,000 requests."""
    low, high = (None, None) if share is None else (share - 0.01, share + 0.01)
    return Finding(
        criterion="ttft p99 < 500ms", target=0.99, events=3000, share=share, low=low, high=high, result=result
    )


def facts(result: Result, **more: Any) -> Probe:
    """What a run showed."""
    return Probe(rate=20, seconds=30, result=result, leans_good=True, findings=(finding(result),), **more)


SAID = "ttft p99 < 500ms: 97.00% of 3,000 (96.00% to 98.00%), asked are 99%"


@pytest.mark.parametrize(
    ("seen", "verdict", "reasons"),
    [
        (facts(Result.MEETS), "pass", (SAID,)),
        (facts(Result.MEETS, reasons=("busy",)), "pass", (SAID, "the client was DEGRADED: busy")),
        (facts(Result.VIOLATES, damage=("it fell over",)), "fail", (SAID, "it fell over")),
        (facts(Result.UNKNOWN), "cannot tell", (SAID,)),
        (
            facts(Result.UNKNOWN, growing=True),
            "cannot tell",
            (SAID, "open requests became more and more: it was no steady state"),
        ),
        *(
            (facts(result, client=Verdict.INVALID, reasons=("busy",)), "cannot tell", ("the client was INVALID: busy",))
            for result in Result
        ),
    ],
)
def test_a_gate_has_three_verdicts_and_a_reason_for_each(seen: Probe, verdict: str, reasons: tuple[str, ...]) -> None:
    """A client that was INVALID passes nothing and fails nothing, whatever it saw."""
    ruling = rule(seen)
    assert (ruling.verdict, ruling.reasons) == (verdict, reasons)


def test_what_was_not_seen_is_told_as_such() -> None:
    """Gaps of answers that had one token each, for one."""
    assert told(finding(Result.UNKNOWN, None)) == "ttft p99 < 500ms: nothing was seen of it"


def test_the_first_reason_is_why() -> None:
    """Without any the verdict says it."""
    assert (Ruling("fail", ("slow", "refused")).why, Ruling("pass", ()).why) == ("slow", "pass")


def test_attempts_together_are_as_sure_as_one() -> None:
    """However many there are: what each may get wrong adds up to no more than one look might."""
    spent = [Fraction(1, looks(1, attempt)) for attempt in range(1, 1000)]
    assert spent[0] == Fraction(1, 2) and sum(spent) < 1
    assert looks(4, 1) == 4 * looks(1, 1)


def test_it_is_known_before_how_many_requests_it_takes() -> None:
    """The rarer what may be bad, the more."""
    loose, tight = Stage({}, 1.0, 1.0, ("ok >= 60%",)), Stage({}, 1.0, 1.0, ("ok >= 60%", "ttft p99 < 250ms"))
    assert needed(loose) < 20 < 500 < needed(tight) < 1000


def key(arm: str, release: str, outcome: str = "ok") -> Key:
    return Key("eastus2", "chat", "chat", arm, release, outcome)


ANSWERS = [
    ([key("canary", "v2")], ""),
    ([key("canary", "v2"), key("canary", "v2", "http_500"), key("", "", "refused")], ""),
    ([key("canary", "v2", "http_500")], ""),
    ([key("", "", "refused"), key("canary", "", "http_503")], "no canary of v2 answered"),
    ([], "no canary of v2 answered"),
    ([key("canary", "v2"), key("stable", "v1")], "answers came from the arm stable of v1, not from a canary of v2"),
    ([key("canary", "v3")], "answers came from the arm canary of v3, not from a canary of v2"),
    ([key("", "")], "answers came from the arm nobody of no release, not from a canary of v2"),
]


@pytest.mark.parametrize(("keys", "said"), ANSWERS)
def test_only_answers_of_the_canary_say_anything_of_it(keys: list[Key], said: str) -> None:
    """What failed on the way counts, as long as the canary was there at all."""
    assert stranger(keys, "v2") == said
