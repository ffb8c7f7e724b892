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

from loadtests.arrivals.schedule import schedule
from loadtests.order import Order
from loadtests.report.book import Book
from loadtests.report.load_report import LoadReport
from loadtests.report.reckoning import load_report
from loadtests.run.client import ROOT, Load, LoadError, start
from loadtests.wire import outcome
from loadtests.wire.outcome import ALWAYS, OK, http
from tests.loadtests.truth import Truth, serving

# What the server does, and what the client must call it.
ENDS = {
    "ok": OK,
    "crlf": OK,
    "bytes": OK,
    "comments": OK,
    "preamble": OK,
    "unframed": OK,
    "429": http(429),
    "400": http(400),
    "503": http(503),
    "error": outcome.IN_STREAM_ERROR,
    "early": outcome.ENDED_EARLY,
    "no_done": outcome.ENDED_EARLY,
    "no_finish": outcome.ENDED_EARLY,
    "cut": outcome.RESET,
    "reset": outcome.RESET,
    "hang_up": outcome.RESET,
    "hang": outcome.TIMEOUT_FIRST_TOKEN,
    "stall": outcome.TIMEOUT_GAP,
    "no_json": outcome.MALFORMED,
    "not_http": outcome.MALFORMED,
    "not_a_stream": outcome.MALFORMED,
}
LIMITS = {"first_token": 5, "gap": 5}


def order(url: str, **how: Any) -> Order:
    defaults = {"service": "chat", "model": "m", "url": url, "rate": 60.0, "duration": 1.0, "seed": 1}
    return Order.model_validate({**defaults, **how})


def until(load: Load, sent: int) -> None:
    """Wait until that many requests were sent."""
    assert any(progress.sent >= sent for progress in load.progress())


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Truth, LoadReport, str, Any, Path]]:
    """One run in which the server does everything it can; what Prometheus would have read in its middle."""
    targets = tmp_path_factory.mktemp("targets")
    with serving(Truth(behaviours=tuple(ENDS))) as truth:
        asked = order(
            truth.url, rate=100.0, duration=2.5, timeouts=LIMITS, fleet="demo", region="here", targets=str(targets)
        )
        with start(asked) as load:
            until(load, 60)
            told = json.loads((targets / f"load-{load.pid}.json").read_text())
            metrics = urlopen(f"http://{told[0]['targets'][0]}/metrics").read().decode()
            yield truth, load.wait(), metrics, told, targets


def test_every_end_is_counted_exactly(everything: tuple[Truth, LoadReport, str, Any, Path]) -> None:
    """Each request has the outcome of what the server did to it, none is lost and none counted twice."""
    truth, report, *_ = everything
    did = Counter(ENDS[truth.behaviour(asked)] for asked in truth.asked)
    assert report.outcomes == dict(did)
    assert set(did) == set(ENDS.values())
    assert report.arrivals.scheduled == report.arrivals.sent == report.arrivals.done == len(truth.asked)
    assert report.arrivals.unfinished == 0


def test_only_whole_answers_are_timed(everything: tuple[Truth, LoadReport, str, Any, Path]) -> None:
    """Exactly as many latencies as ok requests."""
    _, report, *_ = everything
    assert report.metrics.ttft.count == report.metrics.e2e.count == report.outcomes[OK]
    assert report.client.kernel_times > 0.5


def test_requests_without_an_arm_are_counted_apart(everything: tuple[Truth, LoadReport, str, Any, Path]) -> None:
    """The arm and the release are what the response headers say."""
    truth, report, *_ = everything
    assert [(arm.arm, arm.release) for arm in report.arms] == [("canary", "v2"), ("unknown", "unknown")]
    assert sum(arm.requests for arm in report.arms) == len(truth.asked)


def test_what_a_judge_looks_at_is_exported_from_the_start(everything: tuple[Truth, LoadReport, str, Any, Path]) -> None:
    """Also where it never happened, at 0: a counter that appears at 1 has no increase to be seen."""
    _, _, metrics, _, _ = everything
    lines = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    for arm, release in (("canary", "v2"), ("unknown", "unknown")):
        for word in ALWAYS:
            name = f'ops_load_requests_total{{arm="{arm}",outcome="{word}",release="{release}",service="chat"}}'
            assert (float(lines[name]) > 0) == (arm == "canary")
    assert 'ops_load_ttft_seconds_bucket{arm="canary",le="0.04",service="chat"}' in lines
    assert 'ops_load_e2e_seconds_bucket{arm="canary",le="0.3",service="chat"}' in lines
    assert not [name for name in lines if "_created" in name]


