"""What Azure refuses of the web application firewall of the edge. Pure."""

from __future__ import annotations

from typing import Any

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, same, type_of
from infra.azure.rules.cdn import premium, tier_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

SECURITY = "Microsoft.Cdn/profiles/securityPolicies"
WAF = "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies"


@rule("edge.waf-tier", SECURITY, "https://learn.microsoft.com/azure/web-application-firewall/afds/afds-overview")
def firewall_is_of_the_tier(request: Request, world: World) -> ArmError | None:
    """A firewall policy is of the tier of the profile that it protects."""
    policy = world.inventory.get(read(request.body, "properties.parameters.wafPolicy.id", ""))
    own, theirs = tier_of(request.id, world), read(policy, "sku.name", "")
    if policy is not None and own and own != theirs:
        return refuse("BadRequest", f"The WAF policy is of tier {theirs}, the profile of tier {own}.")
    return None


@rule(
    "edge.one-firewall",
    SECURITY,
    "https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-create-portal",
)
def domains_have_one_firewall(request: Request, world: World) -> ArmError | None:
    """An endpoint or a domain has one security policy."""
    own = _domains(request.body)
    for id, body in world.inventory.below(parent_of(request.id)):
        if type_of(id).lower() == SECURITY.lower() and not same(id, request.id) and own & _domains(body):
            what = f"The domain {sorted(own & _domains(body))[0]} is associated with {name_of(id)} already."
            return refuse("Conflict", what, 409)
    return None


@rule("waf.managed-rules", WAF, "https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-drs")
def managed_rules_needpremium(request: Request, world: World) -> ArmError | None:
    """Managed rule sets, and with them bot protection, need a Premium policy."""
    managed = rows(request.body, "properties.managedRules.managedRuleSets")
    if managed and not premium(read(request.body, "sku.name", "")):
        return refuse("BadRequest", "Managed rules are only supported for Premium_AzureFrontDoor.")
    return None


@rule(
    "waf.priorities", WAF, "https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-custom-rules"
)
def custom_rules_differ(request: Request, world: World) -> ArmError | None:
    """Custom rules of a policy have different priorities and names, and there are at most 100."""
    custom = rows(request.body, "properties.customRules.rules")
    if len(custom) > 100:
        return refuse("BadRequest", f"The policy has {len(custom)} custom rules; 100 are the most.")
    for field in ("priority", "name"):
        values = [read(row, field) for row in custom if read(row, field) is not None]
        if len(values) != len(set(values)):
            return refuse("BadRequest", f"Two custom rules have the same {field}.")
    return None


@rule(
    "waf.rate-limit", WAF, "https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-rate-limit"
)
def rate_limits_have_a_rate(request: Request, world: World) -> ArmError | None:
    """A rate limit rule counts over 1 or 5 minutes to at least 10."""
    for row in rows(request.body, "properties.customRules.rules"):
        if read(row, "ruleType") != "RateLimitRule":
            continue
        minutes, most = read(row, "rateLimitDurationInMinutes", 1), read(row, "rateLimitThreshold", 0)
        if minutes not in (1, 5) or most < 10:
            what = (
                f"The rate limit of '{read(row, 'name')}' is {most} in {minutes} minutes; it is at least 10 in 1 or 5."
            )
            return refuse("BadRequest", what)
    return None


def _domains(body: Any) -> set[str]:
    return {
        str(read(domain, "id", "")).lower()
        for association in rows(body, "properties.parameters.associations")
        for domain in rows(association, "domains")
    }
