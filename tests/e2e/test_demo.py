"""`make demo`, once, as a newcomer runs it: on its own region, under real traffic, from the first line to the last."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.local.process import MARKER
from tests.conftest import ROOT

LIMIT = 240.0  # seconds; the demo itself promises 120 on an idle machine
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this demo keeps its state."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(state: Path) -> Done:
    """The demo, run once."""
    environment = {**os.environ, "XDG_STATE_HOME": str(state), "OPS_ARGS": "-o json"}
    environment.pop("OPS_STATE", None)
    command = ["make", "--silent", "demo"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
    )


@pytest.fixture(scope="module")
def answer(demo: Done) -> dict[str, Any]:
    """What it printed on stdout."""
    assert demo.returncode == 0, demo.stderr
    data: dict[str, Any] = json.loads(demo.stdout)
    return data


def test_the_good_release_is_promoted_and_the_bad_ones_are_rolled_back(answer: dict[str, Any]) -> None:
    """Each by evidence, and the one that breaks streams although every HTTP status of it is 200."""
    ended = {one["to"]: (one["from"], one["phase"]) for one in answer["rollouts"]}
    assert ended == {"v2": ("v1", "promoted"), "v3": ("v2", "rolled back"), "v4": ("v2", "rolled back")}


def test_each_rollback_blames_what_is_wrong(answer: dict[str, Any]) -> None:
    """Errors for v3, a latency for v4."""
    reasons = {one["to"]: one["reason"] for one in answer["rollouts"]}
    assert reasons["v3"].startswith("errors: ")
    assert reasons["v4"].partition(">")[0] in ("ttft", "e2e")


def test_the_journals_are_where_it_says(answer: dict[str, Any]) -> None:
    """They outlive the region."""
    assert all(Path(one["journal"]).is_file() for one in answer["rollouts"])


def test_every_request_that_was_due_was_sent(answer: dict[str, Any]) -> None:
    """An open loop drops nothing."""
    arrivals = answer["traffic"]["arrivals"]
    assert arrivals["sent"] == arrivals["scheduled"] > 1000


def test_the_story_reads_the_same_without_a_terminal(demo: Done) -> None:
    """No colour, no repainting, nothing of a traceback."""
    assert "\x1b" not in demo.stdout + demo.stderr
    assert "Traceback" not in demo.stderr
    assert all(f"release   {version}" in demo.stderr for version in ("v2", "v3", "v4"))


def test_nothing_of_it_runs_afterwards(answer: dict[str, Any], state: Path) -> None:
    """Neither servers nor supervisor nor client."""
    assert answer
    assert [process.pid for process in psutil.process_iter() if _marked(process, state)] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_stopped_puts_everything_away(tmp_path: Path, number: signal.Signals) -> None:
    """By Ctrl-C, by a terminal that closes: the region goes down before the command ends."""
    command = [str(ROOT / ".venv" / "bin" / "ops"), "demo"]
    environment = {**os.environ, "OPS_STATE": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr
        assert any(line.startswith("traffic ") for line in run.stderr)
        run.send_signal(number)
        run.stderr.read()
    assert run.returncode == 130
    assert [process.pid for process in psutil.process_iter() if _marked(process, tmp_path)] == []


def _marked(process: psutil.Process, state: Path) -> bool:
    try:
        return process.environ().get(MARKER, "").startswith(str(state))
    except psutil.Error:
        return False