def test_prometheus_is_told_while_it_runs_and_no_longer(everything: tuple[Truth, LoadReport, str, Any, Path]) -> None:
    """By a file that is gone when the load is."""
    *_, told, targets = everything
    assert told[0]["labels"] == {"fleet": "demo", "region": "here", "job": "load"}
    assert list(targets.iterdir()) == []


def test_requests_say_who_they_are(everything: tuple[Truth, LoadReport, str, Any, Path]) -> None:
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
    with serving(Truth(behaviours=("freeze",))) as truth, start(order(truth.url, duration=2.0)) as load:
        frozen = next(progress for progress in load.progress() if progress.elapsed > 1.5)
        assert frozen.sent == frozen.scheduled > 60
        assert frozen.done == 0
        truth.gate.set()
        report = load.wait()
    assert report.arrivals.scheduled == report.arrivals.sent == report.outcomes[OK] == len(truth.asked)


def test_latencies_are_the_servers() -> None:
    """50 ms to the first token, then 16 tokens every 16 ms; a late [DONE] would be in none of them."""
    with serving(Truth(prefill=0.05, gap=0.016)) as truth, start(order(truth.url, rate=20.0, max_output=161)) as load:
        report = load.wait()
    assert report.metrics.ttft.p50 is not None and 0.05 <= report.metrics.ttft.p50 < 0.09
    assert report.metrics.itl.p50 is not None and 0.015 <= report.metrics.itl.p50 < 0.02
    assert report.metrics.tpot.p50 is not None and 0.0009 <= report.metrics.tpot.p50 < 0.002
    assert report.tokens.output == sum(asked.body["max_tokens"] for asked in truth.asked)


def test_a_closed_loop_keeps_its_streams_open() -> None:
    """So many and no more: each sends its next request when one has ended, on the same connection, until time is up."""
    profile = {"name": "five", "closed": {"streams": 5}, "tokens": {"prompt": 9, "output": 17}}
    with serving(Truth(prefill=0.05)) as truth, start(order(truth.url, rate=None, profile=profile)) as load:
        report = load.wait()
    assert truth.connections == truth.most == 5 < report.arrivals.sent == report.outcomes[OK] == len(truth.asked)
    assert not report.interrupted


def test_a_request_that_was_too_many_is_sent_again_where_that_is_asked_for() -> None:
    """What it waited is not the client's lag."""
    retry = {"most": 1}
    with serving(Truth(("429_once",))) as truth, start(order(truth.url, rate=20.0, retry=retry)) as load:
        report = load.wait()
    assert report.outcomes == {OK: report.arrivals.sent}
    assert report.retries == report.arrivals.sent == len(truth.asked) / 2


def test_embeddings_are_ok_without_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the key goes with them, by its reference."""
    monkeypatch.setenv("A_KEY", "k-1")
    with serving(Truth(("vectors",))) as truth:
        asked = order(truth.url, api="embeddings", credentials=["env:A_KEY"])
        with start(asked) as load:
            report = load.wait()
    assert report.outcomes == {OK: len(truth.asked)}
    assert {(one.path, one.headers["authorization"]) for one in truth.asked} == {("/v1/embeddings", "Bearer k-1")}
    assert report.metrics.ttft.count == 0 < report.metrics.e2e.count
    assert "k-1" not in report.model_dump_json()


def test_a_port_that_nobody_listens_on_is_refused() -> None:
    """Facts, not an error: the report says so."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with start(order(url)) as load:
        report = load.wait()
    assert report.outcomes == {outcome.REFUSED: report.arrivals.sent}
    assert [arm.arm for arm in report.arms] == ["unknown"]


def test_an_endless_load_ends_when_it_is_stopped() -> None:
    """Requests that are open may end, and the summary is of everything."""
    with serving(Truth(prefill=0.3)) as truth, start(order(truth.url, duration=None)) as load:
        until(load, 10)
        report = load.stop()
    assert report.interrupted
    assert report.arrivals.sent == report.outcomes[OK] == len(truth.asked) >= 10


@pytest.mark.parametrize("grace", [0.0, 30.0])
def test_what_does_not_end_is_cut_off(grace: float) -> None:
    """After the grace; and within it when the load is told to stop twice."""
    with serving(Truth(behaviours=("hang",))) as truth, start(order(truth.url, duration=None, grace=grace)) as load:
        until(load, 10)
        if grace:
            os.kill(load.pid, signal.SIGTERM)
        report = load.stop()
    assert report.arrivals.sent == report.arrivals.unfinished >= 10
    assert report.arrivals.done == 0


