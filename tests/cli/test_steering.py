"""Rollouts on a real region without traffic: what never becomes ready, crashes or cannot be judged is rolled back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import opening, steering
from cli.adapters.activity import Doing
from cli.adapters.run_files import Run
from cli.rollouts.drive import Snapshot, drive
from cli.rollouts.evidence import COMPARED, Count, Look, total
from cli.rollouts.plan import Plan, Stage
from cli.rollouts.procedure import Rollback
from cli.rollouts.state import State
from infra.errors import Locked, Refused
from infra.record import RecordStore
from infra.state import lease_path, record_path
from infra.store import CorruptFile
from tests.cli.drill import NAME, PATIENCE, REGION, SERVICE, Drill, ops, region, until
from tests.infra.local.lab import write_release

STAGE = "      load: {profile: mine, rate: 20/s, for: 10s}"
SYNTHETIC = {"x-ops-class": "synthetic"}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """A region without traffic."""
    with region(tmp_path_factory.mktemp("drill")) as made:
        yield made


@pytest.fixture
def drill(quiet: Drill) -> Iterator[Drill]:
    """The region, with v1 everywhere before and after."""
    yield quiet
    quiet.clean()
    quiet.stays("v1")


def rolled(drill: Drill, deadline: float, canary: str = "v2") -> State:
    """How a rollout of `canary` ends that may take `deadline` seconds."""
    plan = replace(opening.new_plan(drill.place, "v2"), deadline=deadline, canary=canary)
    return steering.roll(drill.place, plan, 60.0)[1]


def serves(drill: Drill, release: str) -> bool:
    world = drill.place.traffic().observe()
    return world.stable_ready and world.stable == release


def staged(drill: Drill, promise: str) -> Plan:
    """A plan for v2 with a load stage of three seconds: 120 requests, of which six in ten must keep the promise."""
    profile = {"name": "even", "rate": "1/s", "arrivals": "constant", "tokens": {"prompt": 512, "output": 16}}
    load = Stage(profile, rate=40.0, seconds=3.0, slo=("ok >= 60%", f"ttft p60 < {promise}"))
    return replace(opening.new_plan(drill.place, "v2"), deadline=60.0, load=load)


def shifts(run: Run) -> list[float]:
    """The canary's weights that were wished for."""
    effects = [event.payload["effect"] for event in run.journal.events() if event.kind == "intent"]
    return [effect["canary"] for effect in effects if effect["kind"] == "shift"]


def faulty(folder: Path, **simulate: Any) -> str:
    return str(write_release(folder, "faulty", **simulate))


def test_without_traffic_nothing_is_proven(drill: Drill) -> None:
    """The plan has no measured thresholds, and the rollout says that it waits for requests."""
    assert drill.place.thresholds() == {"ttft": [], "e2e": []}
    plan = replace(opening.new_plan(drill.place, "v2"), deadline=600.0)
    end, holds = time.monotonic() + PATIENCE, [""]
    asked = lambda: holds[-1].startswith("no request for chat has come yet") or time.monotonic() > end  # noqa: E731
    with opening.held(drill.place, plan.run) as lease:
        run = opening.begin(drill.place, plan, lease)
        state = drive(run.journal, drill.place.ports(lease), lambda seen: holds.append(seen.hold), asked)
    assert (state.phase, holds[-1][:32]) == ("judging", "no request for chat has come yet")
    assert all(one.problem for one in state.looks)


def test_a_canary_that_crashes_at_its_start_is_rolled_back_for_that(drill: Drill, tmp_path: Path) -> None:
    """Long before the deadline, and the log that says why is named."""
    release = faulty(tmp_path, faults={"crash": {"every": "1ms"}})
    state = rolled(drill, 60.0, release)
    assert state.phase == "rolled back"
    assert "the canary's replicas crashed 3 times, those of the baseline 0 times" in state.reason
    assert "`ops local logs chat-canary-" in state.reason


def test_a_canary_that_never_becomes_ready_is_rolled_back_at_the_deadline(drill: Drill, tmp_path: Path) -> None:
    """The reason says which replica was not ready."""
    state = rolled(drill, 3.0, faulty(tmp_path, performance={"load_time": "1h"}))
    assert state.phase == "rolled back"
    assert "within the deadline of 3 s: the slices are not ready: chat-canary-" in state.reason
    assert "is starting" in state.reason


