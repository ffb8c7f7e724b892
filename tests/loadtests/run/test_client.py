"""The client against a server of known truth: all is sent when due, counted exactly, timed from its sending."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from loadtests.order import Order
from loadtests.report.summary import Summary
from loadtests.run.client import ROOT, Load, LoadError, start
from loadtests.wire.outcome import Outcome
from tests.loadtests.truth import Truth, serving

# What the server does, and what the client must call it.
ENDS = {
    "ok": Outcome.OK,
    "crlf": Outcome.OK,
    "bytes": Outcome.OK,
    "comments": Outcome.OK,
    "unframed": Outcome.OK,
    "429": Outcome.HTTP_429,
    "400": Outcome.HTTP_4XX,
    "503": Outcome.HTTP_5XX,
    "error": Outcome.IN_STREAM_ERROR,
    "early": Outcome.ENDED_EARLY,
    "no_done": Outcome.ENDED_EARLY,
    "no_finish": Outcome.ENDED_EARLY,
    "cut": Outcome.RESET,
    "reset": Outcome.RESET,
    "hang_up": Outcome.RESET,
    "hang": Outcome.TIMEOUT,
    "no_json": Outcome.MALFORMED,
    "not_http": Outcome.MALFORMED,
    "not_a_stream": Outcome.MALFORMED,
}


def order(url: str, **how: Any) -> Order:
    defaults = {"service": "chat", "model": "m", "url": url, "rate": 60.0, "duration": 1.0, "seed": 1}
    return Order.model_validate({**defaults, **how})


def until(load: Load, sent: int) -> None:
    """Wait until that many requests were sent."""
    assert any(progress.sent >= sent for progress in load.progress())


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Truth, Summary, str, Any, Path]]:
    """One run in which the server does everything it can; what Prometheus would have read in its middle."""
    targets = tmp_path_factory.mktemp("targets")
    with serving(Truth(behaviours=tuple(ENDS))) as truth:
        asked = order(truth.url, rate=100.0, duration=2.5, timeout=6, fleet="demo", region="here", targets=str(targets))
        with start(asked) as load:
            until(load, 60)
            told = json.loads((targets / f"load-{load.pid}.json").read_text())
            metrics = urlopen(f"http://{told[0]['targets'][0]}/metrics").read().decode()
            yield truth, load.wait(), metrics, told, targets


def test_every_end_is_counted_exactly(everything: tuple[Truth, Summary, str, Any, Path]) -> None:
    """Each request has the outcome of what the server did to it, none is lost and none counted twice."""
    truth, summary, *_ = everything
    did = Counter(ENDS[truth.behaviour(asked)] for asked in truth.asked)
    assert summary.outcomes == dict(did)
    assert set(did) == set(Outcome) - {Outcome.REFUSED}
    assert summary.scheduled == summary.sent == summary.done == len(truth.asked)
    assert summary.unfinished == 0


def test_only_whole_answers_are_timed(everything: tuple[Truth, Summary, str, Any, Path]) -> None:
    """Exactly as many latencies as ok requests."""
    _, summary, *_ = everything
    assert summary.ttft.count == summary.e2e.count == summary.itl.count == summary.outcomes[Outcome.OK]


def test_requests_without_an_arm_are_counted_apart(everything: tuple[Truth, Summary, str, Any, Path]) -> None:
    """The arm and the release are what the response headers say."""
    truth, summary, *_ = everything
    assert [(arm.arm, arm.release) for arm in summary.arms] == [("canary", "v2"), ("unknown", "unknown")]
    assert sum(arm.requests for arm in summary.arms) == len(truth.asked)


def test_every_outcome_of_an_arm_is_exported_from_the_start(everything: tuple[Truth, Summary, str, Any, Path]) -> None:
    """Also those that never happened, at 0: a counter that appears at 1 has no increase to be seen."""
    _, _, metrics, _, _ = everything
    lines = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    for outcome in Outcome:
        name = f'ops_load_requests_total{{arm="canary",outcome="{outcome}",release="v2",service="chat"}}'
        assert (float(lines[name]) > 0) == (outcome in set(ENDS.values()) - UNKNOWN)
    assert 'ops_load_ttft_seconds_bucket{arm="canary",le="0.04",service="chat"}' in lines
    assert 'ops_load_e2e_seconds_bucket{arm="canary",le="0.3",service="chat"}' in lines
    assert not [name for name in lines if "_created" in name]


# Outcomes that the truth server makes without its headers of an arm.
UNKNOWN = {Outcome.HTTP_429, Outcome.HTTP_4XX, Outcome.HTTP_5XX, Outcome.TIMEOUT, Outcome.REFUSED}


def test_prometheus_is_told_while_it_runs_and_no_longer(everything: tuple[Truth, Summary, str, Any, Path]) -> None:
    """By a file that is gone when the load is."""
    *_, told, targets = everything
    assert told[0]["labels"] == {"fleet": "demo", "region": "here", "job": "load"}
    assert list(targets.iterdir()) == []


def test_requests_say_who_they_are(everything: tuple[Truth, Summary, str, Any, Path]) -> None:
    """And ask for as many tokens as the trace says, in a prompt of as many words."""
    truth, *_ = everything
    headers = truth.asked[0].headers
    assert headers["x-ops-class"] == "user"
    assert headers["x-session-id"] == f"s-{headers['x-request-id']}"
    assert {"u-"} == {asked.headers["x-user-id"][:2] for asked in truth.asked}
    assert min(len(asked.body["messages"][0]["content"].split()) for asked in truth.asked) > 1
    assert len({asked.body["max_tokens"] for asked in truth.asked}) > 20


def test_a_frozen_server_is_sent_everything_that_is_due() -> None:
    """The open loop: arrivals do not wait for answers, which all come when the server goes on."""
    with serving(Truth(behaviours=("freeze",))) as truth, start(order(truth.url, duration=2.0, timeout=30)) as load:
        frozen = next(progress for progress in load.progress() if progress.elapsed > 1.5)
        assert frozen.sent == frozen.scheduled > 60
        assert frozen.done == 0
        truth.gate.set()
        summary = load.wait()
    assert summary.scheduled == summary.sent == summary.outcomes[Outcome.OK] == len(truth.asked)


def test_latencies_are_the_servers() -> None:
    """50 ms to the first token, then 16 tokens every 16 ms; a late [DONE] would be in none of them."""
    with serving(Truth(prefill=0.05, gap=0.016)) as truth, start(order(truth.url, rate=20.0, max_output=161)) as load:
        summary = load.wait()
    assert summary.ttft.p50 is not None and 0.05 <= summary.ttft.p50 < 0.08
    assert summary.itl.p50 is not None and 0.001 <= summary.itl.p50 < 0.002
    assert summary.tokens == sum(asked.body["max_tokens"] for asked in truth.asked)


def test_connections_are_used_again() -> None:
    """Else the time to connect would be in every latency."""
    with serving(Truth()) as truth, start(order(truth.url, rate=100.0)) as load:
        summary = load.wait()
    assert truth.connections < summary.done / 3


def test_a_port_that_nobody_listens_on_is_refused() -> None:
    """Facts, not an error: the report says so."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with start(order(url)) as load:
        summary = load.wait()
    assert summary.outcomes == {Outcome.REFUSED: summary.sent}
    assert [arm.arm for arm in summary.arms] == ["unknown"]


