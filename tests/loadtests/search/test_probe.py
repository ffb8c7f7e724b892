"""A whole run at a rate: kept, broken, not told, harmful."""

from __future__ import annotations

import pytest

from loadtests.report.verdict import Verdict
from loadtests.search.criterion import criteria
from loadtests.search.finding import Result, strictness
from loadtests.search.probe import Probe, grows, judged
from loadtests.wire.outcome import Outcome, http
from tests.loadtests.search.erlang import Service

SLO = criteria(["ttft p95 < 250ms"], [])
ALPHA = strictness(2)


def probe(service: Service, rate: float, seconds: float = 20.0) -> Probe:
    """A run of a simulated service, judged."""
    return judged(service.run(rate, seconds, seed=1), SLO, ALPHA, rate, rest=5.0, recovery=True)


def test_far_below_its_capacity_a_service_keeps_its_slo() -> None:
    """And the probe says what it was and how it went."""
    found = probe(Service(), 40.0, 40.0)
    assert (found.result, found.leans_good, found.damage, found.growing) == (Result.MEETS, True, (), False)
    assert (found.rate, found.seconds, found.rest, found.recovery, found.failed_recovery) == (40, 40, 5, True, False)
    assert found.rate_sent == pytest.approx(40, rel=0.1)
    assert found.worst is not None


def test_far_above_it_is_broken_and_damaged() -> None:
    """Its queue grows, and answers come many times too late."""
    found = probe(Service(), 160.0)
    assert (found.result, found.growing, found.failed_recovery) == (Result.VIOLATES, True, True)
    assert any("ttft p95 < 250ms is missed by more than 5 times" in one for one in found.damage)


def test_a_short_run_tells_nothing() -> None:
    """It leans, no more."""
    found = probe(Service(), 40.0, 2.0)
    assert (found.result, found.leans_good) == (Result.UNKNOWN, True)


@pytest.mark.parametrize(("refusal", "damaged"), [("http_429", False), ("http_503", True), ("reset", True)])
def test_shedding_by_429_is_no_damage(refusal: str, damaged: bool) -> None:
    """But a refused request is not kept either."""
    found = probe(Service(limit=8, refusal=Outcome(refusal)), 160.0)
    assert found.result is Result.VIOLATES
    assert bool(found.damage) is damaged
    assert found.outcomes[http(429) if refusal == "http_429" else refusal] > 0


def test_a_client_at_its_limit_tells_nothing_of_the_service() -> None:
    """Whatever its figures are."""
    found = probe(Service(cpu=0.97), 160.0)
    assert (found.client, found.result, found.invalid) == (Verdict.INVALID, Result.UNKNOWN, True)
    assert found.reasons


def test_a_queue_that_grows_meets_nothing_yet() -> None:
    """At 10 % too much, 30 s are not enough to break a loose promise, but they show where it goes."""
    loose = criteria(["ttft p50 < 20s"], [])
    run = Service(servers=40).run(440.0, 30.0, seed=2)
    found = judged(run, loose, ALPHA, 440.0)
    assert all(one.result is Result.MEETS for one in found.findings)
    assert (found.result, found.growing, found.leans_good) == (Result.UNKNOWN, True, False)


def test_a_run_of_no_time_grows_by_nothing() -> None:
    """There is nothing to compare."""
    run = Service().run(10.0, 2.0, seed=1)
    assert grows(run.book.series, 2.0) is False
