"""What the functions of the SDK answer in an emulated subscription: who am I, how do I reach a cluster. Pure.

Credentials for people are kubeconfigs that ask kubelogin for a token, so there is no secret in them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.azure.draw import guid
from infra.azure.inventory import Body, Inventory
from infra.azure.refusal import ArmError
from infra.azure.world import World

# The application in Entra that stands for all API servers: learn.microsoft.com/azure/aks/kubelogin-authentication
KUBELOGIN_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"


def call(world: World, function: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a function, with or without azure-native: before its name. Raises ArmError."""
    name = function.removeprefix("azure-native:")
    if name not in FUNCTIONS:
        raise ArmError(
            400, "InvalidResourceType", f"The emulation has no function '{name}'; it has {', '.join(FUNCTIONS)}."
        )
    return FUNCTIONS[name](world, args)


def _client_config(world: World, args: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "clientId": guid("client", world.tenant),
        "objectId": guid("object", world.tenant),
        "subscriptionId": world.id,
        "tenantId": world.tenant,
    }


def _user_credentials(world: World, args: Mapping[str, Any]) -> dict[str, Any]:
    id, cluster = _cluster(world.inventory, world.id, args)
    return {"kubeconfigs": [{"name": "clusterUser", "value": _encoded(_kubeconfig(id, cluster))}]}


def _admin_credentials(world: World, args: Mapping[str, Any]) -> dict[str, Any]:
    _, cluster = _cluster(world.inventory, world.id, args)
    if cluster.get("properties", {}).get("disableLocalAccounts"):
        what = "Getting static credential is not allowed because this cluster is set to disable local accounts."
        raise ArmError(
            400, "BadRequest", what, link="https://learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad"
        )
    return _user_credentials(world, args)


def _cluster(inventory: Inventory, subscription: str, args: Mapping[str, Any]) -> tuple[str, Body]:
    group, name = args.get("resourceGroupName"), args.get("resourceName")
    clusters = (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters"
    )
    id = f"{clusters}/{name}"
    if (cluster := inventory.get(id)) is None:
        raise ArmError(404, "ResourceNotFound", f"The cluster '{id}' was not found.")
    return id, cluster


def _kubeconfig(id: str, cluster: Body) -> dict[str, Any]:
    name = id.rpartition("/")[2]
    properties = cluster.get("properties", {})
    host = properties.get("privateFQDN") or properties.get("fqdn")
    login = ["get-token", "--login", "azurecli", "--server-id", KUBELOGIN_SERVER]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"https://{host}:443"}}],
        "users": [{"name": name, "user": {"exec": _exec(login)}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def _exec(arguments: list[str]) -> dict[str, Any]:
    return {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "args": arguments}


def _encoded(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


FUNCTIONS: Mapping[str, Callable[[World, Mapping[str, Any]], dict[str, Any]]] = {
    "authorization:getClientConfig": _client_config,
    "containerservice:listManagedClusterUserCredentials": _user_credentials,
    "containerservice:listManagedClusterAdminCredentials": _admin_credentials,
}
