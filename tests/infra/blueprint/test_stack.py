"""The stacks of a fleet: names, order, configuration, and that an edit reaches just the stacks that may know of it."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.blueprint.stack import KINDS, SIGHT, Stack, affected, config_file, find, inputs, needs, stacks
from infra.errors import InvalidInput
from infra.fleet import Fleet, load_fleet
from infra.region import Region

ATLAS = load_fleet("atlas")
DEMO = load_fleet("demo")


def seventh(fleet: Fleet) -> Fleet:
    """A region more, in the group of the first one."""
    first = fleet.regions[0]
    new = first.model_copy(
        update={"name": "westus3", "location": "westus3", "address_space": IPv4Network("10.96.0.0/14"), "failover": ()}
    )
    return fleet.model_copy(update={"regions": (*fleet.regions, new)})


def edited(fleet: Fleet, number: int, **fields: Any) -> Fleet:
    """The fleet with other values in one of its regions."""
    regions = list(fleet.regions)
    regions[number] = regions[number].model_copy(update=fields)
    return fleet.model_copy(update={"regions": tuple(regions)})


def named(found: frozenset[Stack]) -> set[tuple[str, str | None]]:
    return {(stack.kind, stack.region) for stack in found}


def test_stacks_come_in_the_order_in_which_they_need_each_other() -> None:
    every = stacks(ATLAS)
    assert [stack.kind for stack in every] == ["base", *["region"] * 6, *["platform"] * 6, "edge"]
    for place, stack in enumerate(every):
        assert all(every.index(lower) < place for lower in needs(stack, every))


def test_a_stack_is_named_for_fleet_environment_and_region_and_its_project_for_its_kind() -> None:
    stack = find(ATLAS, "region", "eastus2")
    assert (stack.project, stack.name) == ("fleet-region", "atlas-production-eastus2")
    assert stack.reference == "organization/fleet-region/atlas-production-eastus2"
    assert find(DEMO, "edge").name == "demo-demo"
    assert find(DEMO, "platform").name == "demo-demo-eastus2"
    assert stack.folder == "infra/stacks/region"


def test_a_region_that_is_not_in_the_fleet_has_no_stack() -> None:
    with pytest.raises(InvalidInput, match="the fleet atlas has no region 'mars'"):
        find(ATLAS, "region", "mars")


@pytest.mark.parametrize("region", [region.name for region in ATLAS.regions])
def test_a_stack_of_one_region_needs_nothing_of_another_region(region: str) -> None:
    every = stacks(ATLAS)
    assert needs(find(ATLAS, "region", region), every) == (find(ATLAS, "base"),)
    assert needs(find(ATLAS, "platform", region), every) == (find(ATLAS, "base"), find(ATLAS, "region", region))


def test_the_edge_needs_every_other_stack() -> None:
    assert needs(find(ATLAS, "edge"), stacks(ATLAS)) == stacks(ATLAS)[:-1]


def test_a_program_is_told_where_the_fleet_file_is_and_which_region_and_nothing_else() -> None:
    assert find(ATLAS, "base").config() == {"fleet": "atlas"}
    stack = find(ATLAS, "region", "eastus2", source="../../mine.yaml")
    assert yaml.safe_load(config_file(stack)) == {
        "config": {"fleet-region:fleet": "../../mine.yaml", "fleet-region:region": "eastus2"}
    }


def test_writing_a_configuration_anew_keeps_what_is_not_ours() -> None:
    stack = find(ATLAS, "base")
    config = {"fleet-base:fleet": "old", "fleet-base:unguarded": True}
    there = yaml.safe_dump({"secretsprovider": "azurekeyvault://v/keys/k", "encryptedkey": "abc", "config": config})
    written = config_file(stack, there)
    assert yaml.safe_load(written) == {
        "secretsprovider": "azurekeyvault://v/keys/k",
        "encryptedkey": "abc",
        "config": {"fleet-base:fleet": "atlas", "fleet-base:unguarded": True},
    }
    assert config_file(stack, written) == written


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_stack_may_not_know_is_not_there_to_be_read(kind: Any) -> None:
    stack = next(one for one in stacks(ATLAS) if one.kind == kind)
    seen = inputs(stack, ATLAS)
    hidden = {"base": "pools", "region": "failover", "platform": "address_space", "edge": "pools"}[kind]
    with pytest.raises(AttributeError):
        getattr(seen.regions[0], hidden)
    with pytest.raises(AttributeError):
        _ = seen.on_call
    assert ATLAS.regions[0].pools and ATLAS.on_call, "the fleet itself is whole"


def test_a_stack_of_a_region_sees_its_own_region_group_and_services_only() -> None:
    seen = inputs(find(ATLAS, "region", "southcentralus"), ATLAS)
    assert [region.name for region in seen.regions] == ["southcentralus"]
    assert list(seen.residency) == ["us"]
    assert {service.name for service in seen.services} == {"chat", "chat-mini", "embed", "moderation"}
    assert seen.azure is not None and seen.azure.kubernetes == "1.34"


def test_a_service_is_seen_only_where_its_pool_is() -> None:
    fewer = edited(ATLAS, 0, pools=tuple(pool for pool in ATLAS.regions[0].pools if pool.name == "a100"))
    assert "chat" not in [one.name for one in inputs(find(fewer, "platform", "eastus2"), fewer).services]


def test_a_seventh_region_changes_base_its_own_two_stacks_and_the_edge_and_nothing_else() -> None:
    assert named(affected(ATLAS, seventh(ATLAS))) == {
        ("base", None),
        ("region", "westus3"),
        ("platform", "westus3"),
        ("edge", None),
    }


CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a larger pool": ({"pools": (ATLAS.regions[0].pools[0],)}, {"region", "platform"}),
    "another address space": ({"address_space": IPv4Network("10.128.0.0/14")}, {"region"}),
    "another way out": ({"egress": "nat"}, {"region"}),
    "fewer zones": ({"zones": (1, 2)}, {"region"}),
    "another failover": ({"failover": ()}, {"edge"}),
    "traffic closed": ({"traffic": "closed"}, {"region", "edge"}),
    "another floor": ({"capacity_floor": 0.5}, set()),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("number", range(len(ATLAS.regions)))
def test_an_edit_of_one_region_changes_that_region_and_at_most_what_all_share(what: str, number: int) -> None:
    fields, kinds = CHANGES[what]
    region = ATLAS.regions[number].name
    found = affected(ATLAS, edited(ATLAS, number, **fields))
    assert named(found) == {(kind, None if kind in ("base", "edge") else region) for kind in kinds}


def test_another_version_of_kubernetes_changes_the_clusters_and_nothing_else() -> None:
    assert ATLAS.azure is not None
    newer = ATLAS.model_copy(update={"azure": ATLAS.azure.model_copy(update={"kubernetes": "1.35"})})
    assert {stack.kind for stack in affected(ATLAS, newer)} == {"region"}


def test_what_only_people_and_dashboards_need_changes_no_stack() -> None:
    calmer = ATLAS.services[0].model_copy(update={"objectives": ATLAS.services[0].objectives[:1]})
    other = ATLAS.model_copy(
        update={"on_call": DEMO.on_call, "load_profiles": (), "services": (calmer, *ATLAS.services[1:])}
    )
    assert affected(ATLAS, other) == frozenset()


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "zones": st.sampled_from([(), (1,), (1, 2, 3)]),
    "egress": st.sampled_from(["firewall", "nat"]),
    "traffic": st.sampled_from(["open", "closed"]),
    "capacity_floor": st.sampled_from([0.1, 0.5, 0.75]),
    "failover": st.sampled_from([(), ("eastus2",)]),
    "address_space": st.sampled_from([IPv4Network("10.128.0.0/14"), IPv4Network("10.132.0.0/14")]),
    "pools": st.lists(st.sampled_from(ATLAS.regions[1].pools), min_size=1, unique=True).map(tuple),
}


@st.composite
def edits(draw: st.DrawFn) -> tuple[int, Fleet]:
    """A fleet of some of atlas's regions, and what an edit of one of them makes of it."""
    fields = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, unique=True))
    number = draw(st.integers(0, len(ATLAS.regions) - 1))
    return number, edited(ATLAS, number, **{field: draw(FIELDS[field]) for field in fields})


