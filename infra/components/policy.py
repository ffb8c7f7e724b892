"""What Azure Policy and Defender hold the subscription to, whoever deploys into it: built-in rules, by their ids.

Where the rule can refuse, it does; where it only finds, what it finds is in Azure's compliance view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import authorization, security

from infra.components.site import Site

DEFINITIONS = "/providers/Microsoft.Authorization/policyDefinitions"


@dataclass(frozen=True, slots=True)
class Rule:
    """A built-in policy of Azure, and its effect here where it can be chosen."""

    id: str
    title: str
    effect: str | None = None


# Built-in policies that the AKS baseline of Microsoft's patterns & practices assigns (mspnp/aks-baseline). Ids, what
# they are about, effects: Azure/azure-policy, built-in-policies/policyDefinitions at f4a50bac (2026-04-29).
RULES: Mapping[str, Rule] = {
    "aks-local-auth": Rule("993c2fcd-2b29-49d2-9eb0-df2c3a730c32", "No local accounts in clusters", "Deny"),
    "aks-entra": Rule("450d2877-ebea-41e8-b00c-e286317d21bf", "Clusters know people by Entra", "Audit"),
    "aks-rbac": Rule("ac4a19c2-fa67-49b4-8ae5-0b2e78c49457", "Clusters use role-based access", "Audit"),
    "aks-addon": Rule("0a15ec92-a229-4763-bb14-0ea34a568f8d", "Clusters have the policy add-on", "Audit"),
    "aks-defender": Rule("a1840de2-8088-4ea8-b153-b4c723e9cb01", "Clusters have the Defender profile", "Audit"),
    "aks-identity": Rule("da6e2401-19da-4532-9141-fb8fbde08431", "Clusters use managed identities", "Audit"),
    "aks-version": Rule(
        "fb893a29-21bb-418c-a157-e99480ec364c", "Clusters run a version that is not vulnerable", "Audit"
    ),
    "acr-admin": Rule("dc921057-6b28-4fbe-9b83-f7bec05db6c2", "Registries have no admin account", "Deny"),
    "acr-anonymous": Rule("9f2dea28-e834-476c-99c5-3507b4728395", "Registries are not read by anyone", "Deny"),
}
# Built-in, General/AllowedLocations_Deny.json there: refuses unless told otherwise; global is always allowed.
LOCATIONS = Rule("e56962a6-4747-49cd-b67b-bf8b01975c4c", "Allowed locations")

PLANS: Mapping[str, str | None] = {
    "Arm": "PerSubscription",
    "Containers": None,
    "KeyVaults": "PerKeyVault",
    "StorageAccounts": "DefenderForStorageV2",
}
"""Defender's plans for what a fleet is made of, and how each counts (learn.microsoft.com/azure/defender-for-cloud)."""


@dataclass(frozen=True, slots=True)
class PoliciesArgs:
    """What the policies are made of."""

    site: Site
    group_id: pulumi.Input[str]
    locations: Sequence[str]
    """Azure regions that the shared resources may lie in."""


class Policies(pulumi.ComponentResource):
    """The assignments, and Defender's plans."""

    def __init__(self, name: str, args: PoliciesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:base:Policies", name, None, opts)
        self._site = args.site
        for key, rule in RULES.items():
            effect = {"effect": {"value": rule.effect}} if rule.effect else {}
            self._assign(key, rule, args.site.subscription(), effect)
        allowed = {"listOfAllowedLocations": {"value": list(args.locations)}}
        self._assign("locations", LOCATIONS, args.group_id, allowed)
        self._defend()
        self.register_outputs({})

    def _assign(self, key: str, rule: Rule, scope: pulumi.Input[str], parameters: Mapping[str, Any]) -> None:
        authorization.PolicyAssignment(
            f"policy-{key}",
            policy_assignment_name=self._site.names.name("policy assignment", part=key),
            scope=scope,
            policy_definition_id=f"{DEFINITIONS}/{rule.id}",
            display_name=rule.title,
            enforcement_mode="Default",
            parameters=parameters,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _defend(self) -> None:
        before: pulumi.Resource | None = None
        for plan, counted in PLANS.items():  # one by one: hashicorp/terraform-provider-azurerm#32451
            before = security.Pricing(
                f"defender-{plan.lower()}",
                pricing_name=plan,
                pricing_tier="Standard",
                sub_plan=counted,
                scope_id=self._site.subscription().removeprefix("/"),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[before] if before else None),
            )
