"""Provisioning runs and locks on disk: one writer per stack, also when the one before was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.adapters.provision_files import Provisions, new_run
from infra.blueprint.stack import stacks
from infra.errors import Locked
from tests.conftest import ROOT
from tests.fakes_fleet import DEMO

BASE, REGION, *_ = stacks(DEMO)
HOLDS = """
import sys
from pathlib import Path
from cli.adapters.provision_files import Provisions
from infra.blueprint.stack import stacks
from tests.fakes_fleet import DEMO
runs = Provisions(Path(sys.argv[1]), Path(sys.argv[2]), "ben@there")
with runs.held(stacks(DEMO)[0]), runs.driving("provision-1"):
    print("holds", flush=True)
    sys.stdin.read()
"""


def provisions(folder: Path) -> Provisions:
    return Provisions(folder / "journal", folder / "locks", "ana@here")


def holder(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock of the base and drives a run."""
    words = [sys.executable, "-c", HOLDS, str(folder / "journal"), str(folder / "locks")]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "holds\n"
    return process


def test_a_lock_is_held_by_one_and_names_its_owner(tmp_path: Path) -> None:
    """Other stacks are free; a killed owner holds nothing."""
    runs = provisions(tmp_path)
    plan = {"operation": "up", "region": None, "emulated": True, "stacks": [{"stack": BASE.reference}]}
    runs.journal("provision-1").append("plan", **plan)
    with holder(tmp_path) as other:
        with pytest.raises(Locked) as refused, runs.held(BASE):
            pass
        assert f"ben@there on {os.uname().nodename} (process {other.pid})" in refused.value.what
        assert runs.orphans(True) == []
        runs.check_free([REGION])
        other.send_signal(signal.SIGKILL)
        other.wait()
        runs.check_free([BASE, REGION])
        assert [run.name for run in runs.orphans(True)] == ["provision-1"]


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    """The error goes through as it is, also one that is about another lock."""
    runs = provisions(tmp_path)
    with pytest.raises(Locked, match="something else"), runs.held(BASE):
        raise Locked("something else is locked by another process")
    with runs.held(BASE):
        pass
    assert not list((tmp_path / "locks").glob("*.json"))


def test_runs_are_told_oldest_first_and_only_with_a_plan(tmp_path: Path) -> None:
    """A journal of a rollout is none of them."""
    runs = provisions(tmp_path)
    assert runs.all() == []
    for name in ("provision-2", "provision-1", "rollout-x"):
        runs.journal(name).append("plan", operation="up", region=None, emulated=True, stacks=[])
    runs.journal("provision-3").append("note")
    assert [run.name for run in runs.all()] == ["provision-2", "provision-1"]


def test_names_of_runs_sort_by_time_and_never_meet() -> None:
    """Two in one second differ."""
    names = {new_run("up") for _ in range(20)}
    assert len(names) == 20 and all(name.startswith("provision-2") and "-up-" in name for name in names)