@settings(max_examples=150, deadline=None)
@given(edits())
def test_no_edit_of_a_region_reaches_a_stack_of_another_region(edit: tuple[int, Fleet]) -> None:
    number, fleet = edit
    others = {region.name for region in ATLAS.regions} - {ATLAS.regions[number].name}
    assert not {stack for stack in affected(ATLAS, fleet) if stack.region in others}
    assert ("base", None) not in named(affected(ATLAS, fleet)), "base knows names and places only"


@settings(max_examples=50, deadline=None)
@given(st.sets(st.sampled_from([region.name for region in ATLAS.regions]), min_size=1), st.data())
def test_regions_that_come_or_go_leave_the_stacks_of_those_that_stay_alone(kept: set[str], data: st.DataObject) -> None:
    now = tuple(region for region in ATLAS.regions if region.name in kept)
    later = data.draw(st.permutations(ATLAS.regions).map(tuple))
    before, after = (ATLAS.model_copy(update={"regions": regions}) for regions in (now, later))
    assert not {stack for stack in affected(before, after) if stack.region in kept}


@settings(max_examples=50, deadline=None)
@given(edits())
def test_an_edit_and_its_undo_affect_the_same_stacks(edit: tuple[int, Fleet]) -> None:
    assert affected(ATLAS, edit[1]) == affected(edit[1], ATLAS)


def test_every_field_of_a_region_is_somebodys_to_know_but_what_rollouts_leave_of_it() -> None:
    seen = frozenset[str]().union(*(sight.region for sight in SIGHT.values()))
    assert seen == frozenset(Region.model_fields) - {"capacity_floor"}