def test_a_client_that_cannot_start_says_why() -> None:
    """What a person can mend is told in one line, without a trace of the code."""
    with pytest.raises(LoadError, match=r"did not start: .*nope\.csv cannot be read.*; no load was started$") as caught:
        start(order("http://127.0.0.1:9", profile={"name": "nope", "trace": "./nope.csv", "rate": "1/s"}))
    assert not hasattr(caught.value, "__notes__")


def test_a_client_that_dies_is_an_error() -> None:
    """Not an empty summary."""
    with serving(Truth()) as truth:
        load = start(order(truth.url, duration=None))
        load.kill()
        with pytest.raises(LoadError, match="died: exit code -9"):
            load.wait()


def test_several_workers_are_one_load() -> None:
    """They begin together, send the whole order and nothing twice, and are counted as one would have counted."""
    with serving(Truth(("ok", "503"))) as truth:
        asked = order(truth.url, duration=1.5)
        with start(asked, workers=3) as load:
            told = list(load.progress())
            report = load.wait()
    due = [one.request for one in schedule(asked)]
    assert sorted(one.headers["x-request-id"] for one in truth.asked) == sorted(due)
    assert report.outcomes == {OK: truth.done["ok"], http(503): truth.done["503"]}
    assert report.arrivals.scheduled == report.arrivals.sent == report.arrivals.done == len(due)
    assert report.metrics.ttft.count == truth.done["ok"]
    assert (report.client.processes, len(set(load.pids))) == (3, 3)
    assert [one.arrivals.scheduled for one in _each(load)] == [len(due[index::3]) for index in range(3)]
    assert [one.elapsed for one in told] == sorted(one.elapsed for one in told)
    assert load.latest is not None and 0 < load.latest.sent <= len(due)


def test_workers_keep_the_streams_of_a_closed_loop_open_together() -> None:
    """Also where there are more workers than streams: one of them has nothing to do."""
    profile = {"name": "two", "closed": {"streams": 2}, "tokens": {"prompt": 9, "output": 17}}
    with serving(Truth(prefill=0.05)) as truth:
        report = start(order(truth.url, rate=None, profile=profile, duration=0.5), workers=3).wait()
    assert truth.most == 2 < report.arrivals.sent == report.outcomes[OK] == len(truth.asked)
    assert report.elapsed >= 0.5


def test_all_workers_are_stopped_together() -> None:
    """With a report of everything that they sent."""
    with serving(Truth()) as truth, start(order(truth.url, duration=None), workers=2) as load:
        until(load, 10)
        report = load.stop()
    assert report.interrupted and report.client.processes == 2
    assert report.arrivals.sent == report.outcomes[OK] == len(truth.asked) >= 10


def test_a_worker_that_dies_ends_the_load() -> None:
    """A part of a load is another load: no report, and the others send nothing more."""
    with serving(Truth()) as truth:
        load = start(order(truth.url, duration=None), workers=2)
        os.kill(load.pids[1], signal.SIGKILL)
        with pytest.raises(LoadError, match="load client 2 of 2 died: exit code -9"):
            load.wait(30)
        for pid in load.pids:
            _gone(pid)


def _each(load: Load) -> list[LoadReport]:
    return [load_report(order, book) for order, book in load.books]


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
    told = next(json.loads(line) for line in lines if '"kind": "book"' in line)
    outcomes = Book.from_json(told["book"]).outcomes()
    (stats,) = [entry for entry in json.loads("\n".join(lines[lines.index("[") :])) if entry["method"] == "SSE"]
    assert stats["name"] == "chat"
    assert stats["num_requests"] == sum(outcomes.values()) == len(truth.asked)
    assert stats["num_failures"] == outcomes[outcome.ENDED_EARLY] > 0
    assert stats["min_response_time"] >= 50


def test_the_process_brings_neither_locusts_page_nor_a_yaml_parser() -> None:
    """They are a fifth of the time until the first request; who asks for the page is told where it is."""
    look = """
import sys
from loadtests.run.process import leave_out_page
leave_out_page()
import loadtests.locustfile
from locust.env import Environment
print(sorted({"flask", "werkzeug", "jinja2", "yaml"} & set(sys.modules)))
Environment().create_web_ui()
"""
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n"
    assert done.stderr.splitlines()[-1] == (
        "RuntimeError: this client serves no page; `locust -f loadtests/locustfile.py` does"
    )
