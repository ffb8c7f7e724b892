"""An edit of the fleet file reaches exactly the stacks it is about, and never the stacks of another region."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.blueprint.stack import Stack, affected, inputs, stacks
from infra.fleet import FLEETS, Fleet, load_fleet, read_fleet
from infra.region import Pool, Region
from infra.yamlfile.source import parse

ATLAS = load_fleet("atlas")
NAMES = [region.name for region in ATLAS.regions]


def titles(found: frozenset[Stack]) -> set[str]:
    """Stacks as base, edge, region japaneast."""
    return {" ".join(filter(None, (stack.kind, stack.region))) for stack in found}


def with_region(fleet: Fleet, name: str, **changes: Any) -> Fleet:
    """The fleet with one region changed."""
    regions = [one.model_copy(update=changes) if one.name == name else one for one in fleet.regions]
    return fleet.model_copy(update={"regions": tuple(regions)})


def seventh(location: str, residency: str) -> Fleet:
    """Atlas as somebody would write it with one region more: beside the region, every rollout has a wave for it."""
    data = yaml.safe_load((FLEETS / "atlas.yaml").read_text(encoding="utf-8"))
    model = next(region for region in data["regions"] if region["residency"] == residency)
    new = {
        **model,
        "name": location,
        "location": location,
        "address_space": "10.64.0.0/14",
        "failover": [model["name"]],
    }
    data["regions"].append({**new, "pools": [dict(pool) for pool in model["pools"]], "traffic": "closed"})
    for service in data["services"]:
        service["rollout"]["waves"].append([location])
    return read_fleet(parse("atlas.yaml", json.dumps(data, default=lambda when: when.isoformat(timespec="minutes"))))


@pytest.mark.parametrize(
    ("location", "residency"),
    [("francecentral", "eu"), ("westus3", "us"), ("japanwest", "apac"), ("polandcentral", "eu")],
)
def test_a_seventh_region_reaches_exactly_the_stacks_that_must_change(location: str, residency: str) -> None:
    """Its own two are made; the registry gets a replica and the edge an origin. Nothing of the six is touched."""
    new = seventh(location, residency)
    assert titles(affected(ATLAS, new)) == {"base", f"region {location}", f"platform {location}", "edge"}
    assert len(stacks(new)) == len(stacks(ATLAS)) + 2 == 16


def test_taking_the_seventh_away_reaches_the_same() -> None:
    """What is affected does not depend on the direction."""
    new = seventh("francecentral", "eu")
    assert affected(new, ATLAS) == affected(ATLAS, new)
    assert affected(ATLAS, ATLAS) == frozenset()


# What a field of one region is about. "{}" is the region.
FIELDS: dict[str, tuple[Any, set[str]]] = {
    "address_space": (IPv4Network("10.128.0.0/14"), {"region {}"}),
    "egress": ("nat", {"region {}"}),
    "capacity_floor": (0.5, set()),  # what rollouts leave of a region
    "zones": ((1,), {"region {}"}),
    "pools": ((), {"region {}", "platform {}"}),
    "traffic": ("closed", {"region {}", "edge"}),
    "failover": ((), {"edge"}),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_a_region_reaches_the_stacks_it_is_about(field: str, name: str) -> None:
    """No more and no fewer."""
    value, about = FIELDS[field]
    expected = {title.format(name) for title in about}
    assert titles(affected(ATLAS, with_region(ATLAS, name, **{field: value}))) == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_generation_of_a_pool_reaches_its_own_region_only(name: str) -> None:
    """The cluster gets another pool, and the autoscaler is told of it."""
    first, *rest = ATLAS.region(name).pools
    pools = (first.model_copy(update={"generation": 2}), *rest)
    assert titles(affected(ATLAS, with_region(ATLAS, name, pools=pools))) == {f"region {name}", f"platform {name}"}


def test_every_field_of_a_region_that_may_change_is_in_the_table() -> None:
    """A new field must say what it is about. Name, place and group make another region of it."""
    assert {*FIELDS, "name", "location", "residency"} == set(Region.model_fields)


def _service(fleet: Fleet, **changes: Any) -> Fleet:
    first, *rest = fleet.services
    return fleet.model_copy(update={"services": (first.model_copy(update=changes), *rest)})


EDITS: dict[str, tuple[Fleet, set[str]]] = {
    "what is promised": (_service(ATLAS, objectives=()), set()),
    "how it is rolled out": (_service(ATLAS, rollout=ATLAS.services[1].rollout), set()),
    "who is called": (ATLAS.model_copy(update={"on_call": load_fleet("demo").on_call}), set()),
    "what stands for users": (ATLAS.model_copy(update={"load_profiles": ATLAS.load_profiles[:1]}), set()),
    "the first release": (_service(ATLAS, release="v2"), {f"platform {name}" for name in NAMES}),
    "the version of Kubernetes": (
        ATLAS.model_copy(update={"azure": ATLAS.azure and ATLAS.azure.model_copy(update={"kubernetes": "1.35"})}),
        {f"region {name}" for name in NAMES},
    ),
    "the laws of one group": (
        ATLAS.model_copy(
            update={
                "residency": {
                    **ATLAS.residency,
                    "eu": ATLAS.residency["eu"].model_copy(update={"jurisdictions": ("EU", "EFTA")}),
                }
            }
        ),
        {
            "base",
            "edge",
            *(f"{kind} {name}" for kind in ("region", "platform") for name in ("swedencentral", "westeurope")),
        },
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_outside_of_regions_reaches_no_stack_that_it_is_not_about(name: str) -> None:
    """Promises, rollouts, people and load make no resource at all."""
    edited, about = EDITS[name]
    assert titles(affected(ATLAS, edited)) == about


def _pools(draw: st.DrawFn, pools: tuple[Pool, ...]) -> tuple[Pool, ...]:
    kept = [pool for pool in pools if draw(st.booleans())]
    nodes = draw(st.integers(1, 64))
    return tuple(
        pool.model_copy(
            update={
                "nodes": pool.nodes.model_copy(update={"max": max(pool.nodes.min, nodes)}),
                "generation": draw(st.integers(1, 9)),
                "priority": draw(st.sampled_from(["reserved", "on-demand", "spot"])),
            }
        )
        for pool in kept
    )


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """The name of a region, and any number of changes to it."""
    region = draw(st.sampled_from(ATLAS.regions))
    values = {
        "address_space": st.sampled_from([IPv4Network("10.128.0.0/14"), IPv4Network("172.16.0.0/16")]),
        "egress": st.sampled_from(["firewall", "nat"]),
        "capacity_floor": st.floats(0.1, 1),
        "zones": st.sets(st.integers(1, 3)).map(lambda zones: tuple(sorted(zones))),
        "traffic": st.sampled_from(["open", "closed"]),
        "failover": st.sets(st.sampled_from(NAMES)).map(lambda names: tuple(sorted(names))),
        "location": st.sampled_from(["northeurope", "westus3", "koreacentral"]),
        "residency": st.sampled_from(sorted(ATLAS.residency)),
    }
    chosen = draw(st.sets(st.sampled_from([*values, "pools"]), min_size=1))
    changes = {
        field: _pools(draw, region.pools) if field == "pools" else draw(values[field]) for field in sorted(chosen)
    }
    return region.name, changes


@given(edits())
def test_whatever_happens_to_one_region_touches_no_stack_of_another(edit: tuple[str, dict[str, Any]]) -> None:
    """A region's stacks, and the two that all regions share: never another region's."""
    name, changes = edit
    new = with_region(ATLAS, name, **changes)
    assert titles(affected(ATLAS, new)) <= {"base", "edge", f"region {name}", f"platform {name}"}


def test_a_stack_cannot_see_what_would_tie_it_to_another_region() -> None:
    """That is why the above is true: a program that asked would not find it."""
    for stack in stacks(ATLAS):
        seen = inputs(stack, ATLAS)
        if stack.region:
            assert [region.name for region in seen.regions] == [stack.region]
            assert not hasattr(seen.regions[0], "failover")
        assert not hasattr(seen, "on_call")
