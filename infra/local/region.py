"""A local region as others meet it: bring it up, ask it, take it down. What runs inside is its supervisor's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.errors import Refused, Unavailable
from infra.local import leftover, turn
from infra.local.layout import Facts, Failure, Layout, Owner, Status, read_facts, read_failure, read_owner, read_status
from infra.local.process import MARKER, open_log, tail
from infra.store import CorruptFile

LOOK = 0.03  # seconds between two looks while waiting
UP_LIMIT = 45.0  # seconds; the supervisor itself gives up after 30
DOWN_LIMIT = 10.0
Tell = Callable[[str], None]


class RegionDown(Unavailable):
    """The local region is not up."""


class StartError(Unavailable):
    """The local region did not come up; nothing of it is left running."""


class OtherFleet(Refused):
    """The directory is another fleet's."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to bring up: the fleet's file and name, the region, a seed for the servers, replicas (0: the fleet's)."""

    fleet: str
    name: str
    region: str
    seed: int = 1
    replicas: int = 0


class LocalRegion:
    """The region in one directory."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)

    def supervised(self) -> Owner | None:
        """The supervisor that is alive, if one is."""
        owner = read_owner(self.layout.lock)
        return owner if leftover.alive(owner) else None

    def facts(self) -> Facts:
        """Addresses of a healthy region. Raises RegionDown."""
        facts = read_facts(self.layout) if self.supervised() else None
        if facts is None:
            raise self._down()
        return facts

    def status(self) -> Status:
        """What runs now. Raises RegionDown."""
        status = read_status(self.layout) if self.supervised() else None
        if status is None:
            raise self._down()
        return status

    def leftovers(self) -> list[psutil.Process]:
        """Processes of a life of this region whose supervisor is gone."""
        return [] if self.supervised() else leftover.marked(self.layout.root)

    def memory(self) -> dict[int, int]:
        """Bytes by pid of all the region's processes."""
        owner = self.supervised()
        pids = {process.pid for process in leftover.marked(self.layout.root)} | ({owner.pid} if owner else set())
        return {pid: leftover.memory(pid) for pid in pids}

    def _down(self) -> RegionDown:
        left = len(self.leftovers())
        note = f"; {left} processes of an earlier one are left" if left else ""
        return RegionDown(f"the local region {self.layout.root.name} is not up{note}", next="ops local up")


@dataclass(frozen=True, slots=True)
class Up:
    """A region that is up, and whether it had been before."""

    facts: Facts
    already: bool


def up(root: Path, wanted: Wanted, tell: Tell = lambda line: None) -> Up:
    """Bring the region up and wait until it is healthy. Raises Locked, OtherFleet, StartError."""
    region = LocalRegion(root)
    with turn.alone(region.layout, "up"):
        running = region.supervised()
        facts = read_facts(region.layout) if running else None
        if facts is not None:
            return Up(_same_fleet(facts, wanted), already=True)
        process = None if running else _spawn(region, wanted, tell)
        try:
            return Up(_wait(region, process, tell), already=False)
        except BaseException:
            _stop(region, tell)
            raise


def down(root: Path, tell: Tell = lambda line: None) -> list[str]:
    """Stop the region and whatever an earlier life of it left; returns what was stopped. Raises Locked."""
    region = LocalRegion(root)
    if not root.exists():
        return []
    with turn.alone(region.layout, "down"):
        return _stop(region, tell)


def _same_fleet(facts: Facts, wanted: Wanted) -> Facts:
    if (facts.fleet, facts.region) == (wanted.name, wanted.region):
        return facts
    what = f"the directory holds a running region {facts.region} of fleet {facts.fleet}"
    raise OtherFleet(what, not_done=f"{wanted.region} of {wanted.name} was not started", next="ops local down")


def _spawn(region: LocalRegion, wanted: Wanted, tell: Tell) -> subprocess.Popen[bytes]:
    """Clean what an earlier life left, then start a supervisor that outlives us."""
    layout = region.layout
    for name in leftover.end(leftover.marked(layout.root)):
        tell(f"stopped {name}, left by an earlier region")
    clean(layout)
    with open_log(layout.log("supervisor")) as log:
        return subprocess.Popen(
            _argv(layout.root, wanted),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, MARKER: str(layout.root)},
            start_new_session=True,
        )


