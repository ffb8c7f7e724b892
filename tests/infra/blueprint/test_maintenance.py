"""When regions are worked on."""

from __future__ import annotations

from itertools import combinations

import pytest

from infra.azure.facts import regions
from infra.blueprint.maintenance import DAYS, NIGHT, window
from infra.fleet import load_fleet, names

ONE = load_fleet("atlas").region("eastus2")


@pytest.mark.parametrize("name", names())
def test_no_two_regions_of_a_residency_group_are_worked_on_on_one_day(name: str) -> None:
    for one, other in combinations(load_fleet(name).regions, 2):
        assert one.residency != other.residency or window(one).day != window(other).day


def test_the_window_is_the_regions_own_whatever_else_the_fleet_has() -> None:
    moved = ONE.model_copy(update={"failover": (), "pools": ONE.pools[:1], "residency": "eu"})
    assert window(moved) == window(ONE)


@pytest.mark.parametrize("location", sorted(regions()))
def test_a_window_ends_on_the_day_it_begins(location: str) -> None:
    found = window(ONE.model_copy(update={"location": location}))
    assert found.day in DAYS and found.hour + found.hours <= 24


def test_every_continent_has_a_night() -> None:
    assert {region.continent for region in regions().values()} == set(NIGHT)
