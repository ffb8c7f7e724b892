"""A client that is the bottleneck says so, with the number that was too high."""

from __future__ import annotations

import pytest

from loadtests.report.verdict import Verdict, Vitals, judge

CALM = {"send_lag": 0.001, "loop_lag": 0.001, "receive_delay": 0.001, "cpu": 0.3, "cpu_peak": 0.5, "busy": 0.5}


@pytest.mark.parametrize(
    ("how", "verdict", "said"),
    [
        ({}, Verdict.VALID, ""),
        ({"send_lag": 0.010, "cpu": 0.70, "busy": 0.70}, Verdict.VALID, ""),
        ({"send_lag": 0.042}, Verdict.DEGRADED, "more than 42 ms late"),
        ({"send_lag": 0.142}, Verdict.INVALID, "more than 142 ms late"),
        ({"cpu": 0.8}, Verdict.DEGRADED, "one core was 80% busy"),
        ({"cpu": 0.95}, Verdict.INVALID, "one core was 95% busy"),
        ({"cpu_peak": 0.97}, Verdict.DEGRADED, "97% busy in a tenth"),
        ({"busy": 1.0}, Verdict.DEGRADED, "cores were 100% busy"),
        ({"loop_lag": 0.06}, Verdict.DEGRADED, "event loop was more than 60 ms late"),
        ({"merged": 0.002}, Verdict.DEGRADED, "0.2% of the token events were read so late"),
        ({"merged": 0.012}, Verdict.INVALID, "1.2% of the token events were read so late"),
        ({"receive_delay": 2.0}, Verdict.INVALID, "lay unread for more than 2000 ms"),
        ({"kernel": False, "loop_lag": 0.004}, Verdict.DEGRADED, "loop was more than 4.0 ms late"),
        ({"kernel": False, "loop_lag": 0.02}, Verdict.INVALID, "loop was more than 20.0 ms late"),
        ({"kernel": False, "receive_delay": 2.0}, Verdict.VALID, ""),
    ],
)
def test_each_limit_has_its_reason(how: dict[str, float], verdict: Verdict, said: str) -> None:
    """At a limit is within it; a busy machine alone is no fault of the client."""
    found, reasons = judge(Vitals(**{**CALM, **how}))
    assert found is verdict
    assert (said in " ".join(reasons)) if said else reasons == ()


def test_the_worst_counts_whatever_came_first() -> None:
    """And every reason is told."""
    verdict, reasons = judge(Vitals(**{**CALM, "send_lag": 0.5, "busy": 0.9}))
    assert (verdict, len(reasons)) == (Verdict.INVALID, 2)
    assert judge(Vitals(**{**CALM, "send_lag": 0.05, "cpu": 0.99}))[0] is Verdict.INVALID


def test_nothing_sent_is_no_bottleneck() -> None:
    """An idle client has nothing to be late with."""
    assert judge(Vitals()) == (Verdict.VALID, ())
