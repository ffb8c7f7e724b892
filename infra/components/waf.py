"""The web application firewall of the edge: what no region should have to answer, by Azure's rules and three of ours.

Prompts are code, SQL and shell as often as prose, so Azure's rules must not read them: what is inside JSON is excluded,
and all else of a request is still checked. How much one client may send comes from the limits of the services.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import frontdoor

from infra.components.site import Site
from infra.service import Limits

METHODS = ("GET", "HEAD", "OPTIONS", "POST")  # all that the API of an inference server has
# learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-drs, "Bot protection rule set"
RULE_SETS = (("Microsoft_DefaultRuleSet", "2.1"), ("Microsoft_BotManagerRuleSet", "1.1"))
PROMPTS = {"match_variable": "RequestBodyJsonArgNames", "selector_match_operator": "EqualsAny", "selector": "*"}


@dataclass(frozen=True, slots=True)
class FirewallArgs:
    """What the firewall is made of."""

    site: Site
    limits: Sequence[Limits]
    """What one region accepts, service by service."""


class WebFirewall(pulumi.ComponentResource):
    """The policy; `id` is what endpoints are put under."""

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:edge:WebFirewall", name, None, opts)
        site = args.site
        made = frontdoor.Policy(
            "web-firewall",
            policy_name=site.name("web application firewall"),
            sku={"name": "Premium_AzureFrontDoor"},  # the only one with Azure's rules
            policy_settings={
                "enabled_state": "Enabled",
                "mode": "Prevention",
                "request_body_check": "Enabled",
                "custom_block_response_status_code": 403,
                "state": "Enabled",  # of log scrubbing, which the SDK has flattened
                "scrubbing_rules": [_scrub(what) for what in SCRUBBED],
            },
            custom_rules={"rules": _rules(args.limits)},
            managed_rules={"managed_rule_sets": [_rule_set(*one) for one in RULE_SETS]},
            opts=pulumi.ResourceOptions(parent=self),
            **site.placed() | {"location": "global"},
        )
        self.id: pulumi.Output[str] = made.id
        self.register_outputs({"id": self.id})


SCRUBBED = ("RequestIPAddress", "RequestBodyJsonArgNames", "QueryStringArgNames")
"""What the firewall's logs do not hold: addresses, prompts, and keys that somebody put into a query."""


def _scrub(what: str) -> dict[str, str]:
    return {"match_variable": what, "selector_match_operator": "EqualsAny", "state": "Enabled"}


def _rule_set(kind: str, version: str) -> dict[str, Any]:
    """A set of Azure's rules; the bot rules have actions of their own, one by one."""
    action = {"rule_set_action": "Block", "exclusions": [PROMPTS]} if kind == RULE_SETS[0][0] else {}
    return {"rule_set_type": kind, "rule_set_version": version, **action}


def _rules(limits: Sequence[Limits]) -> list[dict[str, Any]]:
    """Methods, sizes, rates. Nobody alone may send more than one region accepts from all."""
    rate = round(60 * sum(one.rate for one in limits))  # limits are per second, the firewall counts minutes
    body = max(one.body for one in limits)
    others = {"match_variable": "RequestMethod", "operator": "Equal", "match_value": list(METHODS)}
    large = {"match_variable": "RequestHeader", "selector": "Content-Length", "operator": "GreaterThan"}
    anyone = {"match_variable": "RequestUri", "operator": "BeginsWith", "match_value": ["/"]}
    flood = {"rate_limit_duration_in_minutes": 1, "rate_limit_threshold": max(rate, 10)}  # 10 is the least there is
    by_client = {"group_by": [{"variable_name": "SocketAddr"}]}
    return [
        _rule("OtherMethods", 10, [{**others, "negate_condition": True}]),
        _rule("LargeBodies", 20, [{**large, "match_value": [str(body)]}]),
        _rule("Floods", 30, [anyone], rule_type="RateLimitRule", **flood, **by_client),
    ]


def _rule(name: str, priority: int, conditions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    kind = {"rule_type": "MatchRule", "action": "Block", "enabled_state": "Enabled"}
    return {"name": name, "priority": priority, "match_conditions": conditions, **kind, **more}
