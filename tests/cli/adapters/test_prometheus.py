"""What the judge is given is what was counted: against a real Prometheus that scrapes known numbers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from typing import Any

import psutil
import pytest

from cli.adapters.prometheus import MetricsError, Prometheus, RegionMetrics
from cli.rollouts.evidence import Count, Look
from cli.rollouts.plan import Plan, Signal
from tests.cli.adapters.exporter import REGION, SERVICE, Exporter, prometheus
from tests.cli.drill import until
from tests.fakes import PLAN

STALE = 1.0
WATCHED: Plan = replace(PLAN, signals=(Signal("errors", None, 5.0, 0.02, True), Signal("ttft", 0.25, 3.0, None, True)))
TTFT = "vllm:time_to_first_token_seconds_bucket"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """An exporter with two arms that have answered before, and its Prometheus."""
    with prometheus(tmp_path_factory.mktemp("prometheus")) as made:
        for arm in ("canary", "baseline"):
            requests(made, arm, 100)
        yield made


@pytest.fixture
def exporter(shared: Exporter) -> Iterator[Exporter]:
    """The same, whole before each test; counters only grow, and looks see differences."""
    shared.heal()
    yield shared


def requests(exporter: Exporter, arm: str, count: int, code: str = "200", flags: str = "-") -> None:
    labels = f"service={SERVICE}__arm={arm}__code={code}__flags={flags}"
    exporter.add("envoy", **{f"envoy_ops_requests__{labels}": count})


def first_tokens(exporter: Exporter, arm: str, **within: int) -> None:
    """Counts by upper bound: at_0_25=3 for `le="0.25"`, at_inf for all."""
    for bound, count in within.items():
        le = bound.removeprefix("at_").replace("_", ".").replace("inf", "+Inf")
        exporter.add(arm, **{f"{TTFT}__le={le}": count})


def metrics(exporter: Exporter) -> RegionMetrics:
    return RegionMetrics(Prometheus(exporter.url), REGION, STALE)


def looked(exporter: Exporter, after: float, until: float, weight: float = 25.0) -> Look:
    """The one look from `after` to `until`."""
    (look,) = metrics(exporter).looks(replace(WATCHED, look=until - after), after, until, weight)
    return look


def test_every_response_is_counted_once_and_in_its_own_interval(exporter: Exporter) -> None:
    """5xx, resets, errors in the stream and early ends are bad; refusals and clients that left are nobody's."""
    times = [exporter.settled()]
    for step in (1, 2):
        requests(exporter, "canary", 50 * step)
        requests(exporter, "canary", 3 * step, code="503")
        requests(exporter, "canary", 2, flags="UC")
        requests(exporter, "canary", 7, code="429")
        requests(exporter, "canary", 9, code="0", flags="DC")
        requests(exporter, "baseline", 60)
        exporter.add("canary", **{"vllm:request_success_total__finished_reason=error": 4})
        exporter.add("canary", **{"vllm:request_success_total__finished_reason=stop": 40})
        exporter.add("client", **{f"ops_load_requests_total__service={SERVICE}__arm=canary__outcome=ended_early": 1})
        times.append(exporter.settled())
    first, second = (looked(exporter, *pair) for pair in pairwise(times))
    assert first.arms["canary"]["errors"] == Count(50 + 3 + 2, 3 + 2 + 4 + 1)
    assert second.arms["canary"]["errors"] == Count(100 + 6 + 2, 6 + 2 + 4 + 1)
    assert first.arms["baseline"]["errors"] == second.arms["baseline"]["errors"] == Count(60, 0)
    assert first.problem == second.problem == ""


def test_a_fine_grid_adds_up_to_the_whole(exporter: Exporter) -> None:
    """Nothing is lost or counted twice between the looks, wherever their times fall."""
    start = exporter.settled()
    for _ in range(6):
        requests(exporter, "canary", 11)
        requests(exporter, "canary", 1, code="500")
        exporter.settled()
    plan, end = replace(WATCHED, look=0.07), exporter.settled()
    steps = int((end - start) / plan.look) + 1
    looks = metrics(exporter).looks(plan, end - steps * plan.look, end, 25.0)
    counts = [look.arms["canary"]["errors"] for look in looks if not look.problem]
    assert len(counts) == len(looks) == steps
    assert sum(counts, Count(0, 0)) == Count(72, 6)
    assert [look.at for look in looks][-1] == pytest.approx(end)


def test_latencies_are_counted_above_their_bucket(exporter: Exporter) -> None:
    """Responses above the threshold, of all; a bound that is no bucket counts nothing as within."""
    first_tokens(exporter, "canary", at_0_1=5, at_0_25=10, at_inf=10)
    start = exporter.settled()
    first_tokens(exporter, "canary", at_0_1=1, at_0_25=6, at_inf=9)
    end = exporter.settled()
    assert looked(exporter, start, end).arms["canary"]["ttft>0.25s"] == Count(9, 3)


def test_a_counter_that_was_reset_counts_on(exporter: Exporter) -> None:
    """Envoy restarted: what it counted since is new, and nothing is negative."""
    start = exporter.settled()
    exporter.pages["envoy"].clear()
    requests(exporter, "canary", 8)
    requests(exporter, "baseline", 9)
    end = exporter.settled()
    look = looked(exporter, start, end)
    assert (look.arms["canary"]["errors"], look.arms["baseline"]["errors"]) == (Count(8, 0), Count(9, 0))