def test_a_release_that_the_region_cannot_read_is_told(drill: Drill, tmp_path: Path) -> None:
    """What the supervisor says is the reason."""
    state = rolled(drill, 2.0, str(tmp_path / "gone.yaml"))
    assert state.phase == "rolled back" and "gone.yaml" in state.reason


def with_stage(drill: Drill, folder: Path, trace: str) -> Path:
    """The fleet file with a load stage for chat, whose profile replays a trace."""
    text = drill.file.read_text().replace("      look: 1s", f"{STAGE}\n      look: 1s", 1)
    file = folder / drill.file.name
    file.write_text(text.replace("load_profiles:", f"load_profiles:\n  - {{name: mine, trace: {trace}, rate: 1/s}}", 1))
    return file


def test_a_load_stage_of_the_fleet_file_is_in_the_plan_and_told_before_it_is_begun(
    drill: Drill, tmp_path: Path
) -> None:
    """With a note where its first attempt cannot pass, and a trace that is not there is told at once."""
    file = with_stage(drill, tmp_path, "conv")
    asked = ops("rollout", "start", SERVICE, "--release", "v2", "--fleet", str(file))
    assert asked.returncode == 4 and not drill.open()
    assert "  load       20/s of mine to the canary alone, before users, for 10 s\n" in asked.stderr
    assert "  must keep  ttft p99 < 250ms\n" in asked.stderr
    assert "the load's first attempt sends 200 requests; at least" in asked.stderr
    file = with_stage(drill, tmp_path, "./gone.csv")
    wrong = ops("rollout", "start", SERVICE, "--release", "v2", "--fleet", str(file), "--yes")
    assert wrong.returncode == 2 and "gone.csv cannot be read" in wrong.stderr and not drill.open()


def test_a_canary_that_is_too_slow_for_its_load_gets_no_user(drill: Drill) -> None:
    """Rolled back by what the load's own client saw, before the first weight; `explain` has the figures."""
    url = drill.place.traffic().facts().services[SERVICE].url
    assert httpx.post(url, headers=SYNTHETIC).status_code == 503  # there is no slice yet
    run, state = steering.roll(drill.place, staged(drill, "10ms"), 60.0)  # its prefill alone takes 16 ms
    assert state.phase == "rolled back" and max(shifts(run)) == 0
    assert state.reason.startswith("the load stage failed, before any user: ttft p60 < 10ms: 0.00% of ")
    explained = drill.ops("explain", SERVICE).stdout
    assert "press the canary, which has no users yet: attempt 1" in explained
    assert "the load on the canary: fail: ttft p60 < 10ms: 0.00% of" in " ".join(explained.split())


def test_a_canary_that_carries_its_load_is_judged_and_none_of_the_load_is_counted(drill: Drill) -> None:
    """In a region without users: whatever the judge would count of the canary would be of the load."""
    plan, end = staged(drill, "1s"), time.monotonic() + PATIENCE
    enough = lambda: bool(looks) or time.monotonic() > end  # noqa: E731
    looks: tuple[Look, ...] = ()

    def watch(seen: Snapshot) -> None:
        nonlocal looks
        looks = seen.state.looks

    with opening.held(drill.place, plan.run) as lease:
        run = opening.begin(drill.place, plan, lease)
        state = drive(run.journal, drill.place.ports(lease), watch, enough)
    assert state.ruling is not None and state.ruling.verdict == "pass", state.ruling
    outcome = next(event for event in run.journal.events() if "ruling" in event.payload)
    assert sum(outcome.payload["facts"]["outcomes"].values()) == 120
    assert state.phase == "judging" and state.shift is not None and state.shift.canary == 50.0
    assert looks and not any(look.problem for look in looks)
    for arm in COMPARED:
        assert set(total(looks, arm).values()) == {Count(0, 0)}
    refused = httpx.post(f"{drill.place.traffic().facts().services[SERVICE].url}/v1/models", headers=SYNTHETIC)
    assert refused.status_code == 503 and "the canary has users" in refused.text


