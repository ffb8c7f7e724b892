"""Plans: round trip, digest, and what is not a plan."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from cli.rollouts.plan import Plan, PlanError, Signal, parse_plan
from tests.fakes import PLAN, STAGED


@pytest.mark.parametrize("plan", [PLAN, STAGED], ids=["without a load stage", "with one"])
def test_a_plan_comes_back_from_json_as_it_was(plan: Plan) -> None:
    assert parse_plan(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_plan_without_a_load_stage_is_kept_as_it_was_before_there_were_any() -> None:
    """So journals of then are read, and their digests stay."""
    assert "load" not in PLAN.to_json() and STAGED.to_json()["load"]["rate"] == 20.0


def test_each_attempt_of_a_load_stage_lasts_longer() -> None:
    assert STAGED.load is not None
    assert [STAGED.load.lasting(attempt) for attempt in (1, 2, 3)] == [10.0, 20.0, 30.0]


CHANGES: dict[str, Any] = {"weights": (10.0,), "signals": PLAN.signals[:1], "kind": "undo", "load": STAGED.load}


@pytest.mark.parametrize("name", [field.name for field in fields(PLAN)])
def test_every_field_changes_the_digest(name: str) -> None:
    value = getattr(PLAN, name)
    other = CHANGES.get(name, f"{value}x" if isinstance(value, str) else value)
    changed = replace(PLAN, **{name: other if other != value else value + 1})
    assert changed.digest() != PLAN.digest()


def test_the_digest_survives_the_journal() -> None:
    assert parse_plan(json.loads(json.dumps(PLAN.to_json()))).digest() == PLAN.digest()


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {**PLAN.to_json(), "colour": "red"},
        {key: value for key, value in PLAN.to_json().items() if key != "alpha"},
        {**PLAN.to_json(), "signals": [{"metric": "errors"}]},
        {**PLAN.to_json(), "signals": None},
        {**STAGED.to_json(), "load": {"rate": 20.0}},
    ],
)
def test_anything_else_is_not_a_plan(raw: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match="not a rollout plan"):
        parse_plan(raw)


def test_weights_climb_to_the_last() -> None:
    assert (PLAN.after(0.0), PLAN.after(25.0), PLAN.last_weight) == (25.0, 50.0, 50.0)


def test_a_signal_is_named_for_what_it_counts() -> None:
    assert Signal("errors", None, 2.0, None, True).name == "errors"
    assert Signal("ttft", 0.25, 2.0, None, True).name == "ttft>0.25s"
