"""Which cluster of a subscription a kubeconfig is for: the one whose API server has its host name. Pure."""

from __future__ import annotations

from typing import Any

from infra.azure.inventory import Inventory
from infra.azure.refusal import ArmError
from infra.azure.schema import UNKNOWN

CLUSTER = "Microsoft.ContainerService/managedClusters"


def server(kubeconfig: Any) -> str:
    """The host name of the API server in a kubeconfig; empty where it is not known yet."""
    if kubeconfig is UNKNOWN or not kubeconfig:
        return ""
    import yaml  # for this alone, which most plugins never do

    config = yaml.safe_load(kubeconfig) if isinstance(kubeconfig, str) else kubeconfig
    address = str(config["clusters"][0]["cluster"]["server"])
    return address.removeprefix("https://").partition("/")[0].partition(":")[0]


def cluster_at(inventory: Inventory, server: str) -> str:
    """The id of the cluster that answers there. Raises ArmError where none does."""
    for id, body in inventory.of_type(CLUSTER):
        properties = body.get("properties", {})
        if server and server in (properties.get("fqdn"), properties.get("privateFQDN")):
            return id
    what = f"configured Kubernetes cluster is unreachable: none answers at {server or 'an address not known yet'}"
    raise ArmError(503, "ClusterUnreachable", what)
