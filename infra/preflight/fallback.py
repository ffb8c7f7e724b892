"""What would fit where a pool does not: another size, or another region of the same residency group, best first. Pure.

Only what is known to fit is offered, after everything that the fleet may scale to has got its own. A size of another
maker or processor is no way out: images and drivers are made for one.
"""

from __future__ import annotations

from collections.abc import Iterator

from infra.azure.facts import GpuSize, gpu_sizes
from infra.fleet import Fleet
from infra.preflight.demand import Demand
from infra.preflight.finding import Fallback
from infra.preflight.limits import REGIONAL, SPOT, Limits, seen_price
from infra.preflight.quota import Ledger, unused
from infra.region import Region

OFFERED = 3  # more is a catalogue and no advice


def fallbacks(fleet: Fleet, limits: Limits, ledger: Ledger, demand: Demand, missing: int) -> tuple[Fallback, ...]:
    """Where the GPUs of `missing` machines would fit.

    First sizes whose GPUs have as much memory or more, then those that lack the least; of these the ones whose price is
    known, then the pool's own region, its own size, and the cheaper one.
    """
    wanted = demand.size
    if wanted is None:
        return ()
    found = [
        _fallback(limits, demand, region, sku, size, missing)
        for region in _near(fleet, demand)
        for sku, size in gpu_sizes().items()
        if (sku, region.location) != (demand.sku, demand.location) and _alike(demand, wanted, size)
    ]
    fit = [one for one in found if _fits(limits, ledger, demand, one, fleet.region(one.region))]
    return tuple(sorted(fit, key=lambda one: _rank(one, demand, wanted))[:OFFERED])


def _near(fleet: Fleet, demand: Demand) -> Iterator[Region]:
    """The regions of the demand's residency group; data may go nowhere else."""
    group = fleet.region(demand.region).residency
    seen = set[str]()
    for region in fleet.regions:
        if region.residency == group and region.location not in seen:
            seen.add(region.location)
            yield region


def _alike(demand: Demand, wanted: GpuSize, size: GpuSize) -> bool:
    """Whether the same image runs on it, and whether its machines are wired alike where that matters."""
    same = size.arch == wanted.arch and size.gpu.startswith("MI") == wanted.gpu.startswith("MI")
    return same and (size.infiniband or not demand.infiniband)


def _fallback(limits: Limits, demand: Demand, region: Region, sku: str, size: GpuSize, missing: int) -> Fallback:
    gpus = missing * (demand.size.count if demand.size else 1)
    racks = -(-gpus // (size.count * size.rack))  # whole ones
    machines = racks * size.rack
    rate = limits.price(region.location, sku, demand.priority) or seen_price(region.location, sku, demand.priority)
    cost = None if rate is None else machines * rate.usd
    return Fallback(sku, region.name, region.location, machines, size.memory, cost)


def _fits(limits: Limits, ledger: Ledger, demand: Demand, one: Fallback, region: Region) -> bool:
    """Whether it is known to be granted: the size in every zone that is wanted, reserved if need be, and the quota."""
    offer, size = limits.sku(one.location, one.sku), gpu_sizes()[one.sku]
    if offer is None or offer.restricted or not set(region.zones) <= set(offer.open_zones):
        return False
    if demand.priority == "reserved" and not offer.reservable:
        return False
    keys = (SPOT,) if demand.priority == "spot" else (size.family, REGIONAL)
    left = [unused(limits, ledger, one.location, key) for key in keys]
    return all(have is not None and have >= one.machines * size.vcpus for have in left)


def _rank(one: Fallback, demand: Demand, wanted: GpuSize) -> tuple[object, ...]:
    return (
        max(0, wanted.memory - one.memory),
        one.usd_per_hour is None,
        one.location != demand.location,
        one.sku != demand.sku,
        one.usd_per_hour or 0.0,
        one.machines,
        one.sku,
        one.location,
    )
