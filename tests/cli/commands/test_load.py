"""`ops load run` from the outside: what it answers, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra import fleet, state
from infra.store import write_json
from tests.conftest import BIN, ROOT, Ops
from tests.loadtests.truth import Truth, serving

REGION = "eastus2"


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Truth]:
    """A region of the demo fleet, as its files say, whose service `chat` is the server of known truth."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    with serving(Truth()) as server:
        owner = {"pid": os.getpid(), "started": psutil.Process().create_time(), "host": ""}
        here = state.region_dir("demo", REGION)
        facts = {"fleet": "demo", "region": REGION, "supervisor": owner, "services": {"chat": {"url": server.url}}}
        urls = dict.fromkeys(("envoy_admin", "prometheus", "alertmanager"), "http://127.0.0.1:9")
        write_json(here / "lock", owner)
        write_json(here / "region.json", {**facts, **urls})
        yield server


def test_the_report_is_what_clients_saw(truth: Truth, ops: Ops) -> None:
    """Every request of the trace, its outcome and its latencies; the story of it on stderr."""
    truth.behaviours = ("ok", "early")
    done = ops("load", "run", "--service", "chat", "--rate", "60/s", "--duration", "1s", "-o", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (report["apiVersion"], report["kind"]) == ("bellwether/v1", "LoadReport")
    assert report["sent"] == report["done"] == len(truth.asked)
    assert report["outcomes"] == {"ok": truth.done["ok"], "ended_early": truth.done["early"]}
    assert list((state.region_dir("demo", REGION) / "targets").iterdir()) == []


def test_the_table_is_for_people(truth: Truth, ops: Ops) -> None:
    """Arms, percentiles, what was not ok, and what the client cost; nothing wider than a page."""
    truth.behaviours = ("ok", "429")
    done = ops("load", "run", "--service", "chat", "--rate", "60/s", "--duration", "1s", "--seed", "4")
    assert done.returncode == 0, done.stderr
    assert "REQUESTS" in done.stdout and "canary" in done.stdout
    assert "trace conv from seed 4, scaled to 60/s" in " ".join(done.stdout.split())
    assert f"not ok: {truth.done['429']} http_429" in done.stdout
    assert "client: send lag p99" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_load_profile_gives_what_was_not_said(truth: Truth, ops: Ops) -> None:
    """The demo fleet's conversation profile; a trace that is given replaces its own."""
    done = ops("load", "run", "--service", "chat", "--duration", "500ms", "--trace", "code", "-o", "json")
    report = json.loads(done.stdout)
    assert (report["trace"], report["rate_asked"]) == ("code", 120.0)


def test_failed_requests_do_not_fail_the_command(truth: Truth, ops: Ops) -> None:
    """They are facts; a gate is another command."""
    truth.behaviours = ("503",)
    done = ops("load", "run", "--service", "chat", "--rate", "50/s", "--duration", "1s")
    assert done.returncode == 0, done.stderr
    assert "http_5xx" in done.stdout


def test_synthetic_traffic_is_refused_where_it_would_count_as_users(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """The local region has one route. Exit 4, what to write instead, and nothing is sent."""
    file = tmp_path / "demo.yaml"
    file.write_text(fleet.locate("demo").read_text().replace("traffic: user", "traffic: synthetic"))
    done = ops("load", "run", "--service", "chat", "--duration", "1s", "--fleet", str(file))
    assert (done.returncode, done.stdout, truth.asked) == (4, "", [])
    assert "conversation of chat is synthetic" in done.stderr and "leave `traffic: synthetic` out" in done.stderr


@pytest.mark.parametrize("service", ["embed", "moderation"])
def test_a_service_that_streams_nothing_is_not_put_under_load(ops: Ops, service: str) -> None:
    """It says which services can be."""
    done = ops("load", "run", "--service", service, "--fleet", "atlas", "--region", "westeurope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "services that generate: chat, chat-mini" in done.stderr and "no load was started" in done.stderr


def test_a_region_that_is_down_is_sent_nothing(tmp_path: Path, ops: Ops) -> None:
    """Exit 6, and the command that brings it up."""
    done = ops("load", "run", "--service", "chat", state=tmp_path)
    assert (done.returncode, done.stdout) == (6, "")
    assert "next: ops local up" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rate", "20"], "write a rate such as 100/s"),
        (["--rate", "0/s"], "give more than zero"),
        (["--rate", "-5/s"], "--rate"),
        (["--rate", "1000000/s"], "at most 5000/s"),
        (["--duration", "20"], "write a duration such as 500ms, 5m, 30d, or forever"),
        (["--duration", "0s"], "give more than zero"),
        (["--trace", "chat"], "there are conv and code"),
        (["--trace", ""], "there are conv and code"),
        (["--seed", "-1"], "--seed"),
        (["--service", "chatt"], "chat"),
        (["--region", "nowhere"], "eastus2"),
        (["--fleet", "nowhere"], "nowhere"),
        (["--output", "xml"], "xml"),
    ],
    ids=str,
)
def test_wrong_input_says_what_would_be_right(truth: Truth, ops: Ops, arguments: list[str], said: str) -> None:
    """Exit 2, before anything is sent."""
    done = ops("load", "run", *(["--service", "chat"] if "--service" not in arguments else []), *arguments)
    assert (done.returncode, done.stdout, truth.asked) == (2, "", [])
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("duration", "code"), [("60s", 130), ("forever", 0)])
def test_ctrl_c_ends_with_the_report_so_far(truth: Truth, duration: str, code: int) -> None:
    """Interrupted where an end was set; where none was, it is the way to end it. The line of progress is repainted."""
    command = [str(BIN / "ops"), "load", "run", "--service", "chat", "--rate", "50/s", "--duration", duration]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, "-o", "json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    said = _read_until(ours, b" sent at ")
    process.send_signal(signal.SIGINT)
    report = json.loads(process.communicate(timeout=60)[0])
    os.close(ours)
    assert process.returncode == code
    assert b"\r\x1b[K" in said
    assert report["interrupted"] is True
    assert report["sent"] == report["done"] == len(truth.asked) > 0


def _read_until(terminal: int, wanted: bytes) -> bytes:
    said = b""
    while wanted not in said:
        said += os.read(terminal, 4096)
    return said
