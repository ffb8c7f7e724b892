"""When Azure may work on a region: four hours of its night, on a weekday that its neighbour does not have. Pure.

A region program sees no other region, so the weekday follows from the region's own block of addresses: blocks that lie
beside each other, as those of a residency group do, get different days.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.azure.facts import regions
from infra.region import Region

# Hours in UTC that are about midnight to 02:00 in the middle of each continent; the window never passes 24:00 UTC.
NIGHT = {"NA": 8, "LATAM": 5, "EU": 1, "MEA": 20, "APAC": 17}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday")  # never before a weekend
HOURS = 4  # the shortest window that AKS takes (learn.microsoft.com, "Use planned maintenance to schedule upgrades")


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of one day of the week, in UTC."""

    day: str
    hour: int
    hours: int = HOURS


def window(region: Region) -> Window:
    """The maintenance window of a region."""
    block = region.address_space
    number = int(block.network_address) >> (32 - block.prefixlen)
    return Window(DAYS[number % len(DAYS)], NIGHT[regions()[region.location].continent])
