"""Names of Azure resources: the same ones each time, as Azure takes them, and no two things under one name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.azure.facts import regions
from infra.blueprint.naming import ENVIRONMENTS, KINDS, Naming, pool, region_code

OURS, OTHERS = "00000000-0000-0000-0000-0000000a71a1", "00000000-0000-0000-0000-0000000a71a2"
ATLAS = Naming("atlas", "production", OURS)

kinds = st.sampled_from(sorted(KINDS))
fleets = st.from_regex(r"[a-z][a-z0-9-]{0,38}[a-z0-9]", fullmatch=True)  # as a fleet file takes them
parts = st.one_of(st.just(""), fleets)
places = st.sampled_from(sorted(regions()))


@given(
    st.sampled_from(sorted(KINDS)), fleets, st.sampled_from(sorted(ENVIRONMENTS)), places, parts, st.integers(1, 999)
)
def test_every_name_is_short_enough_and_of_letters_that_azure_takes(
    kind: str, fleet: str, environment: str, place: str, part: str, number: int
) -> None:
    name, rule = Naming(fleet, environment, OURS).name(kind, place, part, number), KINDS[kind]
    assert len(name) <= rule.longest
    assert re.fullmatch("[a-z][a-z0-9-]*[a-z0-9]" if rule.dashes else "[a-z][a-z0-9]*", name)


@given(kinds, places, parts)
def test_a_name_is_computed_and_never_drawn(kind: str, place: str, part: str) -> None:
    """What a killed run was making is looked up by it."""
    assert ATLAS.name(kind, place, part) == Naming("atlas", "production", OURS).name(kind, place, part)


KNOWN = {
    ("resource group", "eastus2", "data"): "rg-atlas-data-prod-eus2-001",
    ("cluster", "swedencentral", ""): "aks-atlas-prod-sec-001",
    ("private link service", "southcentralus", ""): "pls-atlas-prod-scus-001",
    ("Front Door", "", ""): "afd-atlas-prod-001",
}


@pytest.mark.parametrize(("what", "name"), KNOWN.items(), ids=KNOWN.values())
def test_names_are_as_they_ever_were(what: tuple[str, str, str], name: str) -> None:
    """Another name is another resource."""
    assert ATLAS.name(*what) == name


@pytest.mark.parametrize("fleet", ["atlas", "a" * 40])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_only_what_must_be_unique_in_azure_is_called_differently_in_another_subscription(kind: str, fleet: str) -> None:
    names = {Naming(fleet, "production", one).name(kind, "eastus2") for one in (OURS, OTHERS)}
    assert (len(names) == 2) == KINDS[kind].unique


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_two_fleets_never_share_a_name_also_where_it_is_cut_before_they_differ(kind: str) -> None:
    names = {Naming("a" * 39 + last, "production", OURS).name(kind, "eastus2") for last in "bc"}
    assert len(names) == 2


def test_no_two_regions_share_a_code() -> None:
    codes = {region_code(location) for location in regions()}
    assert len(codes) == len(regions()) and all(re.fullmatch("[a-z0-9]{2,8}", code) for code in codes)


def test_each_generation_of_a_pool_has_a_name_of_its_own() -> None:
    assert [pool("h100", generation) for generation in (1, 2, 10)] == ["h100g1", "h100g2", "h100g10"]
