"""What a subscription may not have: more processors than its quota, sizes and zones that are closed to it. Pure.

Only what is in the limits is known; without limits, or where they say nothing, nothing is refused. Used quota in the
limits is what others use: what this subscription holds here is counted anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from infra.azure.facts import family_key, quota_of, regions
from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import same
from infra.azure.rules.pool import BOTH, Pool, asked, everywhere, location
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

QUOTAS = "https://learn.microsoft.com/azure/quotas/per-vm-quota-requests"
SKUS = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available"
RESERVATION = "Microsoft.Compute/capacityReservationGroups/capacityReservations"
MACHINES = (*BOTH, RESERVATION)
REGIONAL, SPOT = "cores", "lowprioritycores"  # keys of limits: total regional vCPUs, total regional spot vCPUs


@rule("quota.family", MACHINES, QUOTAS)
def family_quota_is_kept(request: Request, world: World) -> ArmError | None:
    """The machines of a family in a region stay within its quota."""
    place = _place(request, world)
    return _exceeded(request, place, _families(request), world)


@rule("quota.region", MACHINES, "https://learn.microsoft.com/azure/quotas/regional-quota-requests")
def regional_quota_is_kept(request: Request, world: World) -> ArmError | None:
    """All machines of a region but spot ones stay within the regional quota."""
    place = _place(request, world)
    return _exceeded(request, place, {REGIONAL} if _families(request) else set(), world)


@rule("quota.spot", BOTH, "https://learn.microsoft.com/azure/quotas/spot-quota")
def spot_quota_is_kept(request: Request, world: World) -> ArmError | None:
    """All spot machines of a region stay within the one quota that they have."""
    place = _place(request, world)
    wanted = {SPOT} if any(pool.spot for pool in asked(request)) else set()
    return _exceeded(request, place, wanted, world)


@rule("quota.sku", MACHINES, SKUS)
def size_is_open(request: Request, world: World) -> ArmError | None:
    """A size is one that the subscription may have in the region."""
    place = _place(request, world)
    for size, _ in _sizes(request):
        offer = world.limits.sku(place, size) if world.limits else None
        if offer is not None and offer.restricted:
            return refuse("SkuNotAvailable", f"The requested size {size} is currently not available in {place}.", 409)
    return None


@rule("quota.zone", MACHINES, SKUS)
def zones_are_open(request: Request, world: World) -> ArmError | None:
    """A size is one that the subscription may have in each of the zones."""
    place = _place(request, world)
    for size, zones in _sizes(request):
        offer = world.limits.sku(place, size) if world.limits else None
        if offer is None:
            continue
        closed = [zone for zone in zones if zone not in _open(offer)]
        if closed:
            what = f"The zone(s) {closed} for {size} is not supported in {place}; supported are {sorted(_open(offer))}."
            return refuse("AvailabilityZoneNotSupported", what)
    return None


@rule("quota.region-zones", MACHINES, "https://learn.microsoft.com/azure/reliability/availability-zones-region-support")
def region_has_zones(request: Request, world: World) -> ArmError | None:
    """Zones are for regions that have them."""
    place = _place(request, world)
    region = regions().get(place)
    zoned = any(zones for _, zones in _sizes(request))
    what = f"Availability zone is not supported in region {place}."
    return refuse("AvailabilityZoneNotSupported", what) if zoned and region and region.zones is False else None


def _exceeded(request: Request, place: str, keys: set[str], world: World) -> ArmError | None:
    held = _held(request, world, place)
    for name in sorted(keys):
        quota = world.limits.quota(place, name) if world.limits else None
        if quota is None:
            continue
        others = quota.used - getattr(quota, "ours", 0)
        if held[name] + others > quota.limit:
            return _refusal(request, place, name, (held[name], others, quota.limit))
    return None


def _refusal(request: Request, place: str, name: str, cores: tuple[int, int, int]) -> ArmError:
    """Compute's words for a reservation and AKS's for pools, by processors held, used by others and allowed.

    Compute: learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-resource-quota. AKS: as its users
    tell of it (400, ErrCode_InsufficientVCPUQuota); of upgrades, and in 2024, its page and they tell of QuotaExceeded.
    """
    held, others, limit = cores
    left, regional = max(limit - others, 0), name == REGIONAL
    if request.type.lower() == RESERVATION.lower():
        what = f"results in exceeding approved {'Total Regional' if regional else name} Cores quota"
        counts = f"Location: {place}, Current Limit: {limit}, Current Usage: {others}, Additional Required: {held}"
        return refuse("OperationNotAllowed", f"Operation could not be completed as it {what}. {counts}.", 409)
    what = f"Insufficient vcpu quota requested {held}, remaining {left} for family {name} for region {place}."
    if regional:
        what = f"Insufficient regional vcpu quota left for location {place}. left regional vcpu quota {left}, "
        what += f"requested quota {held}."
    return refuse("ErrCode_InsufficientVCPUQuota", what)


def _held(request: Request, world: World, place: str) -> Counter[str]:
    """Quota key -> processors that the subscription has in a region once the request is carried out."""
    held: Counter[str] = Counter()
    for where, pool in everywhere(request, world):
        reserved = bool(pool.read("capacityReservationGroupID"))  # runs on what its reservation counts
        if where.lower() == place and not reserved:
            _count(held, pool.read("vmSize", ""), pool.now, spot=pool.spot)
    for body in _reservations(request, world):
        if str(read(body, "location", "")).lower() == place:
            _count(held, read(body, "sku.name", ""), read(body, "sku.capacity", 0), spot=False)
    return held


def _count(held: Counter[str], size: str, machines: int, *, spot: bool) -> None:
    need = quota_of(size)
    if need is not None:
        for name in (SPOT,) if spot else (REGIONAL, family_key(need.family)):
            held[name] += need.vcpus * machines


def _reservations(request: Request, world: World) -> Iterator[Any]:
    mine = request.type.lower() == RESERVATION.lower()
    for id, body in world.inventory.of_type(RESERVATION):
        if not (mine and same(id, request.id)):
            yield body
    if mine:
        yield {"location": request.location, **request.body}


def _families(request: Request) -> set[str]:
    """The quota families that a request draws on, without spot and without what is reserved."""
    if request.type.lower() == RESERVATION.lower():
        sizes = [read(request.body, "sku.name", "")]
    else:
        sizes = [pool.read("vmSize", "") for pool in asked(request) if _on_demand(pool)]
    return {family_key(need.family) for size in sizes if (need := quota_of(size)) is not None}


def _on_demand(pool: Pool) -> bool:
    return not pool.spot and not pool.read("capacityReservationGroupID")


def _sizes(request: Request) -> list[tuple[str, list[int]]]:
    """Size and zones of the machines that a request asks for."""
    if request.type.lower() == RESERVATION.lower():
        return [(read(request.body, "sku.name", ""), _numbers(rows(request.body, "zones")))]
    return [(pool.read("vmSize", ""), _numbers(rows(pool.body, "availabilityZones"))) for pool in asked(request)]


def _place(request: Request, world: World) -> str:
    if request.type.lower() == RESERVATION.lower():
        return str(read(request.body, "location", request.location) or "").lower()
    return location(request, world)


def _open(offer: Any) -> set[int]:
    return {int(zone) for zone in offer.zones} - {int(zone) for zone in offer.restricted_zones}


def _numbers(zones: list[Any]) -> list[int]:
    return [int(zone) for zone in zones if str(zone).isdigit()]
