"""Procedures: the order of the steps is what makes a crash harmless."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cli.rollouts.procedure import (
    Advance,
    Await,
    Bake,
    Decision,
    Effect,
    Load,
    Press,
    Promote,
    Rollback,
    SetRecord,
    Shift,
    Start,
    parse_decision,
    parse_effect,
    steps,
    to_json,
)
from tests.fakes import PLAN, STAGED

UNDO = replace(PLAN, kind="undo", canary="v0")
STOP = (Shift("v2", 0, 0), Await("weights in force"), Await("drained"))
RETIRE = (Shift(None, 0, 0), Await("slices gone"))


@pytest.mark.parametrize(
    ("decision", "found"),
    [
        (Start(), (Shift("v2", 0, 0), Await("slices ready"))),
        (Load(1), (Press(1, 10.0), Await("counters settled"))),
        (Load(3), (Press(3, 30.0), Await("counters settled"))),
        (Advance(25.0), (Shift("v2", 25.0, 25.0), Await("weights in force"))),
        (Bake(), (Shift("v2", 100.0, 0), Await("weights in force"))),
        (Promote("so"), (SetRecord("v2"), Await("stable runs it", "v2"), *STOP, *RETIRE)),
        (Rollback("so"), (*STOP, SetRecord("v1"), Await("stable runs it", "v1"), *RETIRE)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_decision_is_carried_out_in_this_order(decision: Decision, found: tuple[object, ...]) -> None:
    assert steps(STAGED, decision) == found


def test_an_undo_moves_the_stable_arm_and_no_traffic() -> None:
    assert steps(UNDO, Promote("so")) == (SetRecord("v0"), Await("stable runs it", "v0"), *RETIRE)


def test_a_rollback_takes_the_traffic_away_before_anything_else() -> None:
    """What needs the record or the stable arm may wait; the canary's users may not."""
    assert steps(PLAN, Rollback("so"))[0] == Shift("v2", 0, 0)


@pytest.mark.parametrize("decision", [Start(), Load(2), Advance(0.05), Bake(), Promote("é"), Rollback("so")])
def test_decisions_come_back_from_json(decision: Decision) -> None:
    assert parse_decision(json.loads(json.dumps(to_json(decision)))) == decision


@pytest.mark.parametrize("effect", [Shift("v2", 25.0, 25.0), Shift(None, 0, 0), SetRecord("v2"), Press(2, 0.5)])
def test_effects_come_back_from_json(effect: Effect) -> None:
    assert parse_effect(json.loads(json.dumps(to_json(effect)))) == effect


@pytest.mark.parametrize("parse", [parse_decision, parse_effect])
def test_what_is_not_known_is_not_guessed(parse: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(KeyError):
        parse({"kind": "dance"})
