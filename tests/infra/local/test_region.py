"""A region's life: up, up again, two at once, killed in every way, down - and nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from infra.errors import Locked
from infra.fleet import load_fleet
from infra.local import leftover
from infra.local.layout import Layout, Owner
from infra.local.region import LocalRegion, OtherFleet, RegionDown, StartError, Wanted, down, up
from infra.local.start import StartFailure
from infra.local.supervisor import Supervisor
from infra.store import write_json
from tests.infra.local.lab import NAME, REGION, Lab, until, write_fleet, write_release


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Lab]:
    """A region that is not up; down after the test, whatever it did."""
    made = Lab(tmp_path)
    made.prepare()
    yield made
    made.down()
    assert leftover.marked(made.region.layout.root) == []


def test_up_says_where_everything_is_and_again_that_it_is(fresh: Lab) -> None:
    """The second up changes nothing; another fleet in the same directory is refused."""
    first = fresh.up(replicas=1)
    assert not first.already and set(first.facts.services) == {"chat", "chat-mini"}
    second = fresh.up(replicas=1)
    assert second.already and second.facts == first.facts
    with pytest.raises(OtherFleet):
        up(fresh.region.layout.root, Wanted("demo", "demo", REGION))


def test_down_stops_all_of_it(fresh: Lab) -> None:
    """And says what it stopped; the weights stay, and a second down has nothing to do."""
    fresh.up(replicas=1)
    fresh.wish("c2", 10, 10)
    stopped = fresh.down()
    assert {"envoy", "prometheus", "alertmanager", "chat-stable-1", "supervisor"} <= set(stopped)
    assert len(stopped) == len(set(stopped))
    assert leftover.marked(fresh.region.layout.root) == []
    assert fresh.region.layout.weights.exists() and fresh.down() == []
    with pytest.raises(RegionDown):
        fresh.region.facts()


def test_of_two_ups_at_once_one_learns_who_the_other_is(fresh: Lab) -> None:
    """The loser is told pid and host; there is one region afterwards."""
    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(fresh.up, 1) for _ in range(2)]
        errors = [result.exception() for result in results]
    lost = [error for error in errors if error]
    assert len(lost) == 1 and isinstance(lost[0], Locked) and f"pid {os.getpid()}" in lost[0].what
    assert fresh.region.facts().fleet == NAME


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_killed_supervisor_leaves_nothing_that_is_not_found(fresh: Lab, command: str) -> None:
    """kill -9: the region counts as down at once, and the next command ends what was left."""
    facts = fresh.up(replicas=1).facts
    before = {process.pid for process in leftover.marked(fresh.region.layout.root)} - {facts.supervisor.pid}
    os.kill(facts.supervisor.pid, signal.SIGKILL)
    until(lambda: fresh.region.supervised() is None)
    with pytest.raises(RegionDown, match="processes of an earlier one are left"):
        fresh.region.facts()
    if command == "up":
        assert not fresh.up(replicas=1).already
        assert fresh.ask("s").status_code == 200
    else:
        stopped = fresh.down()
        assert len(stopped) == len(before) and any(name.startswith("chat-mini-stable-1 ") for name in stopped)
    assert not before & {process.pid for process in psutil.process_iter()}


def test_a_half_started_region_is_taken_over_or_cleaned(fresh: Lab) -> None:
    """An `up` that was killed leaves a supervisor; the next `up` waits for it and is not confused."""
    code = "import sys; from tests.infra.local.lab import Lab; from pathlib import Path; Lab(Path(sys.argv[1])).up(1)"
    process = subprocess.Popen([sys.executable, "-c", code, str(fresh.root)])
    until(lambda: fresh.region.supervised())
    process.kill()
    process.wait()
    assert fresh.up(replicas=1).facts.fleet == NAME
    assert fresh.ask("s").status_code == 200


def test_an_old_lock_and_a_reused_pid_are_not_believed(fresh: Lab) -> None:
    """The lock names this test's own pid with another start time: that is not the supervisor."""
    layout = fresh.region.layout
    stale = Owner(pid=os.getpid(), started=leftover.own_start() - 500, host="here")
    write_json(layout.lock, stale.model_dump())
    write_json(layout.file("region.json"), {"left": "by a crash"})
    with pytest.raises(RegionDown):
        fresh.region.facts()
    assert not fresh.up(replicas=1).already


def test_a_release_that_cannot_be_read_stops_the_start(fresh: Lab) -> None:
    """At once, with the place in the file; nothing is left running."""
    file = write_release(fresh.root, "c1")
    file.write_text(file.read_text().replace("prefill_base", "no_such_key"))
    with pytest.raises(StartError, match="no_such_key"):
        fresh.up(replicas=1)
    assert leftover.marked(fresh.region.layout.root) == [] and fresh.region.supervised() is None


def test_a_process_that_does_not_start_is_named_with_its_last_words(
    fresh: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here all three programs are another one, which ends at once with a complaint."""
    monkeypatch.setattr("infra.local.equipment.find", lambda name: Path("/bin/ls"))
    layout = fresh.region.layout
    layout.root.mkdir()
    supervisor = Supervisor(layout, load_fleet(fresh.root / f"{NAME}.yaml"), REGION, 1, 1)
    with pytest.raises(StartFailure) as error:
        asyncio.run(asyncio.wait_for(supervisor.run(), 20))
    assert "exit 2" in error.value.failure.reason and "unrecognized" in error.value.failure.tail[-2]
    assert leftover.marked(layout.root) == []


def test_tokens_and_jobs_survive_a_restart(fresh: Lab) -> None:
    """A token that was seen is remembered even if weights.json is set back by hand."""
    fresh.up(replicas=1)
    fresh.roll("c2", 10, 10)
    token = fresh.chat().token
    fresh.down()
    fresh.region.layout.weights.unlink()
    fresh.up(replicas=1)
    until(lambda: fresh.applied().canary == 1_000)
    assert fresh.chat().token == token


def test_a_region_needs_less_than_600_mb(tmp_path: Path) -> None:
    """The demo fleet as it is: two services with three replicas each."""
    root = tmp_path / "region"
    fleet = write_fleet(tmp_path, "whole")
    up(root, Wanted(str(fleet), "whole", REGION))
    try:
        memory = sum(LocalRegion(root).memory().values())
    finally:
        down(root)
    assert memory < 600e6


def test_down_of_a_region_that_never_was_does_nothing(tmp_path: Path) -> None:
    """It does not even make the directory."""
    assert down(tmp_path / "nowhere") == [] and not (tmp_path / "nowhere").exists()
    assert Layout(tmp_path / "nowhere").logs() == []
