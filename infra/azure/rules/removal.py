"""What cannot be deleted, because something else needs it or a lock forbids it. Pure.

What lies in a resource is deleted with it, as Azure does; what refers to it from outside keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import key, parent_of, type_of, within
from infra.azure.rules.need import LEARN, NEEDS, SUBNETS, Need
from infra.azure.rules.overlap import POOL
from infra.azure.rules.resources import locked_by
from infra.azure.rules.rule import removal_rule
from infra.azure.values import read
from infra.azure.world import World

_NEEDS = {type.lower(): need for type, need in NEEDS.items()}


@removal_rule("removal.locked", "*", f"{LEARN}/azure/azure-resource-manager/management/lock-resources")
def not_locked(id: str, world: World) -> ArmError | None:
    """Nothing is deleted at or below a CanNotDelete or ReadOnly lock, but the lock itself."""
    if type_of(id).lower() == "microsoft.authorization/locks":
        return None
    for below, _ in world.inventory.below(id):
        lock = locked_by(below, world, ("CanNotDelete", "ReadOnly"))
        if lock and type_of(below).lower() != "microsoft.authorization/locks":
            what = f"The scope '{below}' cannot perform delete operation because it is locked by '{lock}'."
            return refuse("ScopeLocked", what, 409)
    return None


@removal_rule("removal.in-use", "*", SUBNETS)
def not_in_use(id: str, world: World) -> ArmError | None:
    """What others refer to (a subnet, its security group, a public address, a policy) is not deleted before them."""
    for below, body in world.inventory.below(id):
        need = _NEEDS.get(type_of(below).lower())
        names = [below, *_inline(below, body)] if need is None else [below]
        for name in names:
            need = _NEEDS.get(type_of(name).lower())
            user = _user(name, id, need, world) if need else ""
            if need and user:
                return refuse(need.code, f"{name} is in use by {user} and cannot be deleted.", need.status)
    return None


@removal_rule("removal.last-system-pool", POOL, f"{LEARN}/azure/aks/use-system-pools")
def leaves_a_system_pool(id: str, world: World) -> ArmError | None:
    """A cluster keeps at least one system pool."""
    cluster, own = parent_of(id), world.inventory.get(id) or {}
    inline = (world.inventory.get(cluster) or {}).get("properties", {}).get("agentPoolProfiles", [])
    others = [body["properties"] for other, body in world.inventory.of_type(POOL) if _sibling(other, id)]
    if own.get("properties", {}).get("mode") != "System" or any(one.get("mode") == "System" for one in inline + others):
        return None
    return refuse("OperationNotAllowed", "There has to be at least one system node pool in the cluster.", 409)


@removal_rule(
    "removal.reservation-group",
    "Microsoft.Compute/capacityReservationGroups",
    f"{LEARN}/azure/virtual-machines/capacity-reservation-overview",
)
def reservation_group_is_empty(id: str, world: World) -> ArmError | None:
    """A capacity reservation group is deleted after its reservations and after the pools that use it."""
    left = [below for below, _ in world.inventory.below(id) if key(below) != key(id)] or world.inventory.referring(id)
    what = f"The capacity reservation group still has {', '.join(left)}."
    return refuse("OperationNotAllowed", what, 409) if left else None


@removal_rule(
    "removal.reservation",
    "Microsoft.Compute/capacityReservationGroups/capacityReservations",
    f"{LEARN}/azure/aks/use-capacity-reservation-groups",
)
def reservation_is_free(id: str, world: World) -> ArmError | None:
    """A capacity reservation is deleted after the pools that run on it."""
    group = parent_of(id)
    sku = str(read(world.inventory.get(id), "sku.name", "")).lower()
    users = [pool for pool in world.inventory.referring(group) if _size(pool, world).lower() == sku]
    what = f"The capacity reservation has virtual machines of {', '.join(users)}."
    return refuse("OperationNotAllowed", what, 409) if users else None


@removal_rule(
    "removal.backup-vault", "Microsoft.DataProtection/backupVaults", f"{LEARN}/azure/backup/backup-azure-delete-vault"
)
def backup_vault_is_empty(id: str, world: World) -> ArmError | None:
    """A backup vault is deleted after its backup instances."""
    kind = "microsoft.dataprotection/backupvaults/backupinstances"
    left = [below for below, _ in world.inventory.below(id) if type_of(below).lower() == kind]
    what = f"Backup vault cannot be deleted as there are existing backup instances: {', '.join(left)}."
    return refuse("UserErrorBackupInstancesExist", what, 400) if left else None


@removal_rule(
    "removal.dns-zone-links",
    "Microsoft.Network/privateDnsZones",
    f"{LEARN}/azure/dns/private-dns-virtual-network-links",
)
def private_zone_is_free(id: str, world: World) -> ArmError | None:
    """A private DNS zone is deleted after its links to virtual networks."""
    kind = "microsoft.network/privatednszones/virtualnetworklinks"
    left = [below for below, _ in world.inventory.below(id) if type_of(below).lower() == kind]
    what = f"Can not delete resource before nested resources are deleted: {', '.join(left)}."
    return refuse("CannotDeleteResource", what, 409) if left else None


@removal_rule("removal.last-origin", "Microsoft.Cdn/profiles/originGroups/origins", f"{LEARN}/azure/frontdoor/origin")
def routed_group_keeps_an_origin(id: str, world: World) -> ArmError | None:
    """An origin group that a route leads to keeps an enabled origin."""
    group = parent_of(id)
    routes = [user for user in world.inventory.referring(group) if type_of(user).lower().endswith("/routes")]
    origins = [
        body
        for other, body in world.inventory.below(group)
        if type_of(other).lower().endswith("/origins") and key(other) != key(id)
    ]
    left = [body for body in origins if read(body, "properties.enabledState", "Enabled") == "Enabled"]
    what = f"The origin group of {', '.join(routes)} must keep at least one enabled origin."
    return refuse("BadRequest", what) if routes and not left else None


def _user(name: str, removed: str, need: Need, world: World) -> str:
    """Who refers to a resource from outside of what is removed."""
    for user in world.inventory.referring(name):
        kinds = {kind.lower() for kind in need.types}
        # A network names its inline subnets itself; that is not use.
        if not within(user, removed) and ("*" in kinds or type_of(user).lower() in kinds) and not within(name, user):
            return user
    return ""


def _inline(id: str, body: Mapping[str, object]) -> list[str]:
    """Subnets that are written inside their network."""
    if type_of(id).lower() != "microsoft.network/virtualnetworks":
        return []
    return [f"{id}/subnets/{read(row, 'name')}" for row in read(body, "properties.subnets", [])]


def _sibling(other: str, id: str) -> bool:
    return key(parent_of(other)) == key(parent_of(id)) and key(other) != key(id)


def _size(pool: str, world: World) -> str:
    return str(read(world.inventory.get(pool), "properties.vmSize", ""))
