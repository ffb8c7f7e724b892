"""What lives in an emulated cluster: Kubernetes objects, and the Azure resources that they make. Pure.

Of the cloud provider it knows one thing: a Service of type LoadBalancer with the annotations azure-pls-* makes a
private link service (cloud-provider-azure.sigs.k8s.io, "Azure Private Link Service Integration").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from infra.azure.inventory import Body, Inventory
from infra.azure.refusal import ArmError
from infra.azure.resource_id import key

PREFIX = "service.beta.kubernetes.io/azure-"


def object_key(manifest: Mapping[str, Any]) -> str:
    """apiVersion/kind/namespace/name; cluster-wide objects have an empty namespace."""
    meta = manifest.get("metadata", {})
    return "/".join((manifest["apiVersion"], manifest["kind"], meta.get("namespace", ""), meta["name"]))


def admitted(inventory: Inventory, cluster_id: str, manifest: Body, there: Mapping[str, Body]) -> Body:
    """The object as the cluster keeps it: with uid, version and, for a load balancer, its address. Raises ArmError."""
    if inventory.get(cluster_id) is None:
        raise ArmError(404, "ResourceNotFound", f"The cluster '{cluster_id}' was not found.")
    before = there.get(object_key(manifest), {}).get("metadata", {})
    version = str(int(before.get("resourceVersion", "0")) + 1)
    meta = {**manifest.get("metadata", {}), "uid": _guid(cluster_id, object_key(manifest)), "resourceVersion": version}
    full = {**manifest, "metadata": meta}
    if _balanced(full):
        full["status"] = {"loadBalancer": {"ingress": [{"ip": _address(inventory, cluster_id, full)}]}}
    return full


def made_by(inventory: Inventory, cluster_id: str, manifest: Mapping[str, Any]) -> Iterator[tuple[str, Body]]:
    """The Azure resources that an object makes in Azure: id and body."""
    notes = _notes(manifest)
    if not _balanced(manifest) or notes.get(f"{PREFIX}pls-create") != "true":
        return
    body = inventory.get(cluster_id) or {}
    group = notes.get(f"{PREFIX}pls-resource-group") or body.get("properties", {}).get("nodeResourceGroup", "")
    name = notes.get(f"{PREFIX}pls-name") or f"pls-{manifest['metadata']['name']}"
    subscription = cluster_id.split("/")[2]
    id = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/privateLinkServices/{name}"
    there = inventory.get(id) or {}
    kept = there.get("properties", {}).get("privateEndpointConnections", [])
    yield id, _service(cluster_id, body, notes, manifest["metadata"]["name"], kept)


def _service(cluster_id: str, cluster: Body, notes: Mapping[str, str], service: str, kept: list[Any]) -> Body:
    pools = cluster.get("properties", {}).get("agentPoolProfiles") or [{}]
    node_group = cluster.get("properties", {}).get("nodeResourceGroup", "")
    balancer = f"/subscriptions/{cluster_id.split('/')[2]}/resourceGroups/{node_group}/providers"
    front = f"{balancer}/Microsoft.Network/loadBalancers/kubernetes-internal/frontendIPConfigurations/{service}"
    properties: dict[str, Any] = {
        "loadBalancerFrontendIpConfigurations": [{"id": front}],
        "ipConfigurations": [
            {"name": "0", "properties": {"subnet": {"id": _subnet(notes, pools[0])}, "primary": True}}
        ],
        "visibility": {"subscriptions": notes.get(f"{PREFIX}pls-visibility", "").split()},
        "autoApproval": {"subscriptions": notes.get(f"{PREFIX}pls-auto-approval", "").split()},
        "privateEndpointConnections": kept,
    }
    tags = {"k8s-azure-owner-service": service, "k8s-azure-cluster": cluster_id}
    return {"location": cluster.get("location"), "tags": tags, "properties": properties}


def _subnet(notes: Mapping[str, str], pool: Mapping[str, Any]) -> str:
    """The subnet that is named beside the nodes' own, or the nodes' own."""
    own = str(pool.get("vnetSubnetID", ""))
    named = notes.get(f"{PREFIX}pls-ip-configuration-subnet")
    return f"{own.rpartition('/')[0]}/{named}" if named and own else own


def _balanced(manifest: Mapping[str, Any]) -> bool:
    return manifest.get("kind") == "Service" and (manifest.get("spec") or {}).get("type") == "LoadBalancer"


def _notes(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    return manifest.get("metadata", {}).get("annotations") or {}


def _address(inventory: Inventory, cluster_id: str, manifest: Mapping[str, Any]) -> str:
    """An address that stays the same: asked for, or drawn by name from the nodes' subnet."""
    if asked := _notes(manifest).get(f"{PREFIX}load-balancer-ipv4"):
        return asked
    pools = (inventory.get(cluster_id) or {}).get("properties", {}).get("agentPoolProfiles") or [{}]
    subnet = inventory.get(str(pools[0].get("vnetSubnetID", ""))) or {}
    block = IPv4Network(subnet.get("properties", {}).get("addressPrefix") or "10.255.0.0/24")
    # Azure keeps the first four addresses and the last one of a subnet to itself (learn.microsoft.com, VNet FAQ).
    draw = int.from_bytes(hashlib.sha256(object_key(manifest).encode()).digest()[:8])
    return str(block[4 + draw % max(block.num_addresses - 5, 1)])


def _guid(*words: str) -> str:
    digest = hashlib.sha256("\n".join(map(key, words)).encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
