"""From the fleet's policy to a frozen plan."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from cli.rollouts.freeze import Change, freeze, undo, watched
from cli.rollouts.plan import Metric, Plan, Signal
from infra.fleet import load_fleet
from infra.load_profile import LoadProfile
from infra.policy import LoadStage, RolloutPolicy, Tolerance
from infra.service import Service

CHANGE = Change("rollout-1", "demo", "eastus2", "v1", "v2")
MEASURED: dict[Metric, list[float]] = {"ttft": [0.1, 0.25, 0.5], "e2e": [1.0, 2.5]}


@pytest.fixture(scope="module")
def chat() -> Service:
    return load_fleet("demo").service("chat")


@pytest.fixture(scope="module")
def plan(chat: Service) -> Plan:
    return freeze(CHANGE, chat, MEASURED)


def tolerating(chat: Service, **tolerance: Tolerance) -> Service:
    rollout = RolloutPolicy.model_construct(**{**dict(chat.rollout), "tolerance": tolerance})
    return chat.model_copy(update={"rollout": rollout})


def test_the_gates_are_the_promises_of_the_demo_fleet(plan: Plan) -> None:
    assert [one for one in plan.signals if one.gate] == [
        Signal("errors", None, 5.0, 0.02, True),
        Signal("ttft", 0.25, 3.0, 0.01, True),  # floor: 1 - target
        Signal("e2e", 2.5, 3.0, 0.02, True),
    ]


def test_tails_are_watched_where_the_stable_arm_had_them(plan: Plan) -> None:
    """A threshold that was promised is not counted twice."""
    names = [one.name for one in plan.signals if not one.gate]
    assert names == ["ttft>0.1s", "ttft>0.5s", "e2e>1s"]
    assert len({one.name for one in plan.signals}) == len(plan.signals)


@pytest.mark.parametrize("name", sorted(set(RolloutPolicy.model_fields) & set(Plan.__slots__)))
def test_the_policy_is_taken_over_as_it_is(plan: Plan, chat: Service, name: str) -> None:
    assert getattr(plan, name) == getattr(chat.rollout, name)


def test_the_change_is_named(plan: Plan) -> None:
    named = asdict(CHANGE)
    assert {name: getattr(plan, name) for name in named} == named
    assert (plan.service, plan.kind) == ("chat", "canary")


def test_without_measurements_the_promises_remain(chat: Service) -> None:
    assert all(one.gate for one in freeze(CHANGE, chat, {}).signals)


def test_errors_are_watched_also_where_nobody_asked(chat: Service) -> None:
    """The budget is counted in errors: without them no weight could ever be priced, and none taken."""
    plan = freeze(CHANGE, tolerating(chat, ttft=Tolerance(ratio=3, floor=None)), {})
    assert [(one.name, one.gate) for one in plan.signals] == [("errors", False), ("ttft>0.25s", True)]


def test_the_latencies_of_the_policy_are_what_is_measured(chat: Service) -> None:
    assert watched(chat) == ("ttft", "e2e")


def test_a_load_stage_is_frozen_with_its_profile_and_what_must_be_kept(chat: Service) -> None:
    """A fleet file that is edited meanwhile changes nothing."""
    stage = LoadStage.model_validate({"profile": "steady", "rate": "20/s", "for": "30s"})
    staged = chat.model_copy(update={"rollout": chat.rollout.model_copy(update={"load": stage})})
    profile = LoadProfile.model_validate({"name": "steady", "rate": "5/s", "tokens": {"prompt": 512, "output": 64}})
    found = freeze(CHANGE, staged, {}, profile).load
    assert found is not None and (found.rate, found.seconds) == (20.0, 30.0)
    assert found.slo == ("ok >= 99%", "ttft p99 < 250ms", "tpot p99 < 25ms", "e2e p98 < 2.5s")
    assert LoadProfile.model_validate(found.profile) == profile
    assert freeze(CHANGE, chat, {}, profile).load is None
    assert undo(CHANGE, staged).load is None


def test_an_undo_judges_nothing(chat: Service) -> None:
    plan = undo(CHANGE, chat)
    assert (plan.kind, plan.weights, plan.signals, plan.bake) == ("undo", (), (), 0.0)
