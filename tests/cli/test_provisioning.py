"""Provisioning as `ops fleet` does it: look, settle what was killed, carry out, and say how it ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli import provisioning
from cli.estate import Estate, named
from cli.provision.drive import Broke, Done, End, Moved, Stopped
from cli.provision.failure import Failed
from cli.provision.plan import StackPlan, Step
from cli.provision.run import Run
from cli.provisioning import OutcomeUnknown, PlanMoved, Unfinished
from infra.errors import GateFailed, Interrupted, Locked, OpsError
from tests.fakes_fleet import FakeEngine, Killed, engine, standing_fleet

BASE, REGION, PLATFORM, EDGE = named("demo", None, None, True).everything


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """The demo fleet in an emulation, with a state directory of its own."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    return named("demo", None, None, True)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure is not there: nothing is gained by waiting before a second try."""
    monkeypatch.setattr("cli.provision.drive.PAUSE", 0.0)


def up(place: Estate, made: FakeEngine) -> End:
    """`ops fleet up --yes`."""
    provisioning.settle(place, made, lambda line: None)
    work, plan = provisioning.plan_up(place, made, lambda line: None)
    return provisioning.carry_out(place, made, work, plan)[1]


def runs(place: Estate) -> list[Run]:
    return place.runs.all()


def test_a_new_fleet_is_foreseen_where_the_engine_cannot_look(place: Estate) -> None:
    """The base is previewed; what refers to it is what its program would register."""
    made = engine()
    work, plan = provisioning.plan_up(place, made, lambda line: None)
    assert [one.foreseen for one in plan.stacks] == [False, True, True, True]
    assert plan.changing and [stack.kind for stack, _ in work] == ["base", "region", "platform", "edge"]
    assert [what for what, _ in made.calls] == ["preview"]


def test_up_makes_the_fleet_and_a_second_one_finds_nothing_to_do(place: Estate) -> None:
    """The run is in the journal, with its end."""
    made = engine()
    assert isinstance(up(place, made), Done)
    assert made.azure == {stack.reference: made.wanted[stack.kind] for stack in place.everything}
    assert not provisioning.plan_up(place, made, lambda line: None)[1].changing
    assert [(run.operation, run.ended, run.unknown) for run in runs(place)] == [("up", "done", None)]


def test_a_region_brings_what_it_needs_and_nothing_else(place: Estate) -> None:
    """Not the edge: that is asked for by itself."""
    one = Estate(place.fleet, "demo", "eastus2", None, True)
    _, plan = provisioning.plan_up(one, engine(), lambda line: None)
    assert [stack.kind for stack in plan.stacks] == ["base", "region", "platform"]


def test_a_base_that_is_half_made_is_finished_first(place: Estate) -> None:
    """Others can only refer to a stack that came to its end."""
    made = engine()
    made.azure[BASE.reference] = {"group": 1}
    made.known[BASE.reference] = {"group": 1}
    one = Estate(place.fleet, "demo", None, "region", True)
    assert [stack.kind for stack in provisioning.plan_up(one, made, lambda line: None)[1].stacks] == ["base", "region"]


def test_destroy_goes_backwards_and_leaves_nothing(place: Estate) -> None:
    """Also what is protected."""
    made = standing_fleet(place.everything)
    work, plan = provisioning.plan_destroy(place, made)
    assert [stack.kind for stack, _ in work] == ["edge", "platform", "region", "base"]
    assert plan.must_be_typed == "demo"
    assert isinstance(provisioning.carry_out(place, made, work, plan)[1], Done)
    assert not any(made.azure.values())
    assert provisioning.plan_destroy(place, made)[0] == []


def test_after_a_kill_the_next_run_looks_before_it_goes_on(place: Estate) -> None:
    """What was made although nobody heard of it is not made again, and the killed run has an end."""
    made = engine(faults=[("region", "cluster", "killed")])
    with pytest.raises(Killed):
        up(place, made)
    assert [run.unknown for run in runs(place)] == [REGION.reference]
    told: list[str] = []
    assert [run.operation for run in provisioning.settle(place, made, told.append)] == ["up"]
    assert any("was killed" in line for line in told)
    assert isinstance(up(place, made), Done)
    assert [run.ended for run in runs(place)] == ["settled", "done"]
    assert made.azure[REGION.reference] == made.wanted["region"]


def test_a_run_that_somebody_drives_is_not_taken_for_killed(place: Estate) -> None:
    """Its lock says so."""
    made = engine(faults=[("region", "cluster", "killed")])
    with pytest.raises(Killed):
        up(place, made)
    with place.runs.driving(runs(place)[0].name):
        assert provisioning.settle(place, made, lambda line: None) == []
    assert ("settle", REGION.reference) not in made.calls


def test_a_run_in_azure_is_not_settled_by_one_in_the_emulation(place: Estate) -> None:
    """They have nothing in common but the fleet's name."""
    made = engine(faults=[("region", "cluster", "killed")])
    with pytest.raises(Killed):
        up(place, made)
    assert Estate(place.fleet, "demo", None, None, False).runs.orphans(False) == []
    assert len(place.runs.orphans(True)) == 1


