"""The rollout loop on virtual time: what it promises, with faults on purpose."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path

import pytest

from cli.rollouts.course import Course, RolloutError
from cli.rollouts.drive import Snapshot, drive, tick
from cli.rollouts.procedure import Shift
from cli.rollouts.state import replay
from infra.errors import Locked
from runbooks.journal import Event, Journal, JournalUnusable, Mark
from tests.cli.rollouts.bench import Bench, Killed, bench, drive_until_killed
from tests.fakes import PLAN, FakeMetrics, rates


def test_a_good_release_climbs_bakes_and_becomes_the_release_of_record(tmp_path: Path) -> None:
    it = bench(tmp_path)
    state = it.drive()
    assert state.phase == "promoted"
    assert it.kinds() == ["start", "advance", "advance", "bake", "promote"]
    assert it.record.release == "v2"
    assert it.traffic.observe().slices is None


@pytest.mark.parametrize("harm", [{"errors": 0.035}, {"ttft": 0.11}, {"itl": 0.11}], ids=["errors", "ttft", "itl"])
def test_a_bad_release_is_rolled_back_and_the_record_keeps_the_old_one(tmp_path: Path, harm: dict[str, float]) -> None:
    it = bench(tmp_path, FakeMetrics(rates(**harm), rates()))
    state = it.drive()
    assert state.phase == "rolled back"
    assert next(iter(harm)) in state.reason
    assert it.record.history == ["v1"]
    assert it.traffic.observe().slices is None


def test_a_defect_that_shows_only_in_the_bake_is_rolled_back(tmp_path: Path) -> None:
    it = bench(tmp_path, plan=replace(PLAN, bake=60.0))
    spoil = FakeMetrics(rates(errors=0.2), rates())

    def watch(snapshot: Snapshot) -> None:
        if snapshot.state.phase == "baking":
            object.__setattr__(it.ports, "metrics", spoil)

    state = drive(it.journal, it.ports, watch)
    assert state.phase == "rolled back"
    assert "in the bake" in state.reason


@pytest.mark.parametrize("blind", ["problem", "down"])
def test_missing_data_never_promotes_and_rolls_back_only_at_the_deadline(tmp_path: Path, blind: str) -> None:
    it = bench(tmp_path)
    it.clock.at(4, lambda: setattr(it.metrics, blind, blind == "down" or "no fresh sample"))
    state = it.drive()
    assert state.phase == "rolled back"
    assert "no proof within the deadline of 90 s" in state.reason
    assert it.clock.now() - state.started > 90


@pytest.mark.parametrize("blind", ["problem", "down"])
def test_no_weight_is_taken_while_nobody_can_see(tmp_path: Path, blind: str) -> None:
    it = bench(tmp_path, plan=replace(PLAN, weights=tuple(map(float, range(10, 50))), deadline=300.0, budget=10**6))
    reached: list[float] = []
    it.clock.at(8, lambda: reached.append(it.traffic.history[-1].canary))
    it.clock.at(8, lambda: setattr(it.metrics, blind, blind == "down" or "no fresh sample"))
    it.clock.at(60, lambda: it.command("abort"))
    assert it.drive().phase == "rolled back"
    assert 10 < reached[0] < 20
    assert max(shift.canary for shift in it.traffic.history) == reached[0]


def test_an_abort_before_anything_was_done_does_nothing_to_the_traffic(tmp_path: Path) -> None:
    it = bench(tmp_path)
    it.command("abort")
    assert it.drive().phase == "rolled back"
    assert it.traffic.history == []


def test_data_that_comes_back_promotes_after_all(tmp_path: Path) -> None:
    it = bench(tmp_path)
    it.clock.at(4, lambda: setattr(it.metrics, "down", True))
    it.clock.at(30, lambda: setattr(it.metrics, "down", False))
    assert it.drive().phase == "promoted"


def test_abort_wins_at_every_moment_and_ends_on_the_old_release(tmp_path: Path) -> None:
    for second in range(0, 40, 3):
        it = bench(tmp_path / str(second))
        it.clock.at(second, lambda it=it: it.command("abort"))  # type: ignore[misc]
        state = it.drive()
        ended_before = state.phase == "promoted" and second > it.clock.now() - state.started - 2
        assert ended_before or (state.phase == "rolled back" and it.record.release == "v1"), second
        assert it.traffic.observe().slices is None


def test_an_abort_in_the_middle_of_promotion_goes_back_to_the_old_release(tmp_path: Path) -> None:
    it = bench(tmp_path)
    aborted = False

    def watch(snapshot: Snapshot) -> None:
        nonlocal aborted
        if snapshot.state.phase == "baking":
            it.traffic.stable_ready = False
        if snapshot.state.phase == "promoting" and not aborted:
            aborted = True
            it.command("abort")
            it.traffic.stable_ready = True

    assert drive(it.journal, it.ports, watch).phase == "rolled back"
    assert it.record.history == ["v2", "v1"]


def test_a_pause_holds_the_weight_and_does_not_count_against_the_deadline(tmp_path: Path) -> None:
    it = bench(tmp_path)
    it.clock.at(3, lambda: it.command("pause"))
    it.clock.at(103, lambda: it.command("resume"))
    state = it.drive()
    assert state.phase == "promoted"
    assert state.paused == pytest.approx(100, abs=2)


def test_a_failed_verdict_rolls_back_even_in_a_pause(tmp_path: Path) -> None:
    it = bench(tmp_path, FakeMetrics(rates(errors=0.5), rates()))
    it.clock.at(3, lambda: it.command("pause"))
    assert it.drive().phase == "rolled back"


def test_a_person_may_promote_without_evidence_but_not_against_it(tmp_path: Path) -> None:
    blind = bench(tmp_path / "blind")
    blind.metrics.problem = "no fresh sample"
    blind.clock.at(5, lambda: blind.command("promote"))
    assert blind.drive().phase == "promoted"
    bad = bench(tmp_path / "bad", FakeMetrics(rates(errors=0.9), rates()))
    bad.clock.at(5, lambda: bad.command("promote"))
    assert bad.drive().phase == "rolled back"


def test_a_driver_that_lost_its_lease_changes_nothing(tmp_path: Path) -> None:
    it = bench(tmp_path)
    it.clock.at(5, lambda: setattr(it.lease, "taken", True))
    with pytest.raises(Locked):
        it.drive()
    before = list(it.traffic.history)
    with pytest.raises(Locked):
        tick(Course(it.journal), it.ports)
    assert it.traffic.history == before


def test_a_newer_token_fences_the_driver_off_until_it_renews(tmp_path: Path) -> None:
    it = bench(tmp_path)

    def abort_from_elsewhere() -> None:
        it.command("abort")
        it.lease.token = 9
        it.traffic.wish(Shift("v2", 0.0, 0.0), 9, 15.0)

    it.clock.at(4, abort_from_elsewhere)
    assert it.drive().phase == "rolled back"
    assert max(shift.canary for shift in it.traffic.history[it.traffic.history.index(Shift("v2", 0.0, 0.0), 1) :]) == 0


def test_open_requests_are_drained_until_the_deadline_only(tmp_path: Path) -> None:
    it = bench(tmp_path, FakeMetrics(rates(errors=0.5), rates()))
    it.traffic.open_requests = 3
    state = it.drive()
    notes = [event.payload["note"] for event in it.journal.events() if event.payload.get("condition") == "drained"]
    assert state.phase == "rolled back"
    assert notes == ["deadline with 3 open"]


def test_a_kill_at_any_write_of_the_journal_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole = bench(tmp_path / "whole")
    whole.drive()
    victims = [event.seq for event in whole.journal.events()[1:] if event.kind != "look" or event.seq % 10 == 0]
    for victim in victims:
        it = bench(tmp_path / str(victim))
        with pytest.raises(Killed):
            drive_until_killed(it, victim)
        state = it.drive()
        assert state.phase == "promoted", victim
        assert it.record.release == "v2"
        assert it.kinds() == ["start", "advance", "advance", "bake", "promote"], victim


def test_a_region_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    it = bench(tmp_path)
    it.clock.at(3, lambda: setattr(it.traffic, "down", True))
    it.clock.at(8, lambda: setattr(it.traffic, "down", False))
    assert it.drive().phase == "promoted"


def test_a_record_that_cannot_be_written_is_not_taken_for_written(tmp_path: Path) -> None:
    it = bench(tmp_path)
    it.record.down = True
    it.clock.at(70, lambda: setattr(it.record, "down", False))
    it.drive()
    failed = [event for event in it.journal.events() if event.payload.get("result") == "failed"]
    assert failed
    assert it.record.release in ("v1", "v2")


def record_set_by_a_person(it: Bench, release: str) -> None:
    it.record.release = release


@pytest.mark.parametrize("moved", ["v9", "v2"], ids=["another", "the canary"])
@pytest.mark.parametrize("second", [1, 4, 12])
def test_a_record_that_somebody_sets_in_the_middle_ends_the_rollout_and_stays(
    tmp_path: Path, moved: str, second: int
) -> None:
    """The canary goes out, and what the other set is not written over."""
    it = bench(tmp_path)
    it.clock.at(second, lambda: record_set_by_a_person(it, moved))
    state = it.drive()
    assert (state.phase, state.reason) == (
        "rolled back",
        f"the release of record moved to {moved} in the middle",
    )
    assert (it.record.release, it.record.history, state.release) == (moved, [], moved)
    world = it.traffic.observe()
    assert (world.canary, world.baseline, world.slices) == (0.0, 0.0, None)
    drained = next(n for n, shift in enumerate(it.traffic.history) if shift == Shift("v2", 0.0, 0.0) and n)
    assert all(shift.canary == 0 for shift in it.traffic.history[drained:])


@pytest.mark.parametrize("phase", ["promoting", "rolling back"])
def test_a_record_that_moves_while_the_rollout_closes_ends_it_too(tmp_path: Path, phase: str) -> None:
    """The stable arm will never run what the rollout waits for."""
    it = bench(tmp_path, FakeMetrics(rates(errors=0.5 if phase == "rolling back" else 0.005), rates()))
    it.traffic.stable_ready = False

    def watch(snapshot: Snapshot) -> None:
        if snapshot.state.phase == phase and it.record.history and not it.traffic.stable_ready:
            it.record.release = "v9"
            it.traffic.stable_ready = True

    state = drive(it.journal, it.ports, watch)
    assert (state.phase, it.record.release) == ("rolled back", "v9")
    assert state.reason == "the release of record moved to v9 in the middle"
    assert len(it.record.history) == 1
    assert it.traffic.observe().slices is None


@pytest.mark.parametrize(("moved", "errors"), [("v9", 0.005), ("v2", 0.5)], ids=["promoting", "rolling back"])
def test_a_record_that_moves_between_the_look_and_the_write_is_not_written_over(
    tmp_path: Path, moved: str, errors: float
) -> None:
    """Compare-and-set refuses, and the next turn reads why."""
    it = bench(tmp_path, FakeMetrics(rates(errors=errors), rates()))
    set_ = it.record.set

    def late(release: str, run: str, expect: str) -> None:
        it.record.release = moved
        set_(release, run, expect)

    it.record.set = late  # type: ignore[method-assign]
    state = it.drive()
    assert (state.phase, it.record.release, it.record.history) == ("rolled back", moved, [])
    assert "refused" in [event.payload.get("result") for event in it.journal.events()]


def test_an_undo_whose_record_moves_ends_without_touching_it(tmp_path: Path) -> None:
    """It has no slices to take out."""
    undo = replace(PLAN, kind="undo", stable="v2", canary="v1", weights=(), signals=(), budget=0, bake=0.0)
    it = bench(tmp_path, plan=undo)
    it.record.release = "v9"
    state = it.drive()
    assert (state.phase, state.release, it.record.history) == ("rolled back", "v9", [])
    assert it.traffic.history == []


@pytest.mark.parametrize("second", [0.5, 6])
def test_without_room_for_the_journal_nothing_is_done_and_the_driver_ends(tmp_path: Path, second: float) -> None:
    """Neither while the slices are awaited nor at a look: not one wish more, the canary expires.

    With room again, the rollout goes on where it was.
    """
    it = bench(tmp_path)
    it.traffic.slices_ready = second > 1
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (it.journal.path.stat().st_size, limits[1]))
        it.traffic.slices_ready = True

    it.clock.at(second, full)
    stop = it.clock.now() + 30
    try:
        with pytest.raises(JournalUnusable, match="cannot be written: File too large"):
            drive(it.journal, it.ports, lambda _: None, lambda: it.clock.now() > stop)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    before = list(it.traffic.history)
    it.clock.wait(PLAN.expiry)
    assert (it.traffic.history, it.traffic.observe().canary) == (before, 0.0)
    assert it.drive().phase == "promoted"


def test_a_driver_reads_each_line_of_the_journal_once(tmp_path: Path) -> None:
    """However long the rollout and however often it asks where it stands."""
    it = bench(tmp_path)
    after, read = it.journal.after, []

    def counting(mark: Mark) -> tuple[tuple[Event, ...], Mark]:
        events, end = after(mark)
        read.extend(event.seq for event in events)
        return events, end

    it.journal.after = counting  # type: ignore[method-assign]
    it.drive()
    it.journal.after = after  # type: ignore[method-assign]
    assert read == [event.seq for event in it.journal.events()]


def test_a_journal_without_a_plan_is_not_driven(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="holds no rollout plan"):
        Course(Journal(tmp_path / "run.jsonl", "ana")).state()


def test_state_is_what_the_journal_says(tmp_path: Path) -> None:
    it = bench(tmp_path)
    assert it.drive() == replay(it.journal.events())


def test_an_empty_journal_has_no_state() -> None:
    assert replay(()) is None
