"""A plan counts what changes, says what is in peril first, and knows which name must be typed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cli.provision import picture, plan
from cli.provision.plan import FleetPlan, StackPlan, Step


def step(op: str, name: str = "aks", kind: str = "ManagedCluster", protected: bool = False, pool: bool = False) -> Step:
    paths = ("networkProfile.podCidr",) if op in ("update", "replace") else ()
    type = "azure-native:resources:Resource" if pool else f"azure-native:x:{kind}"
    return Step(op, type, name, f"urn::{name}", protected, paths, paths if op == "replace" else ())


def fleet_plan(*stacks: StackPlan, operation: plan.Operation = "up", region: str | None = None) -> FleetPlan:
    return FleetPlan(operation, "atlas", "production", "0000-sub", region, False, stacks)


def stack(kind: str, *steps: Step, foreseen: bool = False) -> StackPlan:
    region = "westeurope" if kind in ("region", "platform") else None
    return StackPlan(kind, f"atlas-production{f'-{region}' if region else ''}", region, steps, foreseen)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((), "no changes"),
        ((step("same"), step("read")), "no changes"),
        ((step("create"), step("same"), step("create")), "2 to create"),
        ((step("create"), step("delete"), step("replace")), "1 to replace, 1 to delete, 1 to create"),
    ],
)
def test_changes_are_counted_by_kind_the_most_dangerous_first(steps: Sequence[Step], said: str) -> None:
    """What stays counts nothing."""
    assert plan.in_words(plan.counts(steps)) == said


def test_the_first_line_names_fleet_and_region() -> None:
    """So that nobody says yes to the wrong one."""
    here = fleet_plan(stack("region", step("create")), region="westeurope")
    assert (
        next(picture.lines(here)) == "provision fleet atlas (production), region westeurope, in subscription 0000-sub"
    )
    emulated = FleetPlan("destroy", "demo", "demo", "x", None, True, ())
    assert picture.head(emulated) == "DESTROY fleet demo (demo), all regions, in an emulated subscription"


def test_what_is_protected_and_goes_is_told_before_all_else() -> None:
    """With the property that asks for it."""
    shown = list(
        picture.lines(fleet_plan(stack("base", step("create")), stack("region", step("replace", "kv", "Vault", True))))
    )
    assert shown[2] == "  !! 1 resource is replaced or deleted that data or users depend on:"
    assert shown[3] == "  !! REPLACE Vault kv (region westeurope): networkProfile.podCidr"
    assert shown.index("  base                     1 to create") > 3


def test_a_pool_that_is_replaced_in_place_is_loud_with_what_would_be_right() -> None:
    """Its machines go before the new ones come; those of a pool that another generation replaces go after."""
    shown = list(picture.lines(fleet_plan(stack("region", step("replace", "h100g1", pool=True)))))
    assert shown[3] == "  !! REPLACE AgentPool h100g1 (region westeurope): networkProfile.podCidr"
    assert (
        shown[4] == "  !! a pool that is replaced loses its machines first; with another `generation` they come first"
    )


def test_dangerous_steps_are_named_and_harmless_ones_are_counted() -> None:
    """An update says which properties; creates are summed up by kind, and named with details."""
    steps = [step("create", f"n{n}", "Subnet") for n in range(3)] + [step("update")]
    short = list(picture.lines(fleet_plan(stack("region", *steps))))
    assert "    create   3 Subnet" in short
    assert "    update   ManagedCluster aks: networkProfile.podCidr" in short
    assert "    create   Subnet n0" in list(picture.lines(fleet_plan(stack("region", *steps)), details=True))
    assert short[-1] == "  in all: 1 to update, 3 to create"


def test_many_kinds_are_cut_and_the_rest_is_counted() -> None:
    """Six kinds to a line."""
    assert picture.kinds([step("create", kind=f"K{n}") for n in range(8)]).endswith("1 K5 and 2 of other kinds")


def test_a_step_with_many_paths_names_three() -> None:
    """And how many more there are."""
    one = Step("update", "t:K", "n", "u", changes=("a", "b", "c", "d", "e"))
    assert any(line.endswith("K n: a, b, c and 2 more") for line in picture.lines(fleet_plan(stack("base", one))))


def test_what_could_only_be_foreseen_is_said() -> None:
    """Nothing that the engine did not look at is shown as if it had."""
    shown = "\n".join(picture.lines(fleet_plan(stack("region", step("create"), foreseen=True))))
    assert "1 to create, foreseen\n" in shown
    assert "  foreseen: what it refers to is not there yet, so the engine could not look" in shown


@pytest.mark.parametrize(
    ("made", "typed"),
    [
        (fleet_plan(stack("base", step("create"), step("replace"))), ""),
        (fleet_plan(stack("base", step("update", protected=True))), ""),
        (fleet_plan(stack("region", step("replace", pool=True))), "atlas-production-westeurope"),
        (fleet_plan(stack("region", step("delete", pool=True))), ""),
        (fleet_plan(stack("region", step("replace", protected=True))), "atlas-production-westeurope"),
        (
            fleet_plan(stack("base", step("delete", protected=True)), stack("edge", step("delete", protected=True))),
            "atlas",
        ),
        (fleet_plan(stack("base", step("delete")), operation="destroy"), "atlas"),
    ],
)
def test_the_name_that_must_be_typed(made: FleetPlan, typed: str) -> None:
    """The stack's for protected things in one stack, the fleet's for several and for every destroy."""
    assert made.must_be_typed == typed


def test_a_plan_for_machines_has_every_step_that_changes_something() -> None:
    """And the counts of all and of each stack."""
    told = plan.data(fleet_plan(stack("base", step("create"), step("same")), stack("edge")))
    assert told["changes"] == {"create": 1}
    assert [one["stack"] for one in told["stacks"]] == ["atlas-production", "atlas-production"]
    assert [one["op"] for one in told["stacks"][0]["steps"]] == ["create"]
    assert told["stacks"][1]["steps"] == []


def test_perils_that_were_confirmed_are_not_new() -> None:
    """The same resource with another end is."""
    agreed = stack("region", step("replace", "kv", "Vault", True))
    assert plan.new_perils(agreed, agreed) == ()
    worse = stack("region", step("delete", "kv", "Vault", True), step("replace", "kv", "Vault", True))
    assert [one.op for one in plan.new_perils(agreed, worse)] == ["delete"]


def test_a_plan_with_nothing_to_do_says_so() -> None:
    """`changing` is what the exit code follows."""
    assert not fleet_plan(stack("base", step("same"))).changing
    assert fleet_plan(stack("base", step("create"))).changing


def test_a_plan_to_destroy_all_of_it_counts_instead_of_naming() -> None:
    """What is protected is named above all the same."""
    steps = [step("delete", f"n{n}", "Subnet") for n in range(3)] + [step("delete", protected=True)]
    shown = list(picture.lines(fleet_plan(stack("region", *steps), operation="destroy")))
    assert "    delete   3 Subnet, 1 ManagedCluster" in shown
    assert "  !! DELETE ManagedCluster aks (region westeurope)" in shown


TOLD = {"path": "adminUserEnabled", "what": "security was weakened", "who": "a person", "up": "`up` puts it back"}
GONE_TOLD = {"path": "", "what": "deleted", "who": "a person", "up": "`up` makes it again"}
DRIFT = [
    {"title": "base", "changes": []},
    {
        "title": "region westeurope",
        "changes": [
            {"op": "delete", "kind": "Route", "name": "r", "loud": "ours", "told": [GONE_TOLD]},
            {"op": "update", "kind": "Registry", "name": "cr", "loud": "dangerous", "told": [TOLD]},
        ],
    },
]


def test_drift_names_the_dangerous_first_and_whose_change_up_would_undo() -> None:
    """Then stack by stack, also those that are as they were left."""
    assert list(picture.drift_lines("atlas", "production", None, DRIFT)) == [
        "drift of fleet atlas (production), all regions",
        "  !! Registry cr (region westeurope)",
        "  base                     as `up` left it",
        "  region westeurope        2 changed outside",
        "    delete   Route r",
        "             deleted, by a person: `up` makes it again",
        "    update   Registry cr",
        "             adminUserEnabled: security was weakened, by a person: `up` puts it back",
    ]
    assert next(picture.drift_lines("atlas", "production", "westeurope", [])).endswith("region westeurope")
