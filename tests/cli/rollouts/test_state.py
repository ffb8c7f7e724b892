"""State is replay(events): nothing else is remembered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.rollouts.procedure import (
    Advance,
    Bake,
    Decision,
    Load,
    Press,
    Promote,
    Rollback,
    SetRecord,
    Shift,
    Start,
    to_json,
)
from cli.rollouts.ruling import Ruling
from cli.rollouts.state import State, replay
from runbooks.journal import Event
from tests.fakes import EPOCH, PLAN

ADVANCE = ("decision", {"decision": to_json(Advance(25.0))})
SHIFT = ("intent", {"effect": to_json(Shift("v2", 25.0, 25.0))})
APPLIED = ("outcome", {"result": "applied"})
REACHED = ("reached", {"condition": "weights in force"})


def events(*entries: tuple[str, dict[str, Any]]) -> tuple[Event, ...]:
    """A journal with a plan and then these entries, one second apart."""
    every = [("plan", {"plan": PLAN.to_json()}), *entries]
    return tuple(
        Event(seq, datetime.fromtimestamp(EPOCH + seq - 1, UTC), "ana", kind, payload)
        for seq, (kind, payload) in enumerate(every, start=1)
    )


def state(*entries: tuple[str, dict[str, Any]]) -> State:
    found = replay(events(*entries))
    assert found is not None
    return found


def command(name: str, reason: str = "") -> tuple[str, dict[str, Any]]:
    return "command", {"command": name, "reason": reason}


def test_a_journal_that_does_not_begin_with_a_plan_has_no_state() -> None:
    assert replay(events()[1:]) is None
    assert replay(events(ADVANCE)[1:]) is None


def test_a_plan_alone_is_planned() -> None:
    it = state()
    assert (it.phase, it.plan, it.started, it.pending, it.ended) == ("planned", PLAN, EPOCH, (), False)


@pytest.mark.parametrize(
    ("decision", "phase", "weight"),
    [
        (Start(), "preparing", 0.0),
        (Load(1), "pressing", 0.0),
        (Advance(25.0), "judging", 25.0),
        (Bake(), "baking", 100.0),
        (Promote("so"), "promoting", 0.0),
        (Rollback("so"), "rolling back", 0.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_decision_sets_the_phase_and_begins_its_procedure(decision: Decision, phase: str, weight: float) -> None:
    it = state(("decision", {"decision": to_json(decision)}))
    assert (it.phase, it.weight, it.since, it.done) == (phase, weight, EPOCH + 1, 0)
    assert it.reason == getattr(decision, "reason", "")


def test_a_load_is_under_way_until_its_ruling_is_known() -> None:
    """The ruling is the last thing that is known of it; one that was cut off leaves none and is still to be done."""
    begun = [("decision", {"decision": to_json(Load(1))}), ("intent", {"effect": to_json(Press(1, 10.0))})]
    ruling = {"verdict": "pass", "reasons": ["it holds"]}
    assert state(*begun).pressing == Press(1, 10.0)
    told = state(*begun, ("outcome", {"result": "applied", "ruling": ruling, "facts": {}}))
    assert (told.pressing, told.ruling, told.done) == (None, Ruling("pass", ("it holds",)), 1)
    cut = state(*begun, ("outcome", {"result": "stopped", "note": "paused"}))
    assert (cut.pressing, cut.ruling, cut.done) == (None, None, 0)
    assert state(ADVANCE, SHIFT).pressing is None


def test_an_intent_without_an_outcome_is_unknown() -> None:
    it = state(ADVANCE, SHIFT)
    assert it.intent is not None
    assert (it.intent.seq, it.done, it.shift) == (3, 0, None)


@pytest.mark.parametrize("result", ["failed", "not applied"])
def test_an_effect_that_did_not_happen_is_still_to_be_done(result: str) -> None:
    it = state(ADVANCE, SHIFT, ("outcome", {"result": result}))
    assert (it.intent, it.done, it.shift) == (None, 0, None)


def test_an_effect_that_happened_is_behind_us() -> None:
    it = state(ADVANCE, SHIFT, APPLIED)
    assert (it.intent, it.done, it.shift, it.step_since) == (None, 1, Shift("v2", 25.0, 25.0), EPOCH + 3)


def test_a_record_that_was_set_is_no_wish() -> None:
    it = state(ADVANCE, ("intent", {"effect": to_json(SetRecord("v2"))}), APPLIED)
    assert (it.done, it.shift) == (1, None)


def test_an_outcome_without_its_intent_moves_nothing() -> None:
    assert state(ADVANCE, APPLIED).done == 0


def test_a_new_decision_forgets_the_intent_of_the_old_one() -> None:
    assert state(ADVANCE, SHIFT, ("decision", {"decision": to_json(Rollback("so"))})).intent is None


def test_the_grid_of_looks_begins_when_the_first_weight_is_in_force_and_never_moves() -> None:
    first = (ADVANCE, SHIFT, APPLIED, REACHED)
    assert state(*first[:3]).origin is None
    assert state(*first).origin == EPOCH + 4
    assert (
        state(*first, ("decision", {"decision": to_json(Advance(50.0))}), SHIFT, APPLIED, REACHED).origin == EPOCH + 4
    )


def test_pauses_do_not_count_as_time() -> None:
    twice = ("pause", "pause", "resume", "resume", "pause", "resume")  # 2 s and 1 s
    it = state(*map(command, twice))
    assert (it.paused_since, it.paused) == (None, 3.0)
    assert it.elapsed(EPOCH + 10) == 7.0
    assert state(command("pause")).elapsed(EPOCH + 10) == 1.0


def test_who_said_it_first_and_why_is_kept() -> None:
    it = state(command("abort", "too hot"), command("abort", "me too"), command("promote"), command("promote", "late"))
    assert (it.abort, it.override) == ("ana: too hot", "ana: no reason given")


def test_what_is_not_known_is_passed_over() -> None:
    assert state(command("dance"), ("weather", {})) == replace(state(), last=EPOCH + 2)


@pytest.mark.parametrize("result", ["promoted", "rolled back"])
def test_an_end_ends_it(result: str) -> None:
    it = state(("end", {"result": result, "reason": "so"}))
    assert (it.phase, it.reason, it.ended) == (result, "so", True)


def test_looks_are_taken_from_the_whole_journal() -> None:
    line = {"at": EPOCH + 9, "weight": 25.0, "arm": "canary", "counts": {"errors": [10, 1]}}
    assert state(("look", line)).looks[0].arms["canary"]["errors"].bad == 1


def test_a_journal_replayed_in_two_parts_is_the_same_wherever_it_is_cut() -> None:
    """Also between the lines of one look, and between an intent and its outcome."""
    arms = [
        ("look", {"at": EPOCH + at, "weight": 25.0, "arm": arm, "counts": {"errors": [10, at]}})
        for at in (9, 10)
        for arm in ("canary", "baseline", "stable")
    ]
    every = events(ADVANCE, SHIFT, APPLIED, REACHED, *arms, command("pause"), command("resume"))
    for cut in range(1, len(every)):
        assert replay(every[cut:], replay(every[:cut])) == replay(every), cut


def test_a_look_that_comes_late_is_put_in_its_place() -> None:
    """A driver that was overtaken may still have written one."""
    lines = [("look", {"at": EPOCH + at, "weight": 25.0, "problem": "late"}) for at in (9, 10, 8)]
    every = events(*lines)
    assert [look.at - EPOCH for look in state(*lines).looks] == [8, 9, 10]
    assert replay(every[3:], replay(every[:3])) == state(*lines)


def test_where_users_are_drawn_by_block_the_grid_begins_with_the_next_draw() -> None:
    """Whoever replays it, and whenever: nothing but the plan and the time of the first weight is asked."""
    plan = replace(PLAN, assignment="user", block=60.0, look=7.0)  # 9 looks of 7 s make a block
    every = (replace(events()[0], payload={"plan": plan.to_json()}), *events(ADVANCE, SHIFT, APPLIED, REACHED)[1:])
    found = replay(every)
    assert found is not None and found.origin is not None
    assert found.origin % 63 == 0 and 0 <= found.origin - (EPOCH + 4) < 63
    assert state(ADVANCE, SHIFT, APPLIED, REACHED).origin == EPOCH + 4  # a conversation is drawn once


def test_the_record_may_say_the_canary_only_once_the_rollout_has_tried_to_set_it() -> None:
    """Before that it is somebody else who did."""
    tried = ("intent", {"effect": to_json(SetRecord("v2"))})
    assert state(ADVANCE, SHIFT).expected == ("v1",)
    assert state(("decision", {"decision": to_json(Promote("so"))}), tried).expected == ("v1", "v2")


@pytest.mark.parametrize(
    ("entries", "release"),
    [
        ((), "v1"),
        ((("end", {"result": "promoted", "reason": "so"}),), "v2"),
        ((("decision", {"decision": to_json(Rollback("so"))}),), "v1"),
        ((("decision", {"decision": to_json(Rollback("so", moved="v9"))}),), "v9"),
    ],
)
def test_the_release_that_a_rollout_leaves(entries: tuple[tuple[str, dict[str, Any]], ...], release: str) -> None:
    """The canary once it is promoted, what somebody else set where that ended it, else the old one."""
    assert state(*entries).release == release
