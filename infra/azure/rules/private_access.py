"""What the network provider refuses of private endpoints, private link services and private DNS. Pure."""

from __future__ import annotations

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, same, type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure"
ENDPOINT = "Microsoft.Network/privateEndpoints"
ZONE = "Microsoft.Network/privateDnsZones"
LINK = f"{ZONE}/virtualNetworkLinks"
# Sub-resources by target: learn.microsoft.com/azure/private-link/private-endpoint-overview#private-link-resource
GROUPS = {
    "microsoft.keyvault/vaults": {"vault"},
    "microsoft.containerregistry/registries": {"registry"},
    "microsoft.storage/storageaccounts": {
        "blob", "blob_secondary", "table", "table_secondary", "queue", "queue_secondary", "file", "file_secondary",
        "web", "web_secondary", "dfs", "dfs_secondary",
    },
    "microsoft.containerservice/managedclusters": {"management"},
    "microsoft.monitor/accounts": {"prometheusmetrics"},
    "microsoft.insights/privatelinkscopes": {"azuremonitor"},
    "microsoft.dashboard/grafana": {"grafana"},
    "microsoft.appconfiguration/configurationstores": {"configurationstores"},
    "microsoft.eventhub/namespaces": {"namespace"},
    "microsoft.servicebus/namespaces": {"namespace"},
    "microsoft.cache/redisenterprise": {"redisenterprise"},
    "microsoft.dbforpostgresql/flexibleservers": {"postgresqlserver"},
}  # fmt: skip


@rule("private.group", ENDPOINT, f"{LEARN}/private-link/private-endpoint-overview#private-link-resource")
def group_is_of_the_target(request: Request, world: World) -> ArmError | None:
    """A private endpoint names a sub-resource that its target has (vault, registry, blob), none for a link service."""
    for row in _connections(request):
        target = read(row, "properties.privateLinkServiceId", "")
        known, named = GROUPS.get(type_of(target).lower()), rows(row, "properties.groupIds")
        if type_of(target).lower() == "microsoft.network/privatelinkservices" and named:
            return refuse("PrivateLinkServiceGroupIdsNotAllowed", f"groupIds must be empty for {target}.")
        wrong = [group for group in named if known and str(group).lower() not in known]
        if known and (wrong or not named):
            what = f"groupIds {named} is not valid for {target}; it has {', '.join(sorted(known))}."
            return refuse("PrivateEndpointInvalidGroupId", what)
    return None


@rule("private.one-target", ENDPOINT, f"{LEARN}/private-link/private-endpoint-overview")
def endpoint_has_one_target(request: Request, world: World) -> ArmError | None:
    """A private endpoint has exactly one connection."""
    number = len(_connections(request))
    what = f"Private endpoint {request.name} has {number} connections; it must have one."
    return None if number == 1 else refuse("PrivateEndpointMustHaveOneConnection", what)


@rule("private.region", ENDPOINT, f"{LEARN}/private-link/private-endpoint-overview")
def endpoint_is_with_its_network(request: Request, world: World) -> ArmError | None:
    """A private endpoint is in the region of its virtual network."""
    network = world.inventory.get(parent_of(read(request.body, "properties.subnet.id", ""))) or {}
    place = read(request.body, "location", request.location)
    if network.get("location") and place and network["location"].lower() != place.lower():
        what = f"Private endpoint {request.name} is in {place}, its virtual network in {network['location']}."
        return refuse("InvalidResourceReference", what)
    return None


@rule("private.registry-tier", ENDPOINT, f"{LEARN}/container-registry/container-registry-private-link")
def only_premium_registries_have_endpoints(request: Request, world: World) -> ArmError | None:
    """A registry has private endpoints in the Premium tier only."""
    for row in _connections(request):
        target = read(row, "properties.privateLinkServiceId", "")
        body = (
            world.inventory.get(target) if type_of(target).lower().startswith("microsoft.containerregistry") else None
        )
        if body is not None and read(body, "sku.name") != "Premium":
            return refuse("PrivateEndpointCannotBeCreatedForSku", f"The registry {target} is not Premium.")
    return None


@rule(
    "private.service-policies",
    "Microsoft.Network/privateLinkServices",
    f"{LEARN}/private-link/disable-private-link-service-network-policy",
)
def link_service_subnet_is_open(request: Request, world: World) -> ArmError | None:
    """The subnet of a private link service has its network policies for such services turned off."""
    for row in rows(request.body, "properties.ipConfigurations"):
        subnet = world.inventory.get(read(row, "properties.subnet.id", ""))
        if subnet and read(subnet, "properties.privateLinkServiceNetworkPolicies", "Enabled") == "Enabled":
            code = "PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled"
            return refuse(code, f"The subnet {subnet.get('id')} has privateLinkServiceNetworkPolicies enabled.")
    return None


@rule("private.one-zone-group", f"{ENDPOINT}/privateDnsZoneGroups", f"{LEARN}/private-link/private-endpoint-dns")
def endpoint_has_one_zone_group(request: Request, world: World) -> ArmError | None:
    """A private endpoint has one DNS zone group, with at most five zones."""
    zones = rows(request.body, "properties.privateDnsZoneConfigs")
    if len(zones) > 5:
        return refuse("PrivateDnsZoneGroupTooManyZones", f"The group has {len(zones)} zones; five are the most.")
    for id, _ in world.inventory.below(parent_of(request.id)):
        if type_of(id).lower().endswith("/privatednszonegroups") and not same(id, request.id):
            return refuse("PrivateDnsZoneGroupAlreadyExists", f"The endpoint has the group {name_of(id)} already.", 409)
    return None


@rule("private.dns-global", (ZONE, LINK), f"{LEARN}/dns/private-dns-overview")
def private_dns_is_global(request: Request, world: World) -> ArmError | None:
    """Private DNS zones and their links are global."""
    place = str(read(request.body, "location", request.location) or "global").lower()
    what = f"The provided location '{place}' is not available for resource type '{request.type}'; it is 'global'."
    return None if place == "global" else refuse("LocationNotAvailableForResourceType", what)


@rule("private.dns-one-name", LINK, f"{LEARN}/dns/private-dns-virtual-network-links")
def network_has_one_zone_of_a_name(request: Request, world: World) -> ArmError | None:
    """A virtual network is linked to one zone of a name, and registers its machines in one zone."""
    zone, network = parent_of(request.id), read(request.body, "properties.virtualNetwork.id", "")
    registers = read(request.body, "properties.registrationEnabled", False)
    for id, body in world.inventory.of_type(LINK):
        if same(id, request.id) or not same(read(body, "properties.virtualNetwork.id", ""), network):
            continue
        if name_of(parent_of(id)).lower() == name_of(zone).lower():
            what = f"A virtual network cannot be linked to multiple zones with overlapping namespaces: {id}."
            return refuse("BadRequest", what)
        if registers and read(body, "properties.registrationEnabled", False):
            return refuse("BadRequest", f"The virtual network has a registration zone already: {id}.")
    return None


def _connections(request: Request) -> list[object]:
    names = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    return [row for name in names for row in rows(request.body, f"properties.{name}")]