def test_a_series_that_is_born_counts_from_zero(exporter: Exporter) -> None:
    """The first error makes its series, and it is an error."""
    start = exporter.settled()
    requests(exporter, "canary", 2, code="504")
    end = exporter.settled()
    assert looked(exporter, start, end).arms["canary"]["errors"] == Count(2, 2)


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("envoy", "no fresh sample of Envoy for chat"),
        ("canary", "no fresh sample of the canary replicas"),
        ("baseline", "no fresh sample of the baseline replicas"),
    ],
)
def test_a_target_that_does_not_answer_makes_the_look_no_evidence(exporter: Exporter, page: str, problem: str) -> None:
    """Although Prometheus goes on writing that it is down; and it is evidence again when it is back."""
    exporter.broken.add(page)
    broken = exporter.settled()
    until(lambda: time.time() > broken + STALE)
    now = exporter.settled()
    assert looked(exporter, now - 0.2, now) == Look(now, 25.0, {}, problem)
    exporter.heal()
    now = exporter.settled()
    assert looked(exporter, now - 0.2, now).problem == ""


def test_a_label_that_moved_makes_the_look_no_evidence(exporter: Exporter) -> None:
    """The canary runs another release than the plan says."""
    exporter.releases["canary"] = "v9"
    exporter.place()
    until(lambda: exporter.known("canary") == "v9")
    moved = exporter.settled()
    look = looked(exporter, moved - 0.2, moved)
    assert look.problem.startswith("the canary replicas run v") and look.problem.endswith("not v2")
    assert look.arms == {}


def test_a_bake_needs_no_baseline(exporter: Exporter) -> None:
    """At 100 % there is none; on the ladder it must be there."""
    del exporter.releases["baseline"]
    exporter.place()
    until(lambda: exporter.known("baseline") == "")
    gone = time.time()
    until(lambda: time.time() > gone + STALE)
    now = time.time()
    assert looked(exporter, now - 0.2, now, 100.0).problem == ""
    assert looked(exporter, now - 0.2, now).problem == "no fresh sample of the baseline replicas"


def test_without_any_request_the_reason_is_the_missing_traffic(exporter: Exporter) -> None:
    """Envoy answers and has nothing to say of the service."""
    end = exporter.settled()
    (look,) = metrics(exporter).looks(replace(WATCHED, service="chat-mini", look=0.2), end - 0.2, end, 25.0)
    assert look.problem == "no request for chat-mini has come yet: there is nothing to judge without traffic"


def test_thresholds_are_bounds_at_the_stable_arms_quantiles(exporter: Exporter) -> None:
    """Of the window's responses alone; an empty histogram has none, nor has what only the last bucket holds."""
    now = exporter.settled()
    assert metrics(exporter).thresholds(SERVICE, "ttft", (0.5, 0.95, 0.99), 60.0, now) == []
    first_tokens(exporter, "stable", at_0_1=0, at_0_25=0, at_inf=0)  # as vLLM does from its start
    exporter.settled()
    first_tokens(exporter, "stable", at_0_1=60, at_0_25=97, at_inf=100)
    now = exporter.settled()
    assert metrics(exporter).thresholds(SERVICE, "ttft", (0.5, 0.95, 0.99), 60.0, now) == [0.1, 0.25]


def test_a_prometheus_that_is_down_or_frozen_is_unavailable(exporter: Exporter) -> None:
    """In time, with the next command; a query that it refuses says so."""
    now = time.time()
    with pytest.raises(MetricsError, match="refused the query"):
        Prometheus(exporter.url).raw("{", 1.0, now)
    os.kill(exporter.process.pid, signal.SIGSTOP)
    until(lambda: psutil.Process(exporter.process.pid).status() == psutil.STATUS_STOPPED)  # not at once
    try:
        with pytest.raises(MetricsError, match="did not answer in time"):
            Prometheus(exporter.url, timeout=0.3).raw("up", 1.0, now)
    finally:
        os.kill(exporter.process.pid, signal.SIGCONT)
    nobody = Prometheus("http://127.0.0.1:9")
    with pytest.raises(MetricsError, match="does not answer") as error:
        RegionMetrics(nobody, REGION, STALE).looks(WATCHED, now - 1, now, 25.0)
    assert error.value.next == "ops local status" and "Max retries" not in error.value.what


class Canned(BaseHTTPRequestHandler):
    """A Prometheus that always says the same."""

    said = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def canned() -> Iterator[tuple[str, type[Canned]]]:
    """The address of a server, and what it says."""
    handler = type("Said", (Canned,), {})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


def test_a_warning_makes_the_look_no_evidence(canned: tuple[str, type[Canned]]) -> None:
    """Prometheus answered, and said itself that the answer may be incomplete."""
    url, server = canned
    server.said = b'{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["one block is lost"]}'
    (look,) = RegionMetrics(Prometheus(url), REGION, STALE).looks(WATCHED, 10.0, 11.0, 25.0)
    assert look == Look(11.0, 25.0, {}, "Prometheus warned: one block is lost")


@pytest.mark.parametrize("said", [b"<html>", b"{}", b'{"status":"success"}', b"[]", b""])
def test_what_is_no_answer_of_prometheus_is_unavailable(canned: tuple[str, type[Canned]], said: bytes) -> None:
    """A proxy's page, an empty answer: never a traceback."""
    url, server = canned
    server.said = said
    with pytest.raises(MetricsError):
        Prometheus(url).raw("up", 1.0, 10.0)
