"""The lease of one writer: who holds it, when it may be taken, and a token that only grows - with real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli.adapters.lease_file import TTL, LeaseFile
from infra.errors import Locked
from infra.store import CorruptFile
from tests.conftest import ROOT

HOLDER = """
import sys, pathlib
from cli.adapters.lease_file import LeaseFile
from infra.errors import Locked
lease = LeaseFile(pathlib.Path(sys.argv[1]), "other@there", "rollout-b")
sys.stdin.readline()
try:
    print(lease.acquire(), flush=True)
except Locked as error:
    print(error.what, flush=True)
sys.stdin.readline()
try:
    print(lease.renew(), flush=True)
except Locked as error:
    print(error.what, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leases" / "chat.eastus2.json"


class Other:
    """Another process that wants the lease; it does one thing for each `go`."""

    def __init__(self, path: Path) -> None:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], cwd=ROOT, **pipes)

    def tell(self) -> None:
        self.process.stdin.write("\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]

    def hear(self) -> str:
        return str(self.process.stdout.readline().strip())  # type: ignore[union-attr]

    def go(self) -> str:
        self.tell()
        return self.hear()

    def __enter__(self) -> Other:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def mine(path: Path) -> LeaseFile:
    return LeaseFile(path, "me@here", "rollout-a")


def outlived(path: Path, seconds: float) -> None:
    """Let the lease be `seconds` older than it is."""
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "renewed": data["renewed"] - seconds}))


def test_a_living_holder_keeps_it_and_is_named(path: Path) -> None:
    """Person, host, process, and for how long."""
    with Other(path) as other:
        assert other.go() == "1"
        with pytest.raises(Locked) as refused:
            mine(path).acquire()
        holder = mine(path).holder()
        assert holder is not None and holder["pid"] == other.process.pid
    said = refused.value.what
    assert f"rollout-b is driven by other@there on {socket.gethostname()} (process {other.process.pid}) for 0 s" in said
    assert refused.value.next == "ops rollout watch chat"


@pytest.mark.parametrize("reaped", [True, False], ids=["reaped", "zombie"])
def test_a_dead_holder_does_not_keep_it(path: Path, reaped: bool) -> None:
    """At once, also where nobody has collected its exit code; the token goes on."""
    with Other(path) as other:
        assert other.go() == "1"
        other.process.kill()
        os.waitid(os.P_PID, other.process.pid, os.WEXITED | (0 if reaped else os.WNOWAIT))
        assert mine(path).holder() is None
        assert mine(path).acquire() == 2


def test_a_paused_holder_loses_it_and_learns_that(path: Path) -> None:
    """Stopped until its time is over: another takes it with a newer token; awake again, it is told who has it."""
    with Other(path) as other:
        assert other.go() == "1"
        os.kill(other.process.pid, signal.SIGSTOP)
        outlived(path, TTL)
        taker = mine(path)
        assert taker.acquire() == 2
        other.tell()
        os.kill(other.process.pid, signal.SIGCONT)
        assert other.hear().startswith("rollout-a is driven by me@here")
        assert taker.renew() == 2


def test_of_many_at_once_exactly_one_gets_it(path: Path) -> None:
    """Real processes, told to go together."""
    others = [Other(path) for _ in range(4)]
    for other in others:
        other.tell()
    said = [other.hear() for other in others]
    for other in others:
        other.__exit__()
    assert sorted(said)[0] == "1" and sum(answer.isdigit() for answer in said) == 1


def test_tokens_only_grow(path: Path) -> None:
    """Over acquire, bump, release, a floor from the region, and a file that was lost."""
    lease = mine(path)
    tokens = [lease.acquire(), lease.bump(), lease.renew()]
    lease.release()
    tokens += [mine(path).acquire(), mine(path).bump(floor=40)]
    path.unlink()
    tokens.append(mine(path).acquire(floor=41))
    assert tokens == [1, 2, 2, 3, 41, 42]


def test_a_lease_that_was_given_up_is_not_renewed(path: Path) -> None:
    """Whoever released it, or lost its file, drives no more."""
    lease = mine(path)
    lease.acquire()
    lease.release()
    with pytest.raises(Locked, match="given up"):
        lease.renew()
    assert mine(path).holder() is None


def test_a_renewal_counts_from_its_own_time(path: Path) -> None:
    """It is written again before it is old."""
    lease = mine(path)
    lease.acquire()
    outlived(path, TTL - 1)
    lease.renew()
    assert time.time() - json.loads(path.read_text())["renewed"] < TTL / 2


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"token": "x"}', '{"token": 1, "owner": {}}'])
def test_a_file_that_is_no_lease_is_told_and_kept(path: Path, text: str) -> None:
    """Nothing is guessed from it."""
    path.parent.mkdir()
    path.write_text(text)
    for act in (mine(path).acquire, mine(path).holder, mine(path).bump):
        with pytest.raises(CorruptFile):
            act()
    assert path.read_text() == text
