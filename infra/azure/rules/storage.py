"""What the storage provider refuses: taken names, redundancy that a region has not, half a protection. Pure."""

from __future__ import annotations

from infra.azure.facts import regions
from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, same
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/storage"
ACCOUNT = "Microsoft.Storage/storageAccounts"
BLOBS = f"{ACCOUNT}/blobServices"


@rule(
    "storage.name-taken",
    ACCOUNT,
    "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-storage-account-name",
)
def account_name_is_free(request: Request, world: World) -> ArmError | None:
    """A storage account's name is its own in all of Azure."""
    here = any(name_of(id).lower() == request.name.lower() and not same(id, request.id)
               for id, _ in world.inventory.of_type(ACCOUNT))  # fmt: skip
    if here or f"{ACCOUNT}/{request.name}".lower() in world.taken:
        what = f"The storage account named {request.name} is already taken."
        return refuse("StorageAccountAlreadyTaken", what, 409)
    return None


@rule("storage.zones", ACCOUNT, f"{LEARN}/common/storage-redundancy")
def zone_redundancy_has_zones(request: Request, world: World) -> ArmError | None:
    """Zone-redundant storage is in regions that have zones."""
    sku = str(read(request.body, "sku.name", ""))
    region = regions().get(str(read(request.body, "location", request.location) or "").lower())
    zonal = sku.endswith(("_ZRS", "_GZRS", "_RAGZRS"))
    what = f"The SKU {sku} is not available in this region, which has no zones."
    return refuse("AccountTypeNotSupportedInLocation", what) if zonal and region and region.zones is False else None


@rule("storage.redundancy-stays", ACCOUNT, f"{LEARN}/common/redundancy-migration")
def zone_redundancy_stays(request: Request, world: World) -> ArmError | None:
    """An account does not become zone-redundant or premium, nor stop being it, by an update.

    For zones that is a conversion, which is asked for otherwise; copies in another region come and go by an update.
    """
    old = str(read(world.inventory.get(request.id), "sku.name", ""))
    new = str(read(request.body, "sku.name", old))
    if not old or _local(old) == _local(new):
        return None
    return refuse("StorageAccountTypeConversionNotAllowed", f"The SKU {old} cannot be changed to {new}.")


@rule("storage.tier", ACCOUNT, f"{LEARN}/common/storage-account-overview")
def hot_and_cool_are_of_blobs(request: Request, world: World) -> ArmError | None:
    """A premium account has no access tier but Premium, and is not replicated to another region."""
    sku = str(read(request.body, "sku.name", ""))
    tier = read(request.body, "properties.accessTier", "Premium")
    if sku.startswith("Premium") and tier != "Premium":
        return refuse("InvalidAccessTier", f"The access tier {tier} is not for {sku}.")
    return None


@rule("storage.restore", BLOBS, f"{LEARN}/blobs/point-in-time-restore-overview")
def restore_has_what_it_needs(request: Request, world: World) -> ArmError | None:
    """Point-in-time restore needs versions, the change feed and soft delete for longer than it reaches back."""
    policy = read(request.body, "properties.restorePolicy", {})
    if not read(policy, "enabled", False):
        return None
    kept = read(request.body, "properties.deleteRetentionPolicy", {})
    parts = {"isVersioningEnabled": "isVersioningEnabled", "changeFeed": "changeFeed.enabled"}
    lacking = [name for name, path in parts.items() if not read(request.body, f"properties.{path}", False)]
    if not read(kept, "enabled", False) or read(kept, "days", 0) <= read(policy, "days", 0):
        lacking.append("deleteRetentionPolicy for more days")
    return refuse("ConflictFeatureEnabled", f"restorePolicy needs {lacking[0]}.", 409) if lacking else None


def _local(sku: str) -> tuple[str, bool]:
    """What a SKU says of a region by itself: its performance, and whether data are in several zones."""
    return sku.partition("_")[0], "ZRS" in sku
