"""What of a fleet cannot be built whatever Azure grants: addresses, names, the edge's reach, racks, replicas. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from infra.azure.facts import edge_regions, regions
from infra.blueprint.addresses import AddressPlan, plan, subnet_of
from infra.blueprint.naming import KINDS, Naming
from infra.fleet import Fleet
from infra.preflight.cost import replica_gpus
from infra.preflight.demand import Demand, at_once, demands
from infra.preflight.finding import Found
from infra.region import Pool
from infra.release import Release
from infra.yamlfile.problem import Place

LARGEST_POOL = 1000
LARGEST_CLUSTER = 5000
"""Machines of a pool and of a cluster (learn.microsoft.com, "Quotas, SKUs and regions in AKS")."""

API_SERVER = 1  # address of its private endpoint, in the subnet of the system pool


def misfits(fleet: Fleet, releases: Mapping[str, Release]) -> Iterator[Found]:
    """Everything that does not fit into itself."""
    yield from _names(fleet)
    yield from _unreached(fleet)
    for _, found in groupby(demands(fleet), key=lambda demand: demand.place[:2]):
        machines = list(found)
        yield from _addresses(fleet, machines)
        yield from _sizes(machines)
    for demand in demands(fleet):
        yield from _racks(demand)
    yield from _replicas(fleet, releases)


def _addresses(fleet: Fleet, machines: list[Demand]) -> Iterator[Found]:
    """Every machine has an address in its subnet, and a range for its pods."""
    region = fleet.region(machines[0].region)
    addresses, place = plan(region.address_space), (*machines[0].place[:2], "address_space")
    for subnet in ("system", "serving", "training"):
        needed = at_once([one for one in machines if _subnet(fleet, one) == subnet])
        needed += API_SERVER * (subnet == "system")
        if needed > (room := addresses.room(subnet)):
            what = f"{needed:,} addresses are needed in the subnet {addresses.subnets[subnet]} for {subnet}"
            yield Found("violation", place, f"{what}, it has {room:,}", f"{subnet} subnet of {region.name}")
    yield from _pods(machines, addresses, place)


def _pods(machines: list[Demand], addresses: AddressPlan, place: Place) -> Iterator[Found]:
    total = at_once(machines)
    if total > addresses.machines:
        what = f"{total:,} machines need a /24 each for their pods, {addresses.pods} has {addresses.machines:,}"
        yield Found("violation", place, what, f"pod range of {machines[0].region}")


def _subnet(fleet: Fleet, demand: Demand) -> str:
    pool = fleet.region(demand.region).pool(demand.pool)
    return subnet_of(pool.purpose) if pool and demand.size else "system"


def _sizes(machines: list[Demand]) -> Iterator[Found]:
    """AKS has largest pools and largest clusters."""
    total = at_once(machines)
    if total > LARGEST_CLUSTER:
        what = f"{total:,} machines, with those of upgrades; a cluster has at most {LARGEST_CLUSTER:,}"
        yield Found("violation", (*machines[0].place[:2], "pools"), what, f"machines of a cluster: {LARGEST_CLUSTER:,}")
    for one in machines:
        if one.peak > LARGEST_POOL:
            what = f"{one.pool} has {one.peak:,} machines, with those of upgrades; a pool has at most {LARGEST_POOL:,}"
            yield Found("violation", (*one.place, "nodes", "max"), what, f"machines of a pool: {LARGEST_POOL:,}")


def _names(fleet: Fleet) -> Iterator[Found]:
    """Names follow from the Azure region: a second region there would have those of the first."""
    naming = Naming(fleet.name, fleet.environment, fleet.azure.subscription if fleet.azure else "")
    first: dict[tuple[str, str], str] = {}
    for number, region in enumerate(fleet.regions):
        names = {kind: naming.name(kind, region.location) for kind in KINDS}
        taken = [kind for kind, name in names.items() if first.setdefault((kind, name), region.name) != region.name]
        if taken:
            other = first[taken[0], names[taken[0]]]
            what = f"{region.name} and {other} would have the same names, as {names[taken[0]]} for the {taken[0]}"
            yield Found("violation", ("regions", number, "location"), f"{what}; take another Azure region for one")


def _unreached(fleet: Fleet) -> Iterator[Found]:
    """The edge reaches a region by a private endpoint in it, which Front Door does not make everywhere.

    Front Door would go by one in another region (articles/frontdoor/private-link.md); we do not: traffic would, too.
    """
    for number, region in enumerate(fleet.regions):
        if region.location not in edge_regions():
            law = regions()[region.location].residency
            near = sorted(name for name in edge_regions() if regions()[name].residency == law)
            what = f"Front Door makes no private endpoint in {region.location}, and the edge reaches it by nothing else"
            instead = f"; in {law} it makes them in {', '.join(near)}" if near else f"; in {law} it makes them nowhere"
            place = ("regions", number, "location")
            yield Found("violation", place, what + instead, "regions of Front Door's private endpoints")


def _racks(demand: Demand) -> Iterator[Found]:
    """Machines that share NVLink come as whole racks, or 72 GPUs do not make one domain."""
    if demand.size is None or demand.size.rack == 1:
        return
    for end, machines in (("min", demand.least), ("max", demand.most)):
        if machines % demand.size.rack:
            near = f"{machines - machines % demand.size.rack} or {machines + -machines % demand.size.rack}"
            what = f"{machines} machines of {demand.sku} are no whole racks of {demand.size.rack}; write {near}"
            yield Found("violation", (*demand.place, "nodes", end), what, f"a rack: {demand.size.rack} machines")


def _replicas(fleet: Fleet, releases: Mapping[str, Release]) -> Iterator[Found]:
    """The replicas of all services of a pool find GPUs, and no layer is shared between machines."""
    for number, service in enumerate(fleet.services):
        release = releases.get(service.name)
        for region in fleet.regions_of(service.name) if release else ():
            pool, tensor = region.pool(service.pool), release.parallel.tensor if release else 1
            if pool and tensor > pool.size.count:
                what = f"{service.name} shares each layer over {tensor} GPUs, {pool.sku} has {pool.size.count}"
                yield Found("violation", ("services", number, "pool"), f"{what} ({region.name})", "GPUs of a machine")
    for number, region in enumerate(fleet.regions):
        for place, pool in enumerate(region.pools):
            yield from _crowded(fleet, releases, region.name, pool, ("regions", number, "pools", place))


def _crowded(fleet: Fleet, releases: Mapping[str, Release], region: str, pool: Pool, place: Place) -> Iterator[Found]:
    served = [service for service in fleet.services if service.pool == pool.name]
    needed = {one.name: (replica_gpus(releases.get(one.name)) or 0) * one.replicas for one in served}
    there = pool.nodes.max * pool.size.count
    if sum(needed.values()) > there:
        takers = ", ".join(f"{name} {gpus}" for name, gpus in needed.items() if gpus)
        what = (
            f"{region}: replicas on {pool.name} need {sum(needed.values()):,} GPUs ({takers}), it has at most {there:,}"
        )
        yield Found("violation", (*place, "nodes", "max"), what, f"GPUs of {pool.name}")
