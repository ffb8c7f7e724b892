"""The way into a cluster: the load balancer of its gateway, inside the network, with a private link for the edge.

Azure makes load balancer and private link service from what stands on the Service. The gateway behind it comes with
what runs in the cluster; until then the edge's probes fail and no user is sent here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import Service

# cloud-provider-azure.sigs.k8s.io, "LoadBalancer" and "Azure Private Link Service Integration"
PREFIX = "service.beta.kubernetes.io/azure-"
ADDRESSES = (
    1  # of the private link: 64,512 connections from the edge at a time (learn.microsoft.com/azure/private-link)
)


@dataclass(frozen=True, slots=True)
class GatewayArgs:
    """What the way in is made of."""

    namespace: pulumi.Input[str]
    link: pulumi.Input[str]
    """Name of the private link service; the edge computes its id from it."""
    group: pulumi.Input[str]
    """The resource group it is made in, which stays when the cluster's own is made anew."""
    subnet: pulumi.Input[str]
    labels: Mapping[str, str]


class Gateway(pulumi.ComponentResource):
    """The Service of the gateway."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:platform:Gateway", name, None, opts)
        Service(
            "gateway",
            metadata={
                "name": "gateway",
                "namespace": args.namespace,
                "labels": dict(args.labels),
                "annotations": {
                    **_notes(args),
                    # Not for pods, of which there are none yet, but for the load balancer: Azure reports its address
                    # when the private link is made, which the edge needs next. Goes before what is waited for by
                    # default (pulumi/pulumi-kubernetes#3329).
                    "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress[0].ip}",
                },
            },
            spec={
                "type": "LoadBalancer",
                "external_traffic_policy": "Local",  # without a hop over another machine, and with the caller's address
                "selector": {"app.kubernetes.io/name": "gateway"},
                "ports": [{"name": "https", "port": 443, "target_port": "https", "protocol": "TCP"}],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _notes(args: GatewayArgs) -> dict[str, pulumi.Input[str]]:
    notes: dict[str, pulumi.Input[str]] = {
        "load-balancer-internal": "true",
        "load-balancer-internal-subnet": args.subnet,
        "pls-create": "true",
        "pls-name": args.link,
        "pls-resource-group": args.group,
        "pls-ip-configuration-subnet": args.subnet,
        "pls-ip-configuration-ip-address-count": str(ADDRESSES),
        "pls-proxy-protocol": "false",
        "pls-visibility": "*",  # Front Door asks from a subscription of Microsoft's, which is in no list
    }
    return {f"{PREFIX}{key}": value for key, value in notes.items()}
