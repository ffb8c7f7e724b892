"""The report says what the book counted, in figures that people and machines read alike."""

from __future__ import annotations

import pytest

from loadtests.report.book import Book, Machine, merged
from loadtests.report.load_report import LoadReport
from loadtests.report.reckoning import load_report, priced
from loadtests.report.verdict import Verdict
from loadtests.wire.outcome import ENDED_EARLY, Outcome
from tests.loadtests.report.made import book, order, run, sample

NAMES = ("p50", "p90", "p95", "p99", "p99_9", "max")


def test_percentiles_are_of_all_ok_requests() -> None:
    """A thousand values from 1 ms to 1 s, and a failure that is none of them."""
    many = [sample(ttft=n / 1000, sent=n / 500) for n in range(1, 1001)]
    ttft = load_report(order(), book(*many, sample(ENDED_EARLY, ttft=99.0))).metrics.ttft
    assert (ttft.count, ttft.max) == (1000, 1.0)
    assert ttft.mean == pytest.approx(0.5005)
    expected = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999, "max": 1.0}
    assert {name: getattr(ttft, name) for name in NAMES} == pytest.approx(expected, rel=0.01)


def test_what_did_not_end_is_unfinished() -> None:
    """Scheduled, sent and done are three numbers, and the rate is of what was sent."""
    some = book(sample())
    some.schedule(1.0)
    some.schedule(1.0)
    some.send(1.0)
    arrivals = load_report(order(), some).arrivals
    assert (arrivals.scheduled, arrivals.sent, arrivals.done, arrivals.unfinished) == (3, 2, 1, 1)
    assert (arrivals.rate_sent, arrivals.rate_asked) == (1.0, 50.0)


def test_ok_is_the_first_outcome_and_the_rest_is_by_number() -> None:
    """As a person wants to read them."""
    some = [sample(Outcome("http_503")), sample(ENDED_EARLY), sample(ENDED_EARLY), sample()]
    assert list(load_report(order(), book(*some)).outcomes.items()) == [("ok", 1), ("ended_early", 2), ("http_503", 1)]


def test_arms_are_counted_apart_and_together() -> None:
    """Each arm and release is a row."""
    some = book(sample(), sample(arm="canary", ttft=0.3), sample(Outcome("http_503"), arm="canary"))
    report = load_report(order(), some)
    assert [(arm.arm, arm.release, arm.requests, arm.outcomes) for arm in report.arms] == [
        ("canary", "v1", 2, {"ok": 1, "http_503": 1}),
        ("stable", "v1", 1, {"ok": 1}),
    ]
    assert [arm.metrics.ttft.p50 for arm in report.arms] == [0.3, 0.1]
    assert report.metrics.ttft.count == 2


def test_goodput_is_of_all_that_was_sent() -> None:
    """One of four: one failed, one was slow, one never ended."""
    some = book(sample(), sample(ENDED_EARLY), sample(ttft=1.0))
    some.schedule(1.0)
    some.send(1.0)
    goodput = load_report(order(), some).goodput
    assert (goodput.good, goodput.share, goodput.rate) == (1, 0.25, 0.5)
    assert goodput.low is not None and goodput.high is not None and goodput.low < 0.25 < goodput.high
    assert goodput.slo == {"ttft": 0.25, "itl": 0.025, "e2e": 2.5}


def test_the_steady_part_is_without_the_warm_up() -> None:
    """Its percentiles do not know the cold start; those of the whole run do."""
    cold = [sample(due=n / 10, sent=n / 10, ttft=2.0, e2e=2.4, total=2.5) for n in range(50)]
    warm = [sample(due=n / 10, sent=n / 10, ttft=0.1 + n % 3 / 100) for n in range(50, 400)]
    report = load_report(order(), book(*cold, *warm, elapsed=40.0))
    assert (report.steady.found, report.steady.start) == (True, 7.0)  # when the last slow request had ended
    assert (report.metrics.ttft.max, report.steady.metrics.ttft.max) == (2.0, pytest.approx(0.12, rel=0.006))
    assert (report.metrics.ttft.count, report.steady.metrics.ttft.count, report.steady.requests) == (400, 330, 330)


