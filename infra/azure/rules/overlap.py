"""Operations that may not overlap: what each one keeps busy while it runs. Pure: asks what is under way.

A client that waits and asks again is right; the refusals are those that Azure marks as such.
"""

from __future__ import annotations

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import key, type_of
from infra.azure.rules.rule import removal_rule, rule
from infra.azure.schema import Request
from infra.azure.world import World

CLUSTER = "Microsoft.ContainerService/managedClusters"
POOL = f"{CLUSTER}/agentPools"

# Types whose operations the provider runs one by one in their parent.
# Virtual networks: hashicorp/terraform-provider-azurerm locks them by name for their subnets and peerings.
# Federated credentials: learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
SERIAL = {
    POOL.lower(): CLUSTER,
    "microsoft.network/virtualnetworks/subnets": "Microsoft.Network/virtualNetworks",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": "Microsoft.Network/virtualNetworks",
    "microsoft.network/firewallpolicies/rulecollectiongroups": "Microsoft.Network/firewallPolicies",
    "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials": (
        "Microsoft.ManagedIdentity/userAssignedIdentities"
    ),
}
LINK = "https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/operationnotallowed"
ERRORS = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors"
WAIT = 30.0  # seconds; what a client waits at least where Azure does not say


def scopes(id: str, type: str) -> tuple[str, ...]:
    """What an operation on a resource keeps busy: itself, and the parent whose operations run one by one."""
    own = key(id)
    return (own, own.rsplit("/", 2)[0]) if type.lower() in SERIAL else (own,)


@rule("overlap.cluster", (CLUSTER, POOL), "https://github.com/Azure/AKS/issues/1913")
def cluster_is_busy(request: Request, world: World) -> ArmError | None:
    """A cluster takes one operation at a time, on itself or on any of its pools."""
    return _cluster_is_busy(request.id, request.type, world)


@removal_rule("overlap.cluster-removal", (CLUSTER, POOL), LINK)
def cluster_is_busy_for_removal(id: str, world: World) -> ArmError | None:
    """A cluster and its pools are not deleted while an operation runs on them."""
    return _cluster_is_busy(id, type_of(id), world)


@rule(
    "overlap.federated-credential",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations",
)
def identity_is_written(request: Request, world: World) -> ArmError | None:
    """Federated credentials of one identity are written one after the other."""
    if not _busy(request.id, request.type, world):
        return None
    code = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
    return refuse(code, "Too many Federated Identity Credentials are written concurrently.", 409, WAIT)


@rule("overlap.resource", "*", ERRORS)
def resource_is_busy(request: Request, world: World) -> ArmError | None:
    """A resource takes one operation at a time; so do a virtual network with its subnets and a firewall policy."""
    return _resource_is_busy(request.id, request.type, world)


@removal_rule("overlap.resource-removal", "*", ERRORS)
def resource_is_busy_for_removal(id: str, world: World) -> ArmError | None:
    """A resource is not deleted while an operation runs on it."""
    return _resource_is_busy(id, type_of(id), world)


def _cluster_is_busy(id: str, type: str, world: World) -> ArmError | None:
    doing = _busy(id, type, world)
    if not doing:
        return None
    what = f"Operation is not allowed: Another operation ({doing}) is in progress, please wait for it to finish."
    return refuse("OperationNotAllowed", what, 409, WAIT)


def _resource_is_busy(id: str, type: str, world: World) -> ArmError | None:
    if type.lower() in (CLUSTER.lower(), POOL.lower()) or "federatedidentity" in type.lower():
        return None
    doing = _busy(id, type, world)
    what = f"Another operation on this or dependent resource is in progress: {doing}."
    return refuse("AnotherOperationInProgress", what, 409, WAIT) if doing else None


def _busy(id: str, type: str, world: World) -> str:
    busy = world.busy
    return next((busy[scope] for scope in scopes(id, type) if scope in busy), "")
