"""What Azure needs inside the cluster of a region, put together: who its workloads are, and the way in for the edge.

What runs there comes by other means. This stack is apart from the region's own, so that a cluster nobody can reach
never stands in the way of repairing it.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from infra.components.expander import Expander, ExpanderArgs
from infra.components.gateway import Gateway, GatewayArgs
from infra.components.kubeconfig import kubeconfig
from infra.components.lower import Lower
from infra.components.program import Context, export
from infra.components.record_map import RecordMap, RecordMapArgs
from infra.components.workload import Workload, WorkloadArgs

SERVING, ENTRY = "models", "gateway"
"""The namespaces: of the services, and of the gateway before them."""
LABELS = {"app.kubernetes.io/managed-by": "bellwether"}


def build(context: Context) -> None:
    """Register everything, and export the names that others find it under."""
    PlatformStack(context)
    accounts = {one.name: f"{SERVING}/{one.name}" for one in context.fleet.services}
    export(namespaces=[SERVING, ENTRY], accounts=accounts, gateway=f"{ENTRY}/gateway")


class PlatformStack:
    """The platform of a region."""

    def __init__(self, context: Context) -> None:
        self._context, self._region = context, context.lower("region")
        self._opts = pulumi.ResourceOptions(provider=self._provider())
        serving, entry = (self._namespace(name) for name in (SERVING, ENTRY))
        for service in context.fleet.services:
            self._workload(service.name, serving)
        self._gateway(entry)
        place = context.place()
        Expander("expander", ExpanderArgs(place.pools, LABELS), self._opts)
        RecordMap("record", RecordMapArgs(serving, context.record, place.name, LABELS), self._opts)

    def _provider(self) -> Any:
        config = kubeconfig(self._region["resource_group"], self._region["cluster_name"], self._context.azure.tenant)
        return kubernetes.Provider("cluster", kubeconfig=config, enable_server_side_apply=True)

    def _namespace(self, name: str) -> pulumi.Output[str]:
        """A namespace in which pods have no more rights than they need, and nobody is reached unasked."""
        levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
        made = Namespace(name, metadata={"name": name, "labels": {**LABELS, **levels}}, opts=self._opts)
        place: pulumi.Output[str] = made.metadata["name"]
        NetworkPolicy(
            f"{name}-closed",
            metadata={"name": "closed", "namespace": place, "labels": LABELS},
            spec={"pod_selector": {}, "policy_types": ["Ingress"]},
            opts=self._opts,
        )
        return place

    def _workload(self, service: str, namespace: pulumi.Output[str]) -> None:
        args = WorkloadArgs(
            service=service,
            namespace=namespace,
            namespace_name=SERVING,
            identity=self._region["identities"][service],
            group=self._region["resource_group"],
            issuer=self._region["oidc_issuer"],
            tenant=self._context.azure.tenant,
            labels=LABELS,
        )
        Workload(service, args, self._opts)

    def _gateway(self, namespace: pulumi.Output[str]) -> None:
        region: Lower = self._region
        args = GatewayArgs(namespace, region["pls_name"], region["resource_group"], region["gateway_subnet"], LABELS)
        Gateway("gateway", args, self._opts)
