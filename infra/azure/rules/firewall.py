"""What the network provider refuses of an Azure firewall, its policy and its rules. Pure."""

from __future__ import annotations

from typing import Any

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, same, type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure"
FIREWALL = "Microsoft.Network/azureFirewalls"
POLICY = "Microsoft.Network/firewallPolicies"
GROUP = f"{POLICY}/ruleCollectionGroups"
TIERS = ("Basic", "Standard", "Premium")


@rule("firewall.subnet", FIREWALL, f"{LEARN}/firewall/firewall-faq")
def firewall_is_in_its_subnet(request: Request, world: World) -> ArmError | None:
    """A firewall in a virtual network is in the subnet AzureFirewallSubnet."""
    for row in rows(request.body, "properties.ipConfigurations"):
        subnet = read(row, "properties.subnet.id", "")
        if subnet and name_of(subnet) != "AzureFirewallSubnet":
            what = f"The subnet of {request.name} is {name_of(subnet)}; it must be called AzureFirewallSubnet."
            return refuse("AzureFirewallSubnetNameInvalid", what)
    return None


@rule("firewall.address", FIREWALL, f"{LEARN}/firewall/firewall-faq")
def firewall_has_a_standard_address(request: Request, world: World) -> ArmError | None:
    """A firewall's public addresses are of the standard SKU."""
    for row in rows(request.body, "properties.ipConfigurations"):
        body = world.inventory.get(read(row, "properties.publicIPAddress.id", "")) or {}
        if body and read(body, "sku.name", "Basic") != "Standard":
            return refuse("AzureFirewallPublicIpSkuInvalid", f"{body.get('id')} must be of the standard SKU.")
    return None


@rule("firewall.tier", FIREWALL, f"{LEARN}/firewall-manager/policy-overview")
def policy_fits_the_firewall(request: Request, world: World) -> ArmError | None:
    """A firewall's policy is of its tier or below."""
    policy = world.inventory.get(read(request.body, "properties.firewallPolicy.id", "")) or {}
    own, theirs = read(request.body, "properties.sku.tier", "Standard"), read(policy, "properties.sku.tier", "Standard")
    if policy and TIERS.index(theirs) > TIERS.index(own):
        what = f"The firewall policy is of tier {theirs}, the firewall of tier {own}."
        return refuse("AzureFirewallPolicyTierMismatch", what)
    return None


@rule("firewall.own-rules", FIREWALL, f"{LEARN}/firewall-manager/policy-overview")
def classic_rules_exclude_a_policy(request: Request, world: World) -> ArmError | None:
    """A firewall has a policy or rules of its own, never both."""
    own = [kind for kind in ("applicationRuleCollections", "natRuleCollections", "networkRuleCollections")
           if rows(request.body, f"properties.{kind}")]  # fmt: skip
    if own and read(request.body, "properties.firewallPolicy.id"):
        what = f"{own[0]} cannot be set on a firewall that has a policy."
        return refuse("AzureFirewallRulesWithPolicyNotAllowed", what)
    return None


@rule("firewall.premium", POLICY, f"{LEARN}/firewall/premium-features")
def premium_features_need_premium(request: Request, world: World) -> ArmError | None:
    """TLS inspection and intrusion detection need a premium policy."""
    tier = read(request.body, "properties.sku.tier", "Standard")
    wanted = [kind for kind in ("intrusionDetection", "transportSecurity") if read(request.body, f"properties.{kind}")]
    if wanted and tier != "Premium":
        return refuse("FirewallPolicyPremiumFeatureNotAllowed", f"{wanted[0]} needs tier Premium, not {tier}.")
    return None


@rule("firewall.priorities", GROUP, f"{LEARN}/firewall-manager/rule-hierarchy")
def groups_have_their_place(request: Request, world: World) -> ArmError | None:
    """Rule collection groups of one policy have different priorities, from 100 to 65000."""
    own = read(request.body, "properties.priority", 100)
    if not 100 <= own <= 65000:
        return refuse("FirewallPolicyRuleCollectionGroupInvalidPriority", f"Priority {own} is not from 100 to 65000.")
    for id, body in world.inventory.below(parent_of(request.id)):
        other = type_of(id).lower() == GROUP.lower() and not same(id, request.id)
        if other and read(body, "properties.priority") == own:
            what = f"Priority {own} is used by {name_of(id)} already."
            return refuse("FirewallPolicyRuleCollectionGroupPriorityConflict", what)
    return None


@rule("firewall.names-need-proxy", GROUP, f"{LEARN}/firewall/fqdn-filtering-network-rules")
def names_in_network_rules_need_the_proxy(request: Request, world: World) -> ArmError | None:
    """A network rule that names hosts needs a policy with the DNS proxy on."""
    policy = world.inventory.get(parent_of(request.id)) or {}
    if not policy or read(policy, "properties.dnsSettings.enableProxy", False):
        return None
    for row in _rules(request.body):
        if read(row, "ruleType") == "NetworkRule" and rows(row, "destinationFqdns"):
            what = f"The rule {read(row, 'name')} names hosts; that needs the DNS proxy of the policy."
            return refuse("FirewallPolicyNetworkRuleFqdnRequiresDnsProxy", what)
    return None


@rule("firewall.kinds-apart", GROUP, f"{LEARN}/firewall/policy-rule-sets")
def collections_hold_one_kind(request: Request, world: World) -> ArmError | None:
    """A rule collection holds rules of one kind."""
    for collection in rows(request.body, "properties.ruleCollections"):
        kinds = {read(row, "ruleType") for row in rows(collection, "rules")}
        if len(kinds) > 1:
            what = f"The collection {read(collection, 'name')} holds rules of several kinds."
            return refuse("FirewallPolicyRuleCollectionMixedRuleTypes", what)
    return None


def _rules(body: Any) -> list[Any]:
    return [row for collection in rows(body, "properties.ruleCollections") for row in rows(collection, "rules")]
