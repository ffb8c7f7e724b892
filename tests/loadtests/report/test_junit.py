"""A pipeline reads what held and what did not; what is not known is neither."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from loadtests.order import Slo
from loadtests.report.book import Machine
from loadtests.report.junit import cases, criterion, junit
from loadtests.search.finding import Finding
from tests.loadtests.report.made import run

FAST = Slo(ttft=0.02)
LOOSE = Slo(ttft=5.0, itl=1.0, e2e=20.0)


def ended(**how: object) -> dict[str, str]:
    made = run(**{"seconds": 60, "rate": 20.0, **how})  # type: ignore[arg-type]
    return {case.name.split()[0]: case.ended for case in cases(made.report)}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, {"client": "passed", "arrivals": "passed", "outcomes": "passed"}),
        ({"failing": 0.05}, {"outcomes": "failed"}),
        ({"slo": LOOSE}, {"ttft": "passed", "itl": "passed", "e2e": "passed"}),
        ({"slo": FAST}, {"ttft": "failed"}),
        ({"seconds": 5, "slo": LOOSE}, {"ttft": "skipped"}),
        ({"slo": LOOSE, "machine": Machine(0.99, 0.9)}, {"client": "failed", "ttft": "skipped"}),
    ],
    ids=str,
)
def test_each_thing_is_a_case_of_its_own(how: dict[str, object], expected: dict[str, str]) -> None:
    """Passed, failed, or skipped where nobody can tell; of an INVALID client nothing is passed."""
    found = ended(**how)
    assert {name: found[name] for name in expected} == expected


def test_a_threshold_inside_the_interval_is_skipped() -> None:
    """It is kept or broken by chance."""
    low, high = run(seconds=60, rate=20.0).report.steady.metrics.ttft.ci["p99"]
    assert ended(slo=Slo(ttft=(low + high) / 2))["ttft"] == "skipped"


def test_the_document_counts_its_cases() -> None:
    """As readers of JUnit expect it."""
    suite = ElementTree.fromstring(junit(run(seconds=5, failing=0.5).report))
    found = list(suite.iter("testcase"))
    assert int(suite.get("tests", "")) == len(found) == 6
    assert int(suite.get("failures", "")) == len(list(suite.iter("failure"))) == 1
    assert int(suite.get("skipped", "")) == len(list(suite.iter("skipped"))) == 3
    assert suite.get("timestamp") == "2026-01-02T03:04:05+00:00"
    assert {case.get("classname") for case in found} == {"load.chat"}


def test_what_failed_says_how_much() -> None:
    """In its message."""
    suite = ElementTree.fromstring(junit(run(seconds=5, failing=0.5).report))
    (failure,) = suite.iter("failure")
    assert "http_503" in failure.get("message", "")


@pytest.mark.parametrize(
    ("result", "how", "expected"),
    [
        ("meets", {}, "passed"),
        ("violates", {}, "failed"),
        ("cannot tell", {}, "skipped"),
        ("meets", {"machine": Machine(0.99, 0.9)}, "skipped"),
    ],
    ids=str,
)
def test_an_slo_that_was_asked_for_is_what_is_checked(result: str, how: dict[str, object], expected: str) -> None:
    """Instead of the thresholds, and of failures as far as it allows some; an INVALID client passes none of it."""
    made = run(failing=0.05, slo=FAST, **how)  # type: ignore[arg-type]
    shares = {"target": 0.9, "events": 3000, "share": 0.97, "low": 0.96, "high": 0.98}
    finding = Finding.model_validate({"criterion": "ttft p90 < 500ms", **shares, "result": result})
    found = list(cases(made.report, [criterion(finding)]))
    assert [case.name for case in found] == ["client", "arrivals", "ttft p90 < 500ms"]
    assert found[-1].ended == expected
    assert expected == "skipped" or found[-1].said.startswith("97.00% of 3,000, between 96.00% and 98.00%; asked")


def test_a_criterion_of_which_nothing_was_seen_is_skipped() -> None:
    """Gaps of answers that had one token each, for one."""
    shares = {"target": 0.9, "events": 0, "share": None, "low": None, "high": None}
    finding = Finding.model_validate({"criterion": "itl p90 < 5ms", **shares, "result": "cannot tell"})
    assert criterion(finding).said == "nothing was seen of it"
