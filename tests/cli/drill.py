"""A local region for rollout tests: quick policy, one replica, traffic where it is wanted, and `ops` beside it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from cli.wiring import Place, place
from infra import fleet
from infra.local.region import Wanted, down, up
from loadtests.order import Order
from loadtests.run import client
from tests.conftest import BIN, ROOT, Done

NAME, REGION, SERVICE = "drill", "eastus2", "chat"
RATE = 60.0  # requests per second: two cores stay half idle
PATIENCE = 60.0  # seconds that nothing here takes on a machine that is not dead

QUICK = {  # wide tolerances, so that few seconds of traffic are proof
    "errors: {ratio: 5, floor: 2%}": "errors: {ratio: 5, floor: 20%}",
    "ttft: {ratio: 3}": "ttft: {ratio: 3, floor: 30%}",
    "e2e: {ratio: 3}": "e2e: {ratio: 3, floor: 30%}",
    "weights: [25%, 50%]": "weights: [50%]",
    "bake: 4s": "bake: 1s",
    "drain: 3s": "drain: 2s",
    "expiry: 15s": "expiry: 4s",
}


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What `condition` returns as soon as it is true. Fails when it has not become true in time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {getattr(condition, '__name__', condition)}"
        time.sleep(0.1)
    return value


def write_fleet(folder: Path) -> Path:
    """The demo fleet under another name and with a policy for tests."""
    text = fleet.locate("demo").read_text().replace("name: demo", f"name: {NAME}", 1)
    for slow, quick in QUICK.items():
        text = text.replace(slow, quick)
    file = folder / f"{NAME}.yaml"
    file.write_text(text)
    return file


@dataclass
class Drill:
    """A region that is up and the command line beside it."""

    file: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return place(str(self.file), None, SERVICE)

    def up(self) -> None:
        up(self.place.root, Wanted(str(self.file), NAME, REGION, 1, 1))

    def down(self) -> None:
        down(self.place.root)

    def ops(self, *words: str) -> Done:
        """`ops rollout ...` on this fleet, to its end, in this process."""
        return ops("rollout", *words, "--fleet", str(self.file))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`ops rollout ...` on this fleet, left running."""
        argv = [str(BIN / "ops"), "rollout", *words, "--fleet", str(self.file)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(argv, cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]
        self.started.append(process)
        return process  # type: ignore[no-any-return]

    def begin(self) -> subprocess.Popen[str]:
        """A rollout of v2 in a process of its own, as soon as its canary is judged."""
        process = self.start("start", SERVICE, "--release", "v2", "--yes")
        until(lambda: self.judged() or self.ended_early(process))
        return process

    def ended_early(self, process: subprocess.Popen[str]) -> bool:
        assert process.poll() is None, "".join(process.communicate())
        return False

    def judged(self) -> bool:
        run = self.place.runs.open(SERVICE, REGION)
        return run is not None and run.state.phase == "judging"

    def open(self) -> bool:
        return self.place.runs.open(SERVICE, REGION) is not None

    def driver(self) -> int:
        """The process that drives, 0 where none does."""
        holder = self.place.lease("").holder()
        return int(holder["pid"]) if holder else 0

    def replicas(self, arm: str) -> list[int]:
        """Processes of an arm that are alive."""
        status = json.loads((self.place.root / "status.json").read_text())
        return [one["pid"] for one in status["services"][SERVICE]["arms"][arm]["replicas"] if one["pid"]]

    def process(self, name: str) -> int:
        """A process of the region that is not a model server's."""
        status = json.loads((self.place.root / "status.json").read_text())
        return int(next(one["pid"] for one in status["processes"] if one["name"] == name))

    def canary(self) -> float:
        """The canary's percent of the traffic, as Envoy says."""
        return self.place.traffic().observe().canary

    def clean(self) -> None:
        """Nothing runs and nothing is open any more."""
        for process in self.started:
            process.kill()
            process.communicate()
        self.started.clear()
        if self.open():
            done = self.ops("abort", SERVICE)
            assert done.returncode == 0, done.stderr

    def stays(self, release: str) -> None:
        """The rollout has ended, nothing of its canary is left, and `release` is what is on record and serves."""
        assert not self.open()
        assert self.place.record.read() == release
        world = until(lambda: (seen := self.place.traffic().observe()).slices is None and seen)
        assert (world.stable, world.stable_ready, world.canary, world.baseline) == (release, True, 0.0, 0.0)


@contextmanager
def region(folder: Path) -> Iterator[Drill]:
    """A region without traffic, and a state directory of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPS_STATE", str(folder / "state"))
        drill = Drill(write_fleet(folder))
        try:
            drill.up()
            yield drill
        finally:
            drill.down()


@contextmanager
def traffic(drill: Drill) -> Iterator[None]:
    """Requests for the service, until the end."""
    here = drill.place
    order = Order(
        service=SERVICE,
        model=here.service.model,
        url=here.traffic().facts().services[SERVICE].url,
        rate=RATE,
        fleet=NAME,
        region=REGION,
        targets=str(here.root / "targets"),
        max_output=200,
        grace=2.0,
    )
    with client.start(order) as load:
        next(load.progress())
        yield


def ops(*words: str) -> Done:
    """`ops` in this process: what it costs to start is paid once."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(words)
    return Done(list(words), code, out.getvalue(), err.getvalue())
