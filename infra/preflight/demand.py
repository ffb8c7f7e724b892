"""The machines that a fleet may scale to: of which size, how many, where, and from which quota they are taken. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.azure.facts import GpuSize, family_key, quota_of
from infra.blueprint.cpu_pool import CPU_POOLS, CpuPool
from infra.blueprint.node_pool import reserved, zones
from infra.fleet import Fleet
from infra.preflight.limits import REGIONAL, SPOT, Priority
from infra.region import Pool, Region
from infra.yamlfile.problem import Place


@dataclass(frozen=True, slots=True)
class Demand:
    """Machines of one pool of one region."""

    region: str
    location: str
    pool: str
    sku: str
    vcpus: int  # of one machine
    family: str  # quota family, as Azure spells it
    priority: Priority
    least: int
    most: int
    surge: int  # added while an upgrade runs
    reserved: int  # paid whether they run or not
    zones: tuple[int, ...]
    place: Place
    size: GpuSize | None = None  # None: no GPU
    infiniband: bool = False

    @property
    def floor(self) -> int:
        """The machines without which it cannot begin: its minimum, or what is reserved for it."""
        return max(self.least, self.reserved)

    @property
    def peak(self) -> int:
        """The most machines that there can be at a time."""
        return self.most + self.surge

    @property
    def size_place(self) -> Place:
        """Where the fleet file names the size; for a pool that is in no fleet file, its region."""
        return (*self.place, "sku") if self.size else self.place

    @property
    def quotas(self) -> tuple[str, ...]:
        """Keys of the quotas it is taken from.

        Spot machines have one of their own for all families (learn.microsoft.com, "Spot quotas"); all others count in
        their family and in the region's total.
        """
        return (SPOT,) if self.priority == "spot" else (family_key(self.family), REGIONAL)


def demands(fleet: Fleet) -> tuple[Demand, ...]:
    """All machines of a fleet, region by region: first those that Kubernetes runs on, then the file's pools."""
    return tuple(found for number, region in enumerate(fleet.regions) for found in _of_region(region, number))


def at_once(machines: Sequence[Demand]) -> int:
    """The most machines of several pools that there can be at a time: they are upgraded one after the other."""
    return sum(one.most for one in machines) + max((one.surge for one in machines), default=0)


def surge(pool: Pool) -> int:
    """Machines that an upgrade of a GPU pool adds for a while (blueprint/node_pool.py); they need quota as well."""
    return 1 if pool.priority == "on-demand" else 0


def _of_region(region: Region, number: int) -> Iterator[Demand]:
    for cpu in CPU_POOLS:
        yield _cpu(region, cpu, ("regions", number))
    for place, pool in enumerate(region.pools):
        yield _gpu(region, pool, ("regions", number, "pools", place))


def _cpu(region: Region, cpu: CpuPool, place: Place) -> Demand:
    spelled = quota_of(cpu.sku)
    return Demand(
        region=region.name,
        location=region.location,
        pool=cpu.name,
        sku=cpu.sku,
        vcpus=cpu.vcpus,
        family=spelled.family if spelled else cpu.family,
        priority="on-demand",
        least=cpu.least,
        most=cpu.most,
        surge=1,
        reserved=0,
        zones=region.zones,
        place=place,
    )


def _gpu(region: Region, pool: Pool, place: Place) -> Demand:
    return Demand(
        region=region.name,
        location=region.location,
        pool=pool.name,
        sku=pool.sku,
        vcpus=pool.size.vcpus,
        family=pool.size.family,
        priority=pool.priority,
        least=pool.nodes.min,
        most=pool.nodes.max,
        surge=surge(pool),
        reserved=sum(reserved(pool, region).values()),
        zones=zones(pool, region),
        place=place,
        size=pool.size,
        infiniband=pool.infiniband,
    )
