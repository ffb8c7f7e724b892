"""Who may talk to whom inside a region's network: the security rules of each subnet, from the address plan. Pure.

Everything that is not listed is denied, in both directions; the last rule of each list says so, since Azure's own
default lets the whole network in. Pods are not encapsulated by Azure CNI Overlay, so their range stands beside that of
the machines (learn.microsoft.com, "Azure CNI Overlay networking", network security groups).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from infra.blueprint.addresses import NODES, AddressPlan

HTTPS = ("443",)
ANY = ("*",)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a network security group. Sources and destinations are address ranges or service tags."""

    name: str
    direction: Literal["Inbound", "Outbound"]
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    ports: tuple[str, ...]
    protocol: Literal["Tcp", "Udp", "*"] = "Tcp"
    access: Literal["Allow", "Deny"] = "Allow"


def rules(plan: AddressPlan, subnet: str) -> tuple[Rule, ...]:
    """The rules of a subnet, the first that matches decides. AzureFirewallSubnet takes none and is not asked for."""
    if subnet in NODES:
        return (*_machines(plan, subnet), *_nothing_else())
    ways = {"endpoints": _endpoints, "gateway": _gateway, "operations": _operations}
    return (*ways[subnet](plan), *_nothing_else())


def _machines(plan: AddressPlan, subnet: str) -> tuple[Rule, ...]:
    own, cluster, gateway = (str(plan.subnets[subnet]),), _cluster(plan), str(plan.subnets["gateway"])
    inside = Rule("cluster-in", "Inbound", cluster, (*own, str(plan.pods)), ANY, "*")
    # Users come from the gateway's subnet to the platform's machines; those with GPUs have nothing for them. AKS puts
    # these behind the load balancer as well (AKS issue 4167); without probes it sends them nobody.
    users = Rule("gateway-in", "Inbound", (gateway,), (*own, gateway), HTTPS)
    probes = Rule("probes-in", "Inbound", ("AzureLoadBalancer",), own, ANY)
    operators = Rule("operations-in", "Inbound", (str(plan.subnets["operations"]),), own, HTTPS)  # the API server's
    served = (users, probes, operators) if subnet == "system" else ()
    return (inside, *served, *_outbound(plan, (*own, str(plan.pods))))


def _outbound(plan: AddressPlan, own: tuple[str, ...]) -> tuple[Rule, ...]:
    """What machines need to reach (learn.microsoft.com, "Outbound network and FQDN rules for AKS clusters")."""
    return (
        Rule("cluster-out", "Outbound", own, _cluster(plan), ANY, "*"),
        Rule("endpoints-out", "Outbound", own, (str(plan.subnets["endpoints"]),), HTTPS),
        Rule("https-out", "Outbound", own, ("Internet",), HTTPS),
        Rule("updates-out", "Outbound", own, ("Internet",), ("80",)),  # signed packages of the operating system
        Rule("time-out", "Outbound", own, ("Internet",), ("123",), "Udp"),
    )


def _endpoints(plan: AddressPlan) -> tuple[Rule, ...]:
    inside = (*map(str, plan.nodes), str(plan.subnets["operations"]))
    return (Rule("inside-in", "Inbound", inside, (str(plan.subnets["endpoints"]),), HTTPS),)


def _operations(plan: AddressPlan) -> tuple[Rule, ...]:
    own, inside = (str(plan.subnets["operations"]),), (str(plan.subnets["system"]), str(plan.subnets["endpoints"]))
    return (
        Rule("cluster-out", "Outbound", own, inside, HTTPS),
        Rule("https-out", "Outbound", own, ("Internet",), HTTPS),
    )


def _gateway(plan: AddressPlan) -> tuple[Rule, ...]:
    own = (str(plan.subnets["gateway"]),)
    return (
        Rule("link-in", "Inbound", own, own, HTTPS),
        Rule("probes-in", "Inbound", ("AzureLoadBalancer",), own, ANY),
        Rule("machines-out", "Outbound", own, (str(plan.subnets["system"]),), HTTPS),
    )


def _nothing_else() -> tuple[Rule, ...]:
    return (
        Rule("nothing-else-in", "Inbound", ANY, ANY, ANY, "*", "Deny"),
        Rule("nothing-else-out", "Outbound", ANY, ANY, ANY, "*", "Deny"),
    )


def _cluster(plan: AddressPlan) -> tuple[str, ...]:
    return (*map(str, plan.nodes), str(plan.pods))