def test_percentiles_of_a_run_have_intervals() -> None:
    """Around their value; none where the tail is too thin to tell."""
    metrics = run(seconds=60, rate=20.0).report.steady.metrics
    low, high = metrics.ttft.ci["p50"]
    assert metrics.ttft.p50 is not None and low < metrics.ttft.p50 < high
    assert "p99_9" not in metrics.ttft.ci


def test_a_client_that_cannot_be_believed_says_so() -> None:
    """With what was too high."""
    client = load_report(order(), book(sample(), machine=Machine(0.97, 0.5))).client
    assert (client.verdict, client.cpu) == (Verdict.INVALID, 0.97)
    assert client.reasons == ("the client's one core was 97% busy",)
    assert client.kernel_times == 1.0


def test_the_busiest_process_is_the_one_that_counts() -> None:
    """One worker of several that is at its end spoils what it sent."""
    some = book(sample(), machine=Machine(0.2, 0.4))
    some.clients.append(Machine(0.8, 0.6))
    client = load_report(order(), some).client
    assert (client.verdict, client.cpu, client.busy, client.processes) == (Verdict.DEGRADED, 0.8, 0.6, 2)


def test_one_late_process_among_many_is_seen() -> None:
    """In all of them together it is less than the hundredth that p99 looks at."""
    prompt = [book(*(sample(due=0.0, sent=0.0) for _ in range(50))) for _ in range(9)]
    late = book(*(sample(due=0.0, sent=0.2) for _ in range(4)))
    together = merged([*prompt, late])
    assert together.lag.quantile(0.99) == pytest.approx(0.0, abs=1e-5)
    client = load_report(order(), together).client
    assert (client.verdict, client.processes) == (Verdict.INVALID, 10)
    assert client.reasons == ("1 % of the requests were sent more than 200 ms late",)
    again = load_report(order(), merged([together, book(sample())])).client
    assert (again.verdict, again.processes) == (Verdict.INVALID, 11)


def test_times_that_are_not_the_kernels_are_told() -> None:
    """And judged more strictly."""
    some = book(sample(), sample(kernel=False))
    for _ in range(100):
        some.beat(0.005)
    client = load_report(order(), some).client
    assert (client.kernel_times, client.verdict) == (0.5, Verdict.DEGRADED)
    assert load_report(order(), book(sample(ENDED_EARLY, kernel=False))).client.kernel_times == 1.0


def test_tokens_without_a_time_of_their_own_are_told() -> None:
    """One of twenty is far too many."""
    client = load_report(order(), book(sample(), sample(merged=2))).client
    assert (client.merged, client.verdict) == (0.05, Verdict.INVALID)


def test_nothing_sent_is_a_report_too() -> None:
    """With zeros and no latency."""
    report = load_report(order(), Book())
    assert (report.arrivals.rate_sent, report.arrivals.done, report.arms) == (0.0, 0, ())
    assert (report.metrics.ttft.count, report.metrics.ttft.p50, report.goodput.share) == (0, None, None)
    assert report.client.verdict is Verdict.VALID


def test_without_an_slo_ok_is_good() -> None:
    """The share is then that of ok requests."""
    report = load_report(order(slo=None), book(sample(ttft=9.0), slo=None))
    assert (report.goodput.share, report.goodput.slo) == (1.0, {})


def test_a_price_is_of_the_tokens_that_came_and_of_the_good_ones() -> None:
    """Machines for $36 an hour are a cent a second: 20 tokens/s, half of the requests good."""
    some = book(sample(), sample(ttft=9.0))
    report = load_report(order(), some)
    cost = priced(report, 36.0).cost
    assert cost is not None
    assert cost.per_million_tokens == pytest.approx(36 / 3600 / 20 * 1e6)
    assert cost.per_million_good_tokens == pytest.approx(2 * 36 / 3600 / 20 * 1e6)
    assert priced(report, None).cost is None
    nothing = priced(load_report(order(), Book()), 36.0).cost
    assert nothing is not None and nothing.per_million_tokens is None


def test_a_report_survives_json_and_has_a_schema() -> None:
    """Every key of it is described there."""
    report = run(seconds=12, rate=5.0).report
    assert LoadReport.model_validate_json(report.model_dump_json()) == report
    schema = LoadReport.model_json_schema()
    assert set(schema["properties"]) == set(report.model_dump(mode="json"))
    assert schema["additionalProperties"] is False
