"""Rows of what regions must have, and where each applies: in fleets that ship, and in one that has everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from _pytest.mark import ParameterSet

from infra.fleet import Fleet, load_fleet
from infra.region import Pool, Region
from tests.infra.components.rendered import REFERENCES, Rendered, called

Row = Callable[[Rendered], None]
Where = Callable[[Fleet, Region], bool]

PLACES: dict[str, tuple[Fleet, Region]] = {
    called(name, region.name): (fleet, region)
    for name, fleet in ((name, load_fleet(file)) for name, file in REFERENCES.items())
    for region in fleet.regions
}
"""Every region by its name among those of all fleets."""


def everywhere(fleet: Fleet, region: Region) -> bool:
    """In every region."""
    return True


def with_pool(wanted: Callable[[Pool], bool]) -> Where:
    """Where there is a pool that is so."""
    return lambda fleet, region: any(wanted(pool) for pool in region.pools)


def cases(rows: Iterable[tuple[Where, Row]]) -> list[ParameterSet]:
    """Each row in each region that it applies to. A row that applies to none in the fleet of everything is an error."""
    found = []
    for where, row in rows:
        met = [name for name, (fleet, region) in PLACES.items() if where(fleet, region)]
        assert {"walled", "racks"} & set(met), f"no region of features.yaml has {row.__name__}"
        found += [pytest.param(name, row, id=f"{row.__name__}-{name}") for name in met]
    return found