def test_a_plan_that_is_out_of_date_is_not_begun(drill: Drill) -> None:
    """The release of record moved, or another rollout began, while a person thought about the question."""
    plan = opening.new_plan(drill.place, "v2")
    with pytest.raises(Refused, match="runs v1 by now, and the plan is for v0"):
        steering.detach(drill.place, replace(plan, stable="v0"))
    with opening.held(drill.place, plan.run) as lease:
        opening.begin(drill.place, plan, lease)
    with pytest.raises(Locked, match="nobody drives it"):
        steering.detach(drill.place, replace(plan, run=f"{plan.run}-2"))


def test_a_rollout_is_not_begun_without_its_lease(drill: Drill) -> None:
    """Unreadable, held by somebody who ends a rollout, or lost meanwhile: no journal is written, nothing is open."""
    plan, path = opening.new_plan(drill.place, "v2"), lease_path(NAME, SERVICE, REGION)
    before = [run.plan.run for run in drill.place.runs.all()]
    with opening.held(drill.place, "rollout-other") as other, pytest.raises(Locked, match="rollout-other is driven by"):
        steering.roll(drill.place, plan)
    with pytest.raises(Locked, match="given up"):
        opening.begin(drill.place, plan, other)
    kept = path.read_text()
    path.write_text("[]")
    for act in (steering.roll, steering.detach):
        with pytest.raises(CorruptFile) as raised:
            act(drill.place, plan)
        assert raised.value.not_done == "nothing was changed"
    done = drill.ops("start", SERVICE, "--release", "v2", "--yes")
    assert done.returncode == 6 and f"next: rm {path}" in done.stderr, done.stderr
    path.write_text(kept)
    assert [run.plan.run for run in drill.place.runs.all()] == before
    assert not drill.open()


def test_a_record_that_a_person_sets_in_the_middle_ends_the_rollout(drill: Drill) -> None:
    """The canary goes out, exit 3 says why, and the record stays as it was set."""
    store = RecordStore(record_path(NAME))
    plan = replace(opening.new_plan(drill.place, "v2"), deadline=600.0)
    run = steering.detach(drill.place, plan)
    until(drill.judged)
    store.set(SERVICE, REGION, "v3", run=None, expect="v1")
    until(lambda: not drill.open() and serves(drill, "v3"))
    drill.stays("v3")
    done = drill.ops("watch", SERVICE)
    assert done.returncode == 3 and "ops: chat runs v3: the release of record moved to v3 in the middle" in done.stderr
    assert f"rolled back: chat in {REGION} runs v3" in done.stdout
    assert drill.place.runs.find(run.plan.run).state.decision == Rollback(
        "the release of record moved to v3 in the middle", moved="v3"
    )
    store.set(SERVICE, REGION, "v1", run=None, expect="v3")
    until(lambda: serves(drill, "v1"))


def test_the_way_back_waits_for_no_load(drill: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever has the region alone keeps a rollout out, and is only named where somebody goes back."""
    alone = Doing("load", "synthetic load on chat", "load-a", REGION, SERVICE, alone=True)
    plan = replace(opening.new_plan(drill.place, "v2"), stable="v0")  # refused once the region is entered
    with drill.place.activity.held(alone, "nothing was sent"):
        with pytest.raises(Locked, match=f"{REGION} is taken by synthetic load on chat"):
            steering.roll(drill.place, plan)
        with pytest.raises(Refused, match="runs v1 by now"):
            steering.roll(drill.place, replace(plan, kind="undo"))
    warned = capsys.readouterr().err
    assert warned.startswith(f"warning: {REGION} is taken by synthetic load on chat (load-a) by ")
    assert warned.endswith("; the way back does not wait for it\n")


def test_only_what_was_promoted_here_can_be_undone(drill: Drill) -> None:
    """A record that a person set is no promotion."""
    store = RecordStore(record_path(NAME))
    store.set(SERVICE, REGION, "v1", run=None, expect="v1")
    with pytest.raises(Refused, match="no promotion of v1"):
        opening.undo_plan(drill.place)
