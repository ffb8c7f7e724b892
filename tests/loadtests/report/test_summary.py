"""The report counts everything once, times only what is ok, and says when the client was the bottleneck."""

from __future__ import annotations

import pytest

from loadtests.order import Order
from loadtests.report.histogram import Histogram
from loadtests.report.summary import Book, Latency, Machine, Sample, Summary, describe, progress, summarize, warnings
from loadtests.wire.outcome import Outcome

ORDER = Order(service="chat", model="m", url="http://127.0.0.1:80", rate=10.0, trace="conv", seed=3)
CALM = Machine(client_cpu=0.2, busy=0.5)


def sample(outcome: Outcome = Outcome.OK, arm: str = "stable", ttft: float = 0.1) -> Sample:
    return Sample(outcome, arm, "v1", total=1.0, ttft=ttft, itl=0.004, e2e=0.9, tokens=20, events=3)


def book(*samples: Sample) -> Book:
    made = Book()
    for each in samples:
        made.scheduled += 1
        made.send(0.001)
        made.end(each)
    return made


def test_only_ok_requests_have_latencies() -> None:
    """A failure that is quick, or slow, moves no percentile."""
    summary = summarize(ORDER, book(sample(), sample(Outcome.IN_STREAM_ERROR, ttft=9.0)), 2.0, CALM, interrupted=False)
    assert summary.outcomes == {Outcome.OK: 1, Outcome.IN_STREAM_ERROR: 1}
    assert (summary.ttft.count, summary.ttft.p99) == (1, 0.1)
    assert (summary.tokens, summary.events) == (40, 6)


def test_arms_are_counted_apart_and_together() -> None:
    """Each arm and release is a row; latencies over all are of all rows."""
    some = book(sample(), sample(arm="canary", ttft=0.3), sample(Outcome.HTTP_5XX, arm="canary"))
    summary = summarize(ORDER, some, 2.0, CALM, interrupted=False)
    assert [(arm.arm, arm.requests, arm.outcomes) for arm in summary.arms] == [
        ("canary", 2, {Outcome.OK: 1, Outcome.HTTP_5XX: 1}),
        ("stable", 1, {Outcome.OK: 1}),
    ]
    assert summary.ttft.count == 2
    assert summary.ttft.mean == pytest.approx(0.2)


def test_what_did_not_end_is_unfinished() -> None:
    """Scheduled, sent and done are three numbers."""
    some = book(sample())
    some.scheduled += 2
    some.send(0.0)
    summary = summarize(ORDER, some, 2.0, CALM, interrupted=True)
    assert (summary.scheduled, summary.sent, summary.done, summary.unfinished) == (3, 2, 1, 1)
    assert summary.rate_sent == 1.0
    assert summary.interrupted


def test_a_summary_survives_json() -> None:
    """It comes from another process."""
    summary = summarize(ORDER, book(sample()), 2.0, CALM, interrupted=False)
    assert Summary.model_validate_json(summary.model_dump_json()) == summary


def test_nothing_sent_is_a_report_too() -> None:
    """With zeros and no latency, and no warning: an idle client was no bottleneck."""
    summary = summarize(ORDER, Book(), 0.0, CALM, interrupted=True)
    assert (summary.rate_sent, summary.done, summary.arms, summary.warnings) == (0.0, 0, (), ())
    assert summary.ttft == Latency(count=0)


def test_a_latency_without_a_moment_is_left_out() -> None:
    """An ok answer of one token has no gap between tokens."""
    one = Sample(Outcome.OK, "stable", "v1", total=1.0, ttft=0.1, e2e=0.1, tokens=1)
    assert summarize(ORDER, book(one), 2.0, CALM, interrupted=False).itl.count == 0


def test_progress_counts_what_is_bad() -> None:
    """Everything that ended and was not ok."""
    now = progress(book(sample(), sample(Outcome.HTTP_429), sample(Outcome.TIMEOUT)), 1.5, 20.0, CALM)
    assert (now.sent, now.done, now.ok, now.bad, now.rate, now.ttft_p50) == (3, 3, 1, 2, 20.0, 0.1)
    assert progress(Book(), 0.0, 0.0, CALM).ttft_p50 is None


@pytest.mark.parametrize(
    ("lag", "machine", "said"),
    [
        (0.009, Machine(client_cpu=0.69, busy=0.69), ""),
        (0.042, CALM, "more than 42 ms late"),
        (0.001, Machine(client_cpu=0.8, busy=0.4), "one core was 80% busy"),
        (0.001, Machine(client_cpu=0.1, busy=0.9), "cores were 90% busy"),
    ],
)
def test_a_busy_client_says_whose_latencies_these_are(lag: float, machine: Machine, said: str) -> None:
    """In plain words, with the number that was too high."""
    found = warnings(Latency(count=1, p99=lag), machine)
    assert (said in " ".join(found)) if said else found == ()
    assert ("the laptop's, not the release's" in " ".join(found)) == bool(said)


def test_percentiles_are_described() -> None:
    """A thousand values from 1 ms to 1 s."""
    values = Histogram()
    for number in range(1, 1001):
        values.add(number / 1000)
    found = describe(values)
    assert (found.count, found.max) == (1000, 1.0)
    assert found.mean == pytest.approx(0.5005)
    expected = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}
    assert {name: getattr(found, name) for name in expected} == pytest.approx(expected, rel=0.01)
