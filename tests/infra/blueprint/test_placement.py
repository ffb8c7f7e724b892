"""What a fleet keeps lies where the law of its residency group is, by one set of functions for programs and proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.azure.facts import regions
from infra.azure.pairs import pair, vault_pair
from infra.blueprint.placement import (
    backup_redundancy,
    edge_log_sink,
    home,
    log_sink,
    origin_groups,
    placements,
    registry_replicas,
    state_location,
    vault_location,
)
from infra.fleet import Fleet, load_fleet
from infra.region import Region
from infra.residency.law import lawful
from infra.residency.proof import prove
from tests.infra.violations import atlas

LAWS = sorted({facts.residency for facts in regions().values()})


def alone(location: str, *laws: str) -> tuple[Fleet, Region]:
    """The demo fleet with its one region elsewhere, under laws of one's own."""
    demo = load_fleet("demo")
    group = demo.residency["us"].model_copy(update={"jurisdictions": laws})
    region = demo.regions[0].model_copy(update={"location": location})
    return demo.model_copy(update={"residency": {"us": group}, "regions": (region,)}), region


def test_the_registry_is_replicated_to_every_region_whose_group_keeps_weights() -> None:
    """Home is not among the replicas: the registry itself is there."""
    fleet = atlas()
    assert home(fleet).name == "eastus2"
    assert registry_replicas(fleet) == ("southcentralus", "swedencentral", "westeurope", "japaneast", "southeastasia")
    group = fleet.residency["apac"]
    without = tuple(kind for kind in group.data if kind != "weights")
    lighter = fleet.residency | {"apac": group.model_copy(update={"data": without})}
    assert registry_replicas(fleet.model_copy(update={"residency": lighter}))[-1] == "westeurope"


def test_two_regions_at_one_place_share_a_replica() -> None:
    """A registry has one replica per Azure region."""
    fleet = atlas()
    twice = fleet.model_copy(update={"regions": (*fleet.regions, fleet.regions[3].model_copy(update={"name": "b"}))})
    assert registry_replicas(twice) == registry_replicas(fleet)


@pytest.mark.parametrize(("location", "says"), [("eastus2", "ZoneRedundant"), ("westus", "LocallyRedundant")])
def test_backups_stay_in_their_region(location: str, says: str) -> None:
    """Over its zones where Azure has some."""
    _, region = alone(location, "US")
    assert backup_redundancy(region) == says


def test_logs_and_state_are_copied_nowhere() -> None:
    """Logs lie in their own region; the state and what the edge logs lie at home."""
    fleet = atlas()
    assert [log_sink(fleet, region) for region in fleet.regions] == [region.location for region in fleet.regions]
    assert state_location(fleet) == edge_log_sink(fleet) == home(fleet).location
    assert all(not found.copies for found in placements(fleet) if found.kind in ("logs", "storage", "backup vault"))


def test_a_vault_that_key_vault_would_copy_abroad_is_placed_elsewhere_in_its_group() -> None:
    """Azure pairs Singapore with Hong Kong. Japan's pair is in Japan."""
    fleet = atlas()
    places = {region.name: vault_location(fleet, region) for region in fleet.regions}
    assert places.pop("southeastasia") == "japaneast"
    assert all(name == place for name, place in places.items())


@pytest.mark.parametrize(
    ("location", "laws", "place"),
    [
        ("southeastasia", ("SG", "HK"), "southeastasia"),  # the pair is inside
        ("southeastasia", ("SG",), "southeastasia"),  # nowhere to go; the proof refuses it
        ("southeastasia", ("SG", "KR"), "koreacentral"),
        ("southeastasia", ("SG", "AU"), "australiaeast"),  # not australiacentral, which has no zones
        ("brazilsouth", ("BR",), "brazilsouth"),  # Key Vault does not copy it, though the pair is in Texas
        ("westus3", ("US",), "westus3"),
    ],
)
def test_where_a_vault_lies_follows_from_the_law_alone(location: str, laws: tuple[str, ...], place: str) -> None:
    """Whatever other regions the fleet has: a change of one of them moves nobody's vault."""
    fleet, region = alone(location, *laws)
    assert vault_location(fleet, region) == place


@given(st.sampled_from(sorted(regions())), st.sets(st.sampled_from(LAWS), min_size=1))
def test_a_vault_stays_under_its_laws_wherever_any_region_of_the_continent_lets_it(
    location: str, laws: set[str]
) -> None:
    """Of the vault and the copy that Azure makes of it."""
    fleet, region = alone(location, *laws, regions()[location].residency)
    place = vault_location(fleet, region)
    near = [name for name, facts in regions().items() if facts.continent == regions()[location].continent]

    def stays(name: str) -> bool:
        copy = vault_pair(name)
        return lawful(fleet, "us", name) and (copy is None or lawful(fleet, "us", copy))

    assert stays(place) or (place == location and not any(stays(name) for name in near))


def test_pairs_are_regions_and_those_that_have_none_say_so() -> None:
    """Brazil South is paired, and its vaults are not copied."""
    known = {name: pair(name) for name in regions()}
    assert all(other in regions() for other in known.values() if other)
    assert (known["polandcentral"], known["brazilsouth"], vault_pair("brazilsouth")) == (None, "southcentralus", None)


def test_users_are_sent_only_to_regions_of_their_group() -> None:
    """In the order of the file; a group without regions has no endpoint."""
    fleet = atlas()
    spare = fleet.model_copy(update={"residency": {**fleet.residency, "ca": fleet.residency["us"]}})
    shown = {group: [region.name for region in members] for group, members in origin_groups(spare).items()}
    assert shown == {
        "us": ["eastus2", "southcentralus"],
        "eu": ["swedencentral", "westeurope"],
        "apac": ["japaneast", "southeastasia"],
    }


def test_a_fallback_that_is_elsewhere_is_a_place_where_prompts_go() -> None:
    """A fleet file that says so is refused when it is read; the placements say it in their own right."""
    fleet = atlas()
    first = fleet.regions[0]
    lighter = first.model_copy(update={"pools": tuple(pool for pool in first.pools if pool.name != "a100")})
    moved = fleet.model_copy(update={"regions": (lighter, *fleet.regions[1:])})
    (found,) = [one for one in placements(moved) if one.via.startswith("fallback")]
    assert (found.name, found.via) == ("chat in eastus2", "fallback chat-mini")
    assert found.copies == tuple(region.location for region in fleet.regions[1:])
    assert any("fallback chat-mini -> japaneast (JP)" in violation.path for violation in prove(moved))


def test_every_region_has_its_vault_logs_backups_and_services_among_the_placements() -> None:
    """And training where it is done."""
    fleet = atlas()
    names = {found.name for found in placements(fleet)}
    for region in fleet.regions:
        what = [f"key vault of {region.name}", f"logs and metrics of {region.name}", f"backups of {region.name}"]
        assert {*what, *(f"{service.name} in {region.name}" for service in fleet.services)} <= names
    assert "disks of h200train in southcentralus" in names
