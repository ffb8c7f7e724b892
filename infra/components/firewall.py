"""The way out of a region through a firewall: only names that are on a list, nothing else, all of it logged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import network

from infra.blueprint.addresses import NODES, AddressPlan
from infra.blueprint.egress import Reach
from infra.components.diagnostics import diagnose
from infra.components.site import Site, hours

TIER = "Premium"  # Standard cannot refuse what its intrusion detection finds


@dataclass(frozen=True, slots=True)
class FirewallArgs:
    """What a firewall is made of."""

    site: Site
    plan: AddressPlan
    zones: tuple[int, ...]
    subnet: pulumi.Input[str]
    reaches: tuple[Reach, ...]
    workspace: pulumi.Input[str]


class Firewall(pulumi.ComponentResource):
    """The firewall, at the plan's address; what starts before `ready` starts without a way out."""

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Firewall", name, None, opts)
        self._args = args
        policy = self._policy()
        allowed = self._allowed(policy)
        firewall = self._firewall(policy, allowed)
        diagnose("firewall", firewall.id, args.workspace, self)
        self.ready: list[pulumi.Resource] = [firewall, allowed]
        self.register_outputs({"firewall": firewall.id})

    def _policy(self) -> Any:
        return network.FirewallPolicy(
            "policy",
            firewall_policy_name=self._args.site.name("firewall policy"),
            sku={"tier": TIER},
            threat_intel_mode="Deny",
            intrusion_detection={"mode": "Deny"},
            dns_settings={"enable_proxy": True},  # rules about names of other protocols than HTTP need it
            opts=pulumi.ResourceOptions(parent=self),
            **self._args.site.placed(),
        )

    def _allowed(self, policy: Any) -> pulumi.Resource:
        sources = [str(self._args.plan.subnets[role]) for role in (*NODES, "operations")]
        group: pulumi.Resource = network.FirewallPolicyRuleCollectionGroup(
            "allowed",
            rule_collection_group_name="allowed",
            firewall_policy_name=policy.name,
            resource_group_name=self._args.site.group,
            priority=200,
            rule_collections=[
                _collection("names", 200, [_by_name(reach, sources) for reach in self._args.reaches]),
                _collection("time", 300, [_time(sources)]),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return group

    def _firewall(self, policy: Any, allowed: pulumi.Resource) -> Any:
        """After its rules: Azure answers 409 to a rule while the firewall takes its policy."""
        site, places = self._args.site, [str(zone) for zone in self._args.zones] or None
        address = self._address(places)
        return network.AzureFirewall(
            "firewall",
            azure_firewall_name=site.name("firewall"),
            sku={"name": "AZFW_VNet", "tier": TIER},
            threat_intel_mode="Deny",
            firewall_policy={"id": policy.id},
            zones=places,
            ip_configurations=[
                {"name": "out", "subnet": {"id": self._args.subnet}, "public_ip_address": {"id": address.id}}
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed], custom_timeouts=hours(1)),
            **site.placed(),
        )

    def _address(self, places: list[str] | None) -> Any:
        return network.PublicIPAddress(
            "address",
            public_ip_address_name=self._args.site.name("public address", "firewall"),
            sku={"name": "Standard", "tier": "Regional"},
            public_ip_allocation_method="Static",
            zones=places,
            opts=self._args.site.guarded(self),  # others have this address in their lists of who may come in
            **self._args.site.placed(),
        )


def _collection(name: str, priority: int, found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Names are ARM's: the SDK does not translate those of objects that may be of several kinds."""
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": name,
        "priority": priority,
        "action": {"type": "Allow"},
        "rules": list(found),
    }


def _by_name(reach: Reach, sources: list[str]) -> dict[str, Any]:
    protocols = [{"protocolType": "Https", "port": 443}]
    return {
        "ruleType": "ApplicationRule",
        "name": reach.name,
        "sourceAddresses": sources,
        "protocols": [*protocols, {"protocolType": "Http", "port": 80}] if reach.plain else protocols,
        **({"fqdnTags": [reach.tag]} if reach.tag else {"targetFqdns": list(reach.hosts)}),
    }


def _time(sources: list[str]) -> dict[str, Any]:
    return {
        "ruleType": "NetworkRule",
        "name": "ntp",
        "ipProtocols": ["UDP"],
        "sourceAddresses": sources,
        "destinationFqdns": ["ntp.ubuntu.com"],
        "destinationPorts": ["123"],
    }
