"""What the compute provider refuses of capacity reservations and disk encryption. Pure."""

from __future__ import annotations

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import parent_of, same
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/virtual-machines"
GROUP = "Microsoft.Compute/capacityReservationGroups"
RESERVATION = f"{GROUP}/capacityReservations"
ENCRYPTION = "Microsoft.Compute/diskEncryptionSets"


@rule("reservation.region", RESERVATION, f"{LEARN}/capacity-reservation-create")
def reservation_is_with_its_group(request: Request, world: World) -> ArmError | None:
    """A capacity reservation is in its group's region."""
    group = world.inventory.get(parent_of(request.id)) or {}
    place = read(request.body, "location", request.location)
    if group.get("location") and place and group["location"].lower() != place.lower():
        what = f"The capacity reservation is in {place}, its group in {group['location']}."
        return refuse("InvalidParameter", what)
    return None


@rule("reservation.zone", RESERVATION, f"{LEARN}/capacity-reservation-create")
def reservation_is_in_the_zones(request: Request, world: World) -> ArmError | None:
    """A capacity reservation is in one zone of its group's, or in none where the group has none."""
    zones = [str(zone) for zone in rows(request.body, "zones")]
    allowed = [str(zone) for zone in rows(world.inventory.get(parent_of(request.id)), "zones")]
    if len(zones) > 1 or bool(zones) != bool(allowed) or not set(zones) <= set(allowed):
        what = f"The zones {zones} of the reservation do not go with those of its group, {allowed}."
        return refuse("InvalidParameter", what)
    return None


@rule("reservation.twice", RESERVATION, f"{LEARN}/capacity-reservation-overview")
def reservations_differ(request: Request, world: World) -> ArmError | None:
    """A group has one reservation of a size in a zone."""
    own = read(request.body, "sku.name"), rows(request.body, "zones")
    for id, body in world.inventory.below(parent_of(request.id)):
        if not same(id, request.id) and (read(body, "sku.name"), rows(body, "zones")) == own:
            what = f"There is a reservation of {own[0]} in this zone already: {id}."
            return refuse("OperationNotAllowed", what, 409)
    return None


@rule("reservation.size", RESERVATION, "https://github.com/Azure/azure-cli/issues/18943")
def size_can_be_reserved(request: Request, world: World) -> ArmError | None:
    """A capacity reservation is of a size that can be reserved, as far as the limits know.

    Code and message are those that somebody had of Compute (the link); which sizes: capacity-reservation-overview.
    """
    size, place = read(request.body, "sku.name", ""), str(read(request.body, "location", request.location) or "")
    offer = world.limits.sku(place.lower(), size) if world.limits else None
    if offer is not None and offer.reservable is False:
        return refuse("NotSupported", f"Capacity Reservation is not supported for VM size {size}.")
    return None


@rule("reservation.group-zones", GROUP, f"{LEARN}/capacity-reservation-create")
def group_zones_cover_its_reservations(request: Request, world: World) -> ArmError | None:
    """The zones of a group are 1, 2 and 3, each once."""
    zones = [str(zone) for zone in rows(request.body, "zones")]
    if len(zones) != len(set(zones)) or not set(zones) <= {"1", "2", "3"}:
        return refuse("InvalidAvailabilityZone", f"The zones {zones} are not valid.")
    return None


@rule("encryption.purge-protection", ENCRYPTION, f"{LEARN}/disk-encryption#customer-managed-keys")
def encryption_key_cannot_be_lost(request: Request, world: World) -> ArmError | None:
    """The vault of a disk encryption key has purge protection."""
    vault = world.inventory.get(read(request.body, "properties.activeKey.sourceVault.id", ""))
    if vault is not None and read(vault, "properties.enablePurgeProtection") is not True:
        what = f"The vault {vault.get('id')} must have purge protection for disk encryption."
        return refuse("KeyVaultPurgeProtectionRequired", what)
    return None


@rule("encryption.region", ENCRYPTION, f"{LEARN}/disk-encryption#restrictions")
def encryption_key_is_near(request: Request, world: World) -> ArmError | None:
    """The vault of a disk encryption key is in the region of the disks."""
    vault = world.inventory.get(read(request.body, "properties.activeKey.sourceVault.id", "")) or {}
    place = read(request.body, "location", request.location)
    if vault.get("location") and place and vault["location"].lower() != place.lower():
        return refuse("InvalidParameter", f"The vault is in {vault['location']}, the disk encryption set in {place}.")
    return None


@rule("encryption.identity", ENCRYPTION, f"{LEARN}/disks-enable-customer-managed-keys-portal")
def encryption_has_an_identity(request: Request, world: World) -> ArmError | None:
    """A disk encryption set has an identity, which reads the key."""
    kind = str(read(request.body, "identity.type", "None"))
    return refuse("BadRequest", "A disk encryption set needs an identity.") if kind == "None" else None
