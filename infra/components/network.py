"""A region's network: one virtual network with its subnets, what may pass between them, and which way leads out.

The subnets are inline in the network. Azure changes one subnet of a network at a time and answers 409 or 429 to more
(azure-native's own documentation says to chain them), one PUT makes all of them, and a subnet costs sixty aliases. What
it costs in turn, that a subnet made by somebody else is removed by the next update, is wanted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pulumi
from pulumi_azure_native import network

from infra.blueprint.addresses import NODES, AddressPlan
from infra.blueprint.segmentation import Rule, rules
from infra.components.site import Site

FIREWALL_SUBNET = "AzureFirewallSubnet"  # Azure Firewall takes no other name


@dataclass(frozen=True, slots=True)
class NetworkArgs:
    """What a network is made of."""

    site: Site
    plan: AddressPlan
    egress: Literal["firewall", "nat"]
    nat: pulumi.Input[str] | None = None
    """The NAT gateway, where that is the way out."""


class Network(pulumi.ComponentResource):
    """The virtual network; `subnets` has the id of each subnet, `vnet` the network's."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Network", name, None, opts)
        self._args = args
        made = [role for role in args.plan.subnets if role != "firewall"]
        self._groups = {role: self._security_group(role) for role in made}
        self._routes = self._route_table() if args.egress == "firewall" else None
        roles = [*made, "firewall"] if args.egress == "firewall" else made
        vnet = network.VirtualNetwork(
            "vnet",
            virtual_network_name=args.site.name("virtual network"),
            address_space={"address_prefixes": [str(args.plan.block)]},
            subnets=[self._subnet(role) for role in roles],
            opts=pulumi.ResourceOptions(parent=self),
            **args.site.placed(),
        )
        self.vnet: pulumi.Output[str] = vnet.id
        self.subnets = {role: pulumi.Output.concat(vnet.id, "/subnets/", self.called(role)) for role in roles}
        self.register_outputs({"vnet": self.vnet, "subnets": self.subnets})

    def called(self, role: str) -> str:
        """The physical name of a subnet."""
        return FIREWALL_SUBNET if role == "firewall" else self._args.site.name("subnet", role)

    def _subnet(self, role: str) -> dict[str, Any]:
        made = {"name": self.called(role), "address_prefix": str(self._args.plan.subnets[role])}
        if role == "firewall":
            return made
        return {
            **made,
            "default_outbound_access": False,
            "network_security_group": {"id": self._groups[role].id},
            "private_endpoint_network_policies": "NetworkSecurityGroupEnabled",
            # A private link service cannot take addresses where these policies hold (learn.microsoft.com).
            "private_link_service_network_policies": "Disabled" if role == "gateway" else "Enabled",
            **(self._way_out() if role in (*NODES, "operations") else {}),
        }

    def _way_out(self) -> dict[str, Any]:
        if self._routes is not None:
            return {"route_table": {"id": self._routes.id}}
        return {"nat_gateway": {"id": self._args.nat}}

    def _security_group(self, role: str) -> Any:
        return network.NetworkSecurityGroup(
            f"nsg-{role}",
            network_security_group_name=self._args.site.name("network security group", role),
            security_rules=_security_rules(rules(self._args.plan, role)),
            opts=pulumi.ResourceOptions(parent=self),
            **self._args.site.placed(),
        )

    def _route_table(self) -> Any:
        """Everything leaves through the firewall, whose address is known before it is there: no circle."""
        hop = {"next_hop_type": "VirtualAppliance", "next_hop_ip_address": str(self._args.plan.firewall)}
        return network.RouteTable(
            "routes",
            route_table_name=self._args.site.name("route table"),
            disable_bgp_route_propagation=True,
            routes=[{"name": "through-firewall", "address_prefix": "0.0.0.0/0", **hop}],
            opts=pulumi.ResourceOptions(parent=self),
            **self._args.site.placed(),
        )


def _security_rules(found: tuple[Rule, ...]) -> list[dict[str, Any]]:
    """In their order: each direction counts its priorities from 100, and what denies all the rest comes last."""
    made, counted = [], {"Inbound": 0, "Outbound": 0}
    for rule in found:
        priority = 4096 if rule.access == "Deny" else 100 + 10 * counted[rule.direction]
        counted[rule.direction] += 1
        made.append(_security_rule(rule, priority))
    return made


def _security_rule(rule: Rule, priority: int) -> dict[str, Any]:
    return {
        "name": rule.name,
        "priority": priority,
        "direction": rule.direction,
        "access": rule.access,
        "protocol": rule.protocol,
        "source_port_range": "*",
        **_one_or_more("source_address_prefix", rule.sources),
        **_one_or_more("destination_address_prefix", rule.destinations),
        **_one_or_more("destination_port_range", rule.ports),
    }


def _one_or_more(key: str, values: tuple[str, ...]) -> dict[str, Any]:
    """ARM has one property for one value, which alone takes tags and *, and another one for several."""
    plural = f"{key}es" if key.endswith("x") else f"{key}s"
    return {key: values[0]} if len(values) == 1 else {plural: list(values)}
