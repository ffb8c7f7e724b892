"""What AKS refuses of how a pool's machines are had: spot, reserved, close together, in zones. Pure."""

from __future__ import annotations

from infra.azure.refusal import ArmError, refuse
from infra.azure.rules.pool import BOTH, asked, cluster_body
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

AKS = "https://learn.microsoft.com/azure/aks"


@rule("pool.spot-settings", BOTH, f"{AKS}/spot-node-pool")
def spot_settings_are_for_spot(request: Request, world: World) -> ArmError | None:
    """Eviction policy and highest price are settings of spot pools only."""
    for pool in asked(request):
        settings = [name for name in ("scaleSetEvictionPolicy", "spotMaxPrice") if pool.read(name) is not None]
        if settings and not pool.spot:
            return refuse("InvalidParameter", f"{settings[0]} of '{pool.name}' needs scaleSetPriority Spot.")
    return None


@rule("pool.spot-price", BOTH, f"{AKS}/spot-node-pool")
def spot_price_is_a_price(request: Request, world: World) -> ArmError | None:
    """The highest spot price is -1 (as much as on demand) or more than 0, with at most five decimal places."""
    for pool in asked(request):
        price = pool.read("spotMaxPrice")
        if price is not None and price != -1 and price <= 0:
            return refuse("InvalidParameter", f"spotMaxPrice of '{pool.name}' is {price}; it must be -1 or above 0.")
        if price is not None and round(price, 5) != price:
            what = f"spotMaxPrice of '{pool.name}' is {price}; five decimal places are the most."
            return refuse("InvalidParameter", what)
    return None


@rule("pool.spot-reservation", BOTH, f"{AKS}/use-capacity-reservation-groups")
def spot_is_not_reserved(request: Request, world: World) -> ArmError | None:
    """A spot pool has no capacity reservation."""
    for pool in asked(request):
        if pool.spot and pool.read("capacityReservationGroupID"):
            return refuse("CRGConflictWithSpotVM", f"Spot pool '{pool.name}' cannot use a capacity reservation group.")
    return None


@rule("pool.spot-surge", BOTH, f"{AKS}/spot-node-pool")
def spot_has_no_surge(request: Request, world: World) -> ArmError | None:
    """A spot pool is upgraded without surge machines."""
    for pool in asked(request):
        if pool.spot and str(pool.read("upgradeSettings.maxSurge", "0")).rstrip("%") not in ("0", ""):
            return refuse("InvalidParameter", f"maxSurge cannot be set for spot pool '{pool.name}'.")
    return None


@rule("pool.zones-scale-set", BOTH, f"{AKS}/reliability-availability-zones-configure")
def zones_need_a_scale_set(request: Request, world: World) -> ArmError | None:
    """Zones are for pools of a scale set."""
    for pool in asked(request):
        kind = pool.read("type", "VirtualMachineScaleSets")
        if rows(pool.body, "availabilityZones") and kind == "AvailabilitySet":
            return refuse("VMSSRequiredForAvailabilityZone", f"Zones of '{pool.name}' need VirtualMachineScaleSets.")
    return None


@rule("pool.proximity", BOTH, f"{AKS}/reduce-latency-ppg")
def proximity_is_one_zone(request: Request, world: World) -> ArmError | None:
    """A pool in a proximity placement group is in at most one zone and has no capacity reservation."""
    for pool in asked(request):
        if not pool.read("proximityPlacementGroupID"):
            continue
        if len(rows(pool.body, "availabilityZones")) > 1:
            return refuse(
                "PPGNotSupportMultipleZones", f"'{pool.name}' has a proximity placement group and several zones."
            )
        if pool.read("capacityReservationGroupID"):
            return refuse("CRGConflictWithPPG", f"'{pool.name}' has a proximity placement group and a reservation.")
    return None


@rule("pool.ultra-reservation", BOTH, f"{AKS}/use-capacity-reservation-groups")
def reservation_is_not_ultra(request: Request, world: World) -> ArmError | None:
    """A pool with a capacity reservation has no ultra disks."""
    for pool in asked(request):
        if pool.read("capacityReservationGroupID") and pool.read("enableUltraSSD", False):
            return refuse("CRGConflictWithUltraSSD", f"'{pool.name}' has a capacity reservation and ultra disks.")
    return None


@rule("pool.reservation-fits", BOTH, f"{AKS}/use-capacity-reservation-groups")
def reservation_fits(request: Request, world: World) -> ArmError | None:
    """A capacity reservation group has a reservation of the pool's size in each of the pool's zones."""
    for pool in asked(request):
        group = pool.read("capacityReservationGroupID", "")
        if not group or world.inventory.get(group) is None:
            continue
        held = [body for id, body in world.inventory.below(group) if read(body, "sku.name") == pool.read("vmSize")]
        zones = {str(zone) for body in held for zone in rows(body, "zones")}
        lacking = [zone for zone in rows(pool.body, "availabilityZones") if str(zone) not in zones]
        if not held or lacking:
            where = f" in zone {lacking[0]}" if lacking else ""
            what = f"{group} has no reservation of {pool.read('vmSize')}{where} for '{pool.name}'."
            return refuse("InvalidParameter", what)
    return None


@rule("pool.reservation-identity", BOTH, f"{AKS}/use-capacity-reservation-groups")
def reservation_needs_an_identity(request: Request, world: World) -> ArmError | None:
    """A cluster whose pools use reservations has a user-assigned identity, which may join the group."""
    if not any(pool.read("capacityReservationGroupID") for pool in asked(request)):
        return None
    kind = str(read(cluster_body(request, world), "identity.type", "SystemAssigned"))
    what = "Capacity reservation groups need a cluster with a user-assigned identity."
    return None if "UserAssigned" in kind else refuse("InvalidParameter", what)