def test_an_endless_load_ends_when_it_is_stopped() -> None:
    """Requests that are open may end, and the summary is of everything."""
    with serving(Truth(prefill=0.3)) as truth, start(order(truth.url, duration=None)) as load:
        until(load, 10)
        summary = load.stop()
    assert summary.interrupted
    assert summary.sent == summary.outcomes[Outcome.OK] == len(truth.asked) >= 10


@pytest.mark.parametrize("grace", [0.0, 30.0])
def test_what_does_not_end_is_cut_off(grace: float) -> None:
    """After the grace; and within it when the load is told to stop twice."""
    with serving(Truth(behaviours=("hang",))) as truth, start(order(truth.url, duration=None, grace=grace)) as load:
        until(load, 10)
        if grace:
            os.kill(load.pid, signal.SIGTERM)
        summary = load.stop()
    assert summary.sent == summary.unfinished >= 10
    assert summary.done == 0


def test_a_client_that_cannot_start_says_why() -> None:
    """And what it said is a note of the error."""
    with pytest.raises(LoadError, match="did not start: TraceError: there is no trace 'nope'") as caught:
        start(order("http://127.0.0.1:9", trace="nope"))
    assert any("nope" in note for note in caught.value.__notes__)


def test_a_client_that_dies_is_an_error() -> None:
    """Not an empty summary."""
    with serving(Truth()) as truth:
        load = start(order(truth.url, duration=None))
        load.kill()
        with pytest.raises(LoadError, match="died: exit code -9"):
            load.wait()


def test_a_load_does_not_outlive_who_started_it() -> None:
    """Not even when that was killed: the client sees the end of its input."""
    with serving(Truth()) as truth:
        text = order(truth.url, duration=None).model_dump_json()
        code = (
            "import os, sys; from loadtests.run.client import start; from loadtests.order import Order\n"
            "print(start(Order.model_validate_json(sys.argv[1])).pid, flush=True); os.kill(os.getpid(), 9)"
        )
        parent = subprocess.run(
            [sys.executable, "-c", code, text], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert parent.returncode == -signal.SIGKILL, parent.stderr
        _gone(int(parent.stdout))


def _gone(pid: int) -> None:
    try:
        psutil.Process(pid).wait(timeout=20)
    except psutil.NoSuchProcess:
        return


def test_locust_itself_counts_the_same(tmp_path: Path) -> None:
    """`locust -f` runs the same file: one entry for the service, whole times, and outcomes as its failures."""
    with serving(Truth(behaviours=("ok", "early"), prefill=0.05)) as truth:
        command = [
            str(Path(sys.executable).with_name("locust")),
            "-f",
            "loadtests/locustfile.py",
            "--headless",
            "--json",
        ]
        done = subprocess.run(
            [*command, "--skip-log", "--order", order(truth.url).model_dump_json()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    lines = done.stdout.splitlines()
    summary = next(json.loads(line) for line in lines if '"kind": "summary"' in line)
    (stats,) = json.loads("\n".join(lines[lines.index("[") :]))
    assert (stats["method"], stats["name"]) == ("SSE", "chat")
    assert stats["num_requests"] == summary["done"] == len(truth.asked)
    assert stats["num_failures"] == summary["outcomes"]["ended_early"]
    assert stats["min_response_time"] >= 50
