"""What the container registry refuses: taken names, features of another tier, replicas at home. Pure."""

from __future__ import annotations

from infra.azure.facts import regions
from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, same, type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/container-registry"
REGISTRY = "Microsoft.ContainerRegistry/registries"
REPLICA = f"{REGISTRY}/replications"
PREMIUM = (
    "policies.retentionPolicy.status",
    "policies.trustPolicy.status",
    "policies.quarantinePolicy.status",
    "encryption.status",
)
"""Settings that only the premium tier has, where they are not off: learn.microsoft.com, "Registry service tiers".

Zone redundancy is none of them: every tier has it, whatever the property says (container-registry/zone-redundancy).
"""


@rule("registry.name-taken", REGISTRY, f"{LEARN}/container-registry-get-started-portal")
def registry_name_is_free(request: Request, world: World) -> ArmError | None:
    """A registry's name is its own in all of Azure."""
    here = any(name_of(id).lower() == request.name.lower() and not same(id, request.id)
               for id, _ in world.inventory.of_type(REGISTRY))  # fmt: skip
    if here or f"{REGISTRY}/{request.name}".lower() in world.taken:
        what = f"The registry DNS name {request.name.lower()}.azurecr.io is already in use."
        return refuse("AlreadyInUse", what, 409)
    return None


@rule("registry.tier", REGISTRY, f"{LEARN}/container-registry-skus")
def features_are_of_the_tier(request: Request, world: World) -> ArmError | None:
    """Network rules, keys of one's own, retention and the like need the Premium tier."""
    if read(request.body, "sku.name") == "Premium":
        return None
    on = {path: str(read(request.body, f"properties.{path}", "disabled")).lower() != "disabled" for path in PREMIUM}
    wanted = [path for path in PREMIUM if on[path]]
    if read(request.body, "properties.publicNetworkAccess") == "Disabled":
        wanted.append("publicNetworkAccess")
    if rows(request.body, "properties.networkRuleSet.ipRules"):
        wanted.append("networkRuleSet")
    what = f"{wanted[0] if wanted else ''} needs a registry of the tier Premium."
    return refuse("FeatureNotSupportedBySku", what) if wanted else None


@rule("registry.zones", (REGISTRY, REPLICA), f"{LEARN}/zone-redundancy")
def zones_are_where_zones_are(request: Request, world: World) -> ArmError | None:
    """A registry or a replica is zone-redundant only in a region that has zones."""
    place = str(read(request.body, "location", request.location) or "").lower()
    region = regions().get(place)
    wanted = read(request.body, "properties.zoneRedundancy") == "Enabled"
    what = f"Zone redundancy is not supported in {place}."
    return refuse("ZoneRedundancyNotSupported", what) if wanted and region and region.zones is False else None


@rule("registry.replica-tier", REPLICA, f"{LEARN}/container-registry-geo-replication")
def only_premium_is_replicated(request: Request, world: World) -> ArmError | None:
    """A registry is replicated in the Premium tier only."""
    tier = read(world.inventory.get(parent_of(request.id)), "sku.name", "Premium")
    what = f"The resource type replications is not supported for the SKU {tier}."
    return None if tier == "Premium" else refuse("FeatureNotSupportedBySku", what)


@rule("registry.replica-home", REPLICA, f"{LEARN}/container-registry-geo-replication")
def replica_is_elsewhere(request: Request, world: World) -> ArmError | None:
    """A replica is in another region than the registry, and there is one in each."""
    place = str(read(request.body, "location", request.location) or "").lower()
    home = str((world.inventory.get(parent_of(request.id)) or {}).get("location", "")).lower()
    if place and place == home:
        return refuse("ReplicationInHomeRegion", f"{place} is the registry's home region.", 409)
    for id, body in world.inventory.below(parent_of(request.id)):
        twin = type_of(id).lower() == REPLICA.lower() and not same(id, request.id)
        if twin and str(body.get("location", "")).lower() == place:
            return refuse("ReplicationAlreadyExists", f"There is a replica in {place} already: {name_of(id)}.", 409)
    return None
