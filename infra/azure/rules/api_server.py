"""What AKS refuses of a cluster's API server and identities: private zones, subnets, roles. Pure."""

from __future__ import annotations

import re
from typing import Any

from infra.azure.draw import principal
from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import key, name_of, scope_of
from infra.azure.rules.overlap import CLUSTER
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

AKS = "https://learn.microsoft.com/azure/aks"


@rule("aks.private-ranges", CLUSTER, f"{AKS}/api-server-authorized-ip-ranges")
def private_has_no_ranges(request: Request, world: World) -> ArmError | None:
    """A private API server has no authorized address ranges."""
    profile = read(request.body, "properties.apiServerAccessProfile", {})
    if read(profile, "enablePrivateCluster", False) and rows(profile, "authorizedIPRanges"):
        return refuse("InvalidParameter", "authorizedIPRanges cannot be set for a private cluster.")
    return None


@rule("aks.private-zone-name", CLUSTER, f"{AKS}/private-clusters")
def private_zone_has_its_name(request: Request, world: World) -> ArmError | None:
    """A DNS zone of one's own for a private API server is called privatelink.<region>.azmk8s.io, or below that."""
    zone = read(request.body, "properties.apiServerAccessProfile.privateDNSZone", "system")
    place = read(request.body, "location", request.location)
    if "/" not in zone or re.fullmatch(rf"([\w-]+\.)?(privatelink|private)\.{place}\.azmk8s\.io", name_of(zone)):
        return None
    what = f"The private DNS zone {name_of(zone)} must be privatelink.{place}.azmk8s.io."
    return refuse("InvalidPrivateDNSZoneResourceID", what)


@rule("aks.private-zone-identity", CLUSTER, f"{AKS}/private-clusters")
def private_zone_needs_an_identity(request: Request, world: World) -> ArmError | None:
    """A DNS zone of one's own needs a cluster with a user-assigned identity."""
    zone = read(request.body, "properties.apiServerAccessProfile.privateDNSZone", "system")
    if "/" not in zone or "UserAssigned" in str(read(request.body, "identity.type", "SystemAssigned")):
        return None
    code = "SystemAssignedIdentityNotSupportedForCustomPrivateDNSZone"
    return refuse(code, "A custom private DNS zone needs a user-assigned identity.")


@rule("aks.private-zone-role", CLUSTER, f"{AKS}/private-clusters")
def private_zone_is_writable(request: Request, world: World) -> ArmError | None:
    """The cluster's identity has a role on the DNS zone of one's own before the cluster is made."""
    zone = read(request.body, "properties.apiServerAccessProfile.privateDNSZone", "system")
    who = _identities(request.body)
    if "/" not in zone or not who or any(has_role(one, zone, world) for one in who):
        return None
    what = f"The identity {who[0]} has no permission to write {zone}."
    return refuse("CustomPrivateDNSZoneMissingPermissionError", what)


@rule("aks.private-zone-none", CLUSTER, f"{AKS}/private-clusters")
def without_zone_there_is_a_public_name(request: Request, world: World) -> ArmError | None:
    """A private cluster without a private DNS zone has a public name."""
    profile = read(request.body, "properties.apiServerAccessProfile", {})
    zone, public = read(profile, "privateDNSZone", "system"), read(profile, "enablePrivateClusterPublicFQDN", True)
    if str(zone).lower() == "none" and public is False:
        return refuse("NonePrivateDNSZonePublicFQDNDisabledError", "privateDNSZone none needs the public FQDN.")
    return None


@rule("aks.api-subnet", CLUSTER, f"{AKS}/api-server-vnet-integration")
def api_subnet_is_its_own(request: Request, world: World) -> ArmError | None:
    """The subnet of an API server is delegated to AKS and has at least a /28."""
    subnet = read(request.body, "properties.apiServerAccessProfile.subnetId", "")
    body = world.inventory.get(subnet)
    if not subnet or body is None:
        return None
    names = [read(row, "properties.serviceName", "") for row in rows(body, "properties.delegations")]
    prefix = str(read(body, "properties.addressPrefix", "")).rpartition("/")[2]
    if CLUSTER not in names or (prefix.isdigit() and int(prefix) > 28):
        what = f"The subnet {subnet} must be delegated to {CLUSTER} and be at least a /28."
        return refuse("ApiserverSubnetConfigError", what)
    return None


@rule("aks.kubelet-identity", CLUSTER, f"{AKS}/pre-created-kubelet-managed-identity")
def kubelet_identity_needs_its_own(request: Request, world: World) -> ArmError | None:
    """A kubelet identity of one's own needs a user-assigned identity of the control plane."""
    kubelet = read(request.body, "properties.identityProfile.kubeletidentity.resourceId", "")
    if kubelet and "UserAssigned" not in str(read(request.body, "identity.type", "SystemAssigned")):
        code = "CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster"
        return refuse(code, "A custom kubelet identity is only supported on clusters with a user-assigned identity.")
    return None


@rule("aks.kubelet-identity-role", CLUSTER, f"{AKS}/pre-created-kubelet-managed-identity")
def kubelet_identity_is_assignable(request: Request, world: World) -> ArmError | None:
    """The control plane's identity has a role (Managed Identity Operator) on the kubelet's identity beforehand."""
    kubelet = read(request.body, "properties.identityProfile.kubeletidentity.resourceId", "")
    who = _identities(request.body)
    if not kubelet or not who or any(has_role(one, kubelet, world) for one in who):
        return None
    what = f"The identity {who[0]} must have the role Managed Identity Operator on {kubelet}."
    return refuse("CustomKubeletIdentityMissingPermissionError", what)


@rule("aks.dns-name", CLUSTER, f"{AKS}/private-clusters")
def dns_name_is_one(request: Request, world: World) -> ArmError | None:
    """A cluster has a dnsPrefix or, with a DNS zone of one's own, an fqdnSubdomain; never both."""
    both = [name for name in ("dnsPrefix", "fqdnSubdomain") if read(request.body, f"properties.{name}")]
    zone = read(request.body, "properties.apiServerAccessProfile.privateDNSZone", "system")
    if len(both) == 2:
        return refuse("InvalidParameter", "dnsPrefix and fqdnSubdomain cannot be set together.")
    if both == ["fqdnSubdomain"] and "/" not in zone:
        return refuse("InvalidParameter", "fqdnSubdomain needs a private DNS zone of one's own.")
    return None


def has_role(identity: str, scope: str, world: World) -> bool:
    """Whether an identity has any role at a scope or above it."""
    for id, body in world.inventory.of_type("Microsoft.Authorization/roleAssignments"):
        covers = (key(scope) + "/").startswith(key(scope_of(id)) + "/")
        if covers and read(body, "properties.principalId") == principal(identity):
            return True
    return False


def _identities(body: Any) -> list[str]:
    return [id for id in read(body, "identity.userAssignedIdentities", {}) if isinstance(id, str)]
