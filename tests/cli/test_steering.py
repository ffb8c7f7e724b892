"""Rollouts on a real region without traffic: what never becomes ready, crashes or cannot be judged is rolled back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import steering
from cli.rollouts.drive import drive
from cli.rollouts.state import State
from infra.errors import Locked, Refused
from infra.record import RecordStore
from infra.state import record_path
from tests.cli.drill import NAME, PATIENCE, REGION, SERVICE, Drill, region
from tests.infra.local.lab import write_release


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
    plan = replace(steering.new_plan(drill.place, "v2"), deadline=deadline, canary=canary)
    return steering.lead(drill.place, steering.begin(drill.place, plan), 60.0)


def faulty(folder: Path, **simulate: Any) -> str:
    return str(write_release(folder, "faulty", **simulate))


def test_without_traffic_nothing_is_proven(drill: Drill) -> None:
    """The plan has no measured thresholds, and the rollout says that it waits for requests."""
    assert drill.place.thresholds() == {"ttft": [], "e2e": []}
    plan = replace(steering.new_plan(drill.place, "v2"), deadline=600.0)
    run, lease, holds = steering.begin(drill.place, plan), drill.place.lease(plan.run), [""]
    lease.acquire()
    end = time.monotonic() + PATIENCE
    asked = lambda: holds[-1].startswith("no request for chat has come yet") or time.monotonic() > end  # noqa: E731
    state = drive(run.journal, drill.place.ports(lease), lambda seen: holds.append(seen.hold), asked)
    lease.release()
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


def test_a_plan_that_is_out_of_date_is_not_begun(drill: Drill) -> None:
    """The release of record moved, or another rollout began, while a person thought about the question."""
    plan = steering.new_plan(drill.place, "v2")
    with pytest.raises(Refused, match="runs v1 by now, and the plan is for v0"):
        steering.begin(drill.place, replace(plan, stable="v0"))
    steering.begin(drill.place, plan)
    with pytest.raises(Locked, match="nobody drives it"):
        steering.begin(drill.place, replace(plan, run=f"{plan.run}-2"))


def test_only_what_was_promoted_here_can_be_undone(drill: Drill) -> None:
    """A record that a person set is no promotion."""
    store = RecordStore(record_path(NAME))
    store.set(SERVICE, REGION, "v1", run=None, expect="v1")
    with pytest.raises(Refused, match="no promotion of v1"):
        steering.undo_plan(drill.place)
