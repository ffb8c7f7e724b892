"""The load stage on virtual time: no user before the canary carried its load, whatever happens meanwhile."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from cli.rollouts.drive import TICK, Snapshot, drive
from cli.rollouts.evidence import STALE
from cli.rollouts.procedure import Press
from infra.errors import Locked
from tests.cli.rollouts.bench import Bench, Killed, bench, drive_until_killed
from tests.fakes import BROKEN, EPOCH, PASSED, STAGED, UNTOLD, FakeLoads

LOADED = ["start", "load", "advance", "advance", "bake", "promote"]


def first_user(it: Bench) -> float:
    """Seconds after the start at which the first weight was decided on."""
    events = [event for event in it.journal.events() if event.kind == "decision"]
    at = next(event.at for event in events if event.payload["decision"]["kind"] == "advance")
    return at.timestamp() - EPOCH


def no_user_came(it: Bench) -> bool:
    return max(shift.canary for shift in it.traffic.history) == 0 and it.record.history == ["v1"]


def test_a_canary_that_carries_its_load_gets_users_after_it(tmp_path: Path) -> None:
    """The first look begins when no counter can miss the last of the load any more."""
    it = bench(tmp_path, plan=STAGED)
    state = it.drive()
    assert (state.phase, it.kinds()) == ("promoted", LOADED)
    assert it.loads.begun == [Press(1, 10.0)]
    ((_, ended),) = it.loads.sent
    assert first_user(it) >= ended + STALE
    assert state.origin is not None and state.looks[0].at > state.origin >= EPOCH + ended + STALE


def test_what_the_load_came_to_is_in_the_journal(tmp_path: Path) -> None:
    """Intent before it, outcome with ruling and facts after it."""
    it = bench(tmp_path, plan=STAGED)
    it.drive()
    events = it.journal.events()
    intent = next(e for e in events if e.kind == "intent" and e.payload["effect"]["kind"] == "press")
    outcome = next(e for e in events if e.payload.get("intent") == intent.seq)
    assert (outcome.at - intent.at).total_seconds() == pytest.approx(10.0, abs=TICK)
    assert outcome.payload["ruling"] == {"verdict": "pass", "reasons": list(PASSED.reasons)}
    assert (outcome.payload["result"], outcome.payload["facts"]) == ("applied", {"rate": 20.0})


def test_a_canary_that_breaks_under_its_load_never_gets_a_user(tmp_path: Path) -> None:
    it = bench(tmp_path, plan=STAGED, rulings=(BROKEN,))
    state = it.drive()
    assert (state.phase, it.kinds()) == ("rolled back", ["start", "load", "rollback"])
    assert state.reason == "the load stage failed, before any user: ttft p99 < 250ms: 12.00% of 200"
    assert no_user_came(it)
    assert it.traffic.observe().slices is None


def test_a_load_that_cannot_tell_is_sent_again_for_longer_until_the_deadline(tmp_path: Path) -> None:
    """Missing evidence never promotes."""
    it = bench(tmp_path, plan=STAGED, rulings=(UNTOLD,))
    state = it.drive()
    assert it.loads.begun == [Press(n, 10.0 * n) for n in (1, 2, 3, 4)]
    assert state.phase == "rolled back" and no_user_came(it)
    assert "deadline of 90 s: the load stage could not tell: the client was INVALID: busy" in state.reason
    assert not it.loads.under_way and it.clock.now() - state.started < STAGED.deadline + 10


def test_one_attempt_that_can_tell_is_enough(tmp_path: Path) -> None:
    it = bench(tmp_path, plan=replace(STAGED, deadline=120.0), rulings=(UNTOLD, UNTOLD, PASSED))
    assert it.drive().phase == "promoted"
    assert it.kinds()[:5] == ["start", "load", "load", "load", "advance"]


def test_a_client_that_dies_at_once_is_not_started_over_and_over(tmp_path: Path) -> None:
    """An attempt takes its time, whether it was used or not."""
    it = bench(tmp_path, plan=STAGED, rulings=(UNTOLD,))
    it.loads.dies = True
    it.drive()
    begun = [since for since, _ in it.loads.sent]
    assert [round(later - earlier) for earlier, later in pairwise(begun)] == [10, 20, 30]


@pytest.mark.parametrize("second", [0.6, 1, 5, 9, 10, 12])
def test_an_abort_cuts_the_load_off_within_two_seconds(tmp_path: Path, second: float) -> None:
    it = bench(tmp_path, plan=STAGED)
    it.clock.at(second, lambda: it.command("abort", "no"))
    state = it.drive()
    assert state.phase == "rolled back" and "aborted by tester: no" in state.reason and no_user_came(it)
    assert all(ended <= second + 2 for _, ended in it.loads.sent)


def test_a_pause_cuts_the_load_off_and_resume_sends_all_of_it_anew(tmp_path: Path) -> None:
    """As the same attempt: nothing was seen. The deadline does not run meanwhile."""
    it = bench(tmp_path, plan=STAGED)
    it.clock.at(5, lambda: it.command("pause"))
    it.clock.at(205, lambda: it.command("resume"))
    state = it.drive()
    (_, cut), (again, ended) = it.loads.sent
    assert state.phase == "promoted" and it.loads.begun == [Press(1, 10.0)] * 2
    assert cut <= 6 and again >= 205 and ended == pytest.approx(again + 10, abs=1)
    notes = [e.payload["note"] for e in it.journal.events() if e.payload.get("result") == "stopped"]
    assert notes == ["paused by a person; `ops rollout resume` goes on"]


def test_a_person_may_promote_past_a_load_that_has_not_told_yet(tmp_path: Path) -> None:
    it = bench(tmp_path, plan=STAGED, rulings=(UNTOLD,))
    it.clock.at(13, lambda: it.command("promote"))
    assert it.drive().phase == "promoted"
    assert not it.loads.under_way and it.loads.sent[-1][1] < 15


def test_a_kill_at_any_write_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """The load of a driver that is gone is sent anew by the next, and nobody is served before that has passed."""
    whole = bench(tmp_path / "whole", plan=STAGED)
    whole.drive()
    events = whole.journal.events()
    first_look = next(event.seq for event in events if event.kind == "look")
    for victim in range(2, first_look):
        it = bench(tmp_path / str(victim), plan=STAGED)
        with pytest.raises(Killed):
            drive_until_killed(it, victim)
        object.__setattr__(it.ports, "loads", FakeLoads(it.clock))  # the client ends with its driver
        assert it.drive().phase == "promoted", victim
        assert it.kinds() == LOADED, victim
        opened = [e for e in it.journal.events() if e.kind == "intent" and e.payload["effect"]["kind"] == "press"]
        settled = {e.payload["intent"]: e.payload["result"] for e in it.journal.events() if e.kind == "outcome"}
        assert [settled[one.seq] for one in opened] == ["not applied"] * (len(opened) - 1) + ["applied"], victim


def test_a_canary_that_crashes_under_its_load_is_rolled_back_for_that(tmp_path: Path) -> None:
    it = bench(tmp_path, plan=STAGED)
    it.clock.at(3, lambda: setattr(it.traffic, "crashes", "the canary's replicas crashed 3 times"))
    state = it.drive()
    assert (state.phase, state.reason) == ("rolled back", "the canary's replicas crashed 3 times")
    assert it.loads.sent[0][1] < 5


def test_the_lease_and_the_wish_are_kept_while_the_load_lasts(tmp_path: Path) -> None:
    """However long it is: else the slices would expire, or another driver would take over."""
    it = bench(tmp_path, plan=replace(STAGED, expiry=3.0, look=1.0))
    renewed: list[float] = []
    renew = it.lease.renew
    it.lease.renew = lambda: renewed.append(it.clock.now()) or renew()  # type: ignore[func-returns-value,method-assign]
    it.drive()
    ((since, ended),) = it.loads.sent
    meanwhile = [at for at in renewed if since <= at - EPOCH <= ended]
    assert max(b - a for a, b in pairwise(meanwhile)) <= TICK
    assert it.traffic.lapsed == 0


@pytest.mark.parametrize("end", ["stopped", "fenced"])
def test_a_driver_that_ends_leaves_no_load_behind(tmp_path: Path, end: str) -> None:
    """Neither by Ctrl-C nor when somebody else took the lease."""
    it = bench(tmp_path, plan=STAGED)
    if end == "fenced":
        it.clock.at(5, lambda: setattr(it.lease, "taken", True))
        with pytest.raises(Locked):
            it.drive()
    else:
        drive(it.journal, it.ports, lambda _: None, lambda: it.clock.now() > EPOCH + 5)
    assert not it.loads.under_way and it.loads.sent[0][1] < 7


def test_a_load_begins_only_when_the_canary_is_there(tmp_path: Path) -> None:
    """A region that came up anew starts its slices anew: that is said, and no request is lost on it."""
    it, said = bench(tmp_path, plan=STAGED), set[str]()

    def watch(seen: Snapshot) -> None:
        said.add(seen.hold)
        if seen.state.phase == "preparing" and not seen.state.pending:
            it.traffic.slices_ready = False
            it.clock.at(7, lambda: setattr(it.traffic, "slices_ready", True))

    assert drive(it.journal, it.ports, watch).phase == "promoted"
    assert it.loads.sent[0][0] >= 7 and "the slices are not ready: none is there yet" in said


def test_a_canary_that_does_not_come_back_is_rolled_back_for_that(tmp_path: Path) -> None:
    """At the deadline, and the load is not blamed."""
    it = bench(tmp_path, plan=STAGED)

    def watch(seen: Snapshot) -> None:
        it.traffic.slices_ready = it.traffic.slices_ready and seen.state.phase != "pressing"

    it.clock.at(2, lambda: it.command("pause"))  # so that the load has to begin anew
    it.clock.at(4, lambda: it.command("resume"))
    state = drive(it.journal, it.ports, watch)
    assert state.phase == "rolled back"
    assert state.reason.endswith("the deadline of 90 s: the slices are not ready: none is there yet")


def test_a_region_that_does_not_answer_meanwhile_is_no_end(tmp_path: Path) -> None:
    """What the load itself came to decides."""
    it = bench(tmp_path, plan=STAGED)
    it.clock.at(3, lambda: setattr(it.traffic, "down", True))
    it.clock.at(6, lambda: setattr(it.traffic, "down", False))
    assert it.drive().phase == "promoted"
    assert len(it.loads.begun) == 1
