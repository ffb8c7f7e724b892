"""What AKS writes into clusters and pools: names of API servers, identities, versions, what spot pools get. Pure."""

from __future__ import annotations

from typing import Any

from infra.azure.draw import Draw, Values, fill, guid, principal, short
from infra.azure.inventory import Body
from infra.azure.resource_id import group_of, key, name_of, parent_of
from infra.azure.values import read, rows
from infra.azure.world import World

SPOT = "kubernetes.azure.com/scalesetpriority"


def _cluster(id: str, body: Body, world: World) -> Values:
    name, place = name_of(id), body.get("location")
    prefix = f"{read(body, 'properties.dnsPrefix', name)}-{short(id)}"
    group = f"MC_{group_of(id)}_{name}_{place}"[:80]  # learn.microsoft.com, AKS FAQ: at most 80 characters
    for pool in rows(body, "properties.agentPoolProfiles"):
        _pool_defaults(pool, read(body, "properties.kubernetesVersion", ""))
    values: dict[str, Any] = {
        "properties.nodeResourceGroup": group,
        "properties.currentKubernetesVersion": _patch(read(body, "properties.kubernetesVersion", "")),
        "properties.powerState": {"code": "Running"},
        "properties.maxAgentPools": 100,
        "properties.azurePortalFQDN": f"{prefix}.portal.hcp.{place}.azmk8s.io",
        "properties.identityProfile": {"kubeletidentity": _kubelet(id, body, world)},
    }
    return values | _endpoints(id, body, world, prefix)


def _endpoints(id: str, body: Body, world: World, prefix: str) -> dict[str, Any]:
    place = body.get("location")
    private = read(body, "properties.apiServerAccessProfile.enablePrivateCluster", False)
    zone = str(read(body, "properties.apiServerAccessProfile.privateDNSZone", "system"))
    domain = name_of(zone) if "/" in zone else f"{guid(key(id))}.privatelink.{place}.azmk8s.io"
    values: dict[str, Any] = {}
    if private:
        values["properties.privateFQDN"] = f"{prefix}.{domain}"
    if not private or read(body, "properties.apiServerAccessProfile.enablePrivateClusterPublicFQDN", True):
        values["properties.fqdn"] = f"{prefix}.hcp.{place}.azmk8s.io"
    if read(body, "properties.oidcIssuerProfile.enabled", False):
        issuer = f"https://{place}.oic.prod-aks.azure.com/{world.tenant}/{guid('issuer', key(id))}/"
        values["properties.oidcIssuerProfile.issuerURL"] = issuer
    return values


def _kubelet(id: str, body: Body, world: World) -> dict[str, str]:
    group = read(body, "properties.nodeResourceGroup") or f"MC_{group_of(id)}_{name_of(id)}_{body.get('location')}"[:80]
    own = f"/subscriptions/{world.id}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity"
    resource = f"{own}/userAssignedIdentities/{name_of(id)}-agentpool"
    return {"resourceId": resource, "clientId": guid("client", key(resource)), "objectId": principal(resource)}


def _pool(id: str, body: Body, world: World) -> Values:
    cluster = world.inventory.get(parent_of(id)) or {}
    _pool_defaults(body.setdefault("properties", {}), read(cluster, "properties.kubernetesVersion", ""))
    return {}


def _pool_defaults(pool: dict[str, Any], version: str) -> None:
    own = read(pool, "orchestratorVersion", version)
    fill(pool, "provisioningState", "Succeeded")
    fill(pool, "powerState", {"code": "Running"})
    fill(pool, "currentOrchestratorVersion", _patch(own))
    fill(pool, "nodeImageVersion", "AKSUbuntu-2204gen2containerd-202611.01.0")
    if pool.get("enableAutoScaling") is True:
        fill(pool, "count", pool.get("minCount"))
    if pool.get("scaleSetPriority") == "Spot":  # learn.microsoft.com/azure/aks/spot-node-pool: AKS adds label and taint
        taints = pool.get("nodeTaints") or []
        taint = f"{SPOT}=spot:NoSchedule"
        if isinstance(taints, list):
            pool["nodeTaints"] = taints if taint in taints else [*taints, taint]
        fill(pool, "nodeLabels", {})
        if isinstance(pool["nodeLabels"], dict):
            pool["nodeLabels"].setdefault(SPOT, "spot")


def _patch(version: Any) -> Any:
    """AKS picks the newest patch of a minor version; here that is .0."""
    return f"{version}.0" if isinstance(version, str) and version.count(".") == 1 else version


DRAWS: dict[str, Draw] = {
    "Microsoft.ContainerService/managedClusters": _cluster,
    "Microsoft.ContainerService/managedClusters/agentPools": _pool,
}
"""ARM type -> what is written into it."""