def test_a_stack_that_is_locked_is_refused_before_anything_is_done(place: Estate) -> None:
    """With owner, process and age; no run is begun."""
    made = engine()
    work, plan = provisioning.plan_up(place, made, lambda line: None)
    with place.runs.held(EDGE), pytest.raises(Locked) as refused:
        provisioning.carry_out(place, made, work, plan)
    assert f"(process {os.getpid()}) for 0 s" in refused.value.what
    assert "--stack edge" in refused.value.next
    assert runs(place) == [] and made.azure == {}


FAULTS = st.lists(
    st.tuples(
        st.sampled_from([(kind, name) for kind, names in engine().wanted.items() for name in names]),
        st.sampled_from(["busy", "unanswered", "killed", "stopped"]),
    ),
    max_size=3,
)


@given(faults=FAULTS)
@settings(max_examples=40)
def test_whatever_breaks_the_same_command_comes_to_the_same_end(
    faults: list[tuple[tuple[str, str], str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Busy, no answer, a kill, a Ctrl-C at any resource: nothing twice, nothing left, every run with an end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPS_STATE", str(tmp_path_factory.mktemp("state")))
        place = named("demo", None, None, True)
        made = engine(faults=[(*where, what) for where, what in faults])
        ends = list(_until_done(place, made, len(faults) + 1))
        assert isinstance(ends[-1], Done)
        assert made.azure == {stack.reference: made.wanted[stack.kind] for stack in place.everything}
        assert made.azure == made.known
        assert all(run.ended and run.unknown is None for run in runs(place))


def _until_done(place: Estate, made: FakeEngine, most: int) -> Iterator[End | None]:
    """The same command again and again, at most so often."""
    for _ in range(most):
        try:
            end = up(place, made)
        except Killed:
            yield None
            continue
        yield end
        if isinstance(end, Done):
            return


PLANS = [StackPlan(one.kind, one.name, one.region, ()) for one in (BASE, REGION, PLATFORM, EDGE)]
STEP = Step("replace", "azure-native:keyvault:Vault", "kv", "urn", True)


def broke(message: str) -> Broke:
    return Broke(PLANS[1], (Failed("t:Cluster", "aks", message),), (PLANS[0],), (PLANS[2], PLANS[3]))


@pytest.mark.parametrize(
    ("end", "kind", "says", "next"),
    [
        (
            broke('Code="QuotaExceeded" Message="no"'),
            Unfinished,
            "quota is not enough for it: no",
            "ops fleet preflight",
        ),
        (broke("Status=500"), OutcomeUnknown, "not known", "ops fleet up --region eastus2 --emulated"),
        (broke("currently locked by 1 lock"), Locked, "lock", "ops fleet recover cancel --stack region"),
        (broke('Code="InvalidParameter" Message="bad"'), Unfinished, "Azure refused it: bad", "mend the fleet file"),
        (Stopped((PLANS[0],), (PLANS[3],)), Interrupted, "Done: base", "ops fleet up --emulated"),
        (Moved(PLANS[1], (STEP,), (), (PLANS[1],)), PlanMoved, "would now replace Vault kv", "for a new plan"),
    ],
)
def test_an_end_says_what_was_done_what_not_and_what_next(
    place: Estate, end: End, kind: type[OpsError], says: str, next: str
) -> None:
    """For whoever typed the command; its category is its exit code."""
    plan = provisioning.plan_up(place, engine(), lambda line: None)[1]
    with pytest.raises(kind) as told:
        provisioning.finish(place, plan, end)
    assert says in told.value.what and next in told.value.next
    assert told.value.not_done


def test_a_program_that_refuses_is_a_gate_that_said_no(place: Estate) -> None:
    """Its own words are told, with file and line."""
    plan = provisioning.plan_up(place, engine(), lambda line: None)[1]
    failed = Failed("", "", "demo.yaml:3:1: no", "gate")
    with pytest.raises(GateFailed) as told:
        provisioning.finish(place, plan, Broke(PLANS[0], (failed,), (), ()))
    assert "demo.yaml:3:1: no" in told.value.what


def test_drift_is_what_others_changed_stack_by_stack(place: Estate) -> None:
    """And what `up` would do about it."""
    made = standing_fleet(place.everything)
    made.azure[REGION.reference]["cluster"] = 9
    del made.azure[EDGE.reference]["route"]
    found = {one["title"]: one["changes"] for one in provisioning.drifted(place, made, lambda line: None)}
    assert [(one["op"], one["name"]) for one in found["region eastus2"]] == [("update", "cluster")]
    assert "makes it again" in found["edge"][0]["told"][0]["up"]
    assert found["base"] == []
    assert provisioning.drifted(place, engine(), lambda line: None) == []


def test_a_journal_of_another_version_stops_the_command_and_is_kept(place: Estate) -> None:
    """What it did is not known, so nothing is done on top of it."""
    place.runs.journal("provision-x").append("plan", nothing="known")
    with pytest.raises(OpsError) as told:
        provisioning.settle(place, engine(), lambda line: None)
    assert "provision-x.jsonl" in told.value.what and ".corrupt" in told.value.next