def clean(layout: Layout) -> None:
    """Away with what an earlier life of the region wrote and this one must not believe; its logs are kept beside."""
    for name in ("region.json", "status.json", "failure.json"):
        layout.file(name).unlink(missing_ok=True)
    for folder in ("targets", "envoy", "prometheus", "alertmanager", "servers", "logs.1"):
        shutil.rmtree(layout.root / folder, ignore_errors=True)
    if (layout.root / "logs").exists():
        (layout.root / "logs").rename(layout.root / "logs.1")
    for folder in ("targets", "jobs", "logs"):
        (layout.root / folder).mkdir(parents=True, exist_ok=True)


def _argv(root: Path, wanted: Wanted) -> list[str]:
    options = {
        "fleet": wanted.fleet,
        "region": wanted.region,
        "seed": str(wanted.seed),
        "replicas": str(wanted.replicas),
        "dir": str(root),
    }
    pairs = (word for name, value in options.items() for word in (f"--{name}", value))
    return [sys.executable, "-m", "infra.local.supervisor", *pairs]


def _wait(region: LocalRegion, process: subprocess.Popen[bytes] | None, tell: Tell) -> Facts:
    """Until it is healthy; tells of each process when it is ready."""
    until = time.monotonic() + UP_LIMIT
    told: set[str] = set()
    while time.monotonic() < until:
        _tell_ready(region.layout, told, tell)
        ended = process.poll() is not None if process else region.supervised() is None
        facts = None if ended else read_facts(region.layout)
        if facts is not None:
            return facts
        if ended:
            raise _start_error(region.layout)
        time.sleep(LOOK)
    raise _start_error(region.layout)


def _tell_ready(layout: Layout, told: set[str], tell: Tell) -> None:
    status = read_status(layout)
    ready = {name for name, state in status.names().items() if state == "ready"} if status else set()
    for name in sorted(ready - told - {"supervisor"}):
        tell(f"{name} is ready")
    told |= ready


def _start_error(layout: Layout) -> StartError:
    failure = read_failure(layout) or Failure(
        process="supervisor", reason="ended without a reason", tail=tuple(tail(layout.log("supervisor"), 8))
    )
    lines = "".join(f"\n  | {line}" for line in failure.tail)
    what = f"the local region did not come up: {failure.process}: {failure.reason}{lines}"
    return StartError(
        what, not_done="nothing of it is left running", next=failure.next or f"ops local logs {failure.process}"
    )


def _stop(region: LocalRegion, tell: Tell) -> list[str]:
    """Ask the supervisor to stop all; then end whatever is left, by its mark."""
    stopped = []
    owner = region.supervised()
    if owner is not None:
        stopped = _names(region.layout)
        _signal(owner, signal.SIGTERM)
        if not _gone(owner, DOWN_LIMIT):
            tell(f"the supervisor (pid {owner.pid}) does not end; killing it")
            _signal(owner, signal.SIGKILL)
            _gone(owner, 1.0)
    stopped += leftover.end(leftover.marked(region.layout.root))
    for name in ("region.json", "status.json"):
        region.layout.file(name).unlink(missing_ok=True)
    return stopped


def _names(layout: Layout) -> list[str]:
    """What runs; of a region that another version of us started, whose status we cannot read, only the supervisor."""
    try:
        status = read_status(layout)
    except CorruptFile:
        status = None
    return list(status.names()) if status else ["supervisor"]


def _signal(owner: Owner, number: signal.Signals) -> None:
    try:
        os.kill(owner.pid, number)
    except ProcessLookupError:
        return


def _gone(owner: Owner, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while leftover.alive(owner):
        if time.monotonic() > until:
            return False
        time.sleep(LOOK)
    return True
