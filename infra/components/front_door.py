"""The profile of Front Door that every endpoint of the edge belongs to, and its logs without users' addresses."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cdn, operationalinsights

from infra.components.diagnostics import diagnose
from infra.components.logs import DAYS
from infra.components.site import Site

# Seconds until an origin's first byte, the most there is (learn.microsoft.com/azure/frontdoor/front-door-faq): a long
# prompt waits in a queue before its first token.
PATIENCE = 240
# Access logs of all residency groups come to one place, so they hold no address, and no query in which a key could be.
SCRUBBED = ("RequestIPAddress", "QueryStringArgNames")


@dataclass(frozen=True, slots=True)
class FrontDoorArgs:
    """What the profile is made of."""

    site: Site
    logs: str
    """The Azure region of its logs."""


class FrontDoor(pulumi.ComponentResource):
    """The profile: Premium, the only one that reaches origins by private link."""

    def __init__(self, name: str, args: FrontDoorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:base:FrontDoor", name, None, opts)
        site = args.site
        rules = [{"match_variable": what, "selector_match_operator": "EqualsAny"} for what in SCRUBBED]
        made = cdn.Profile(
            "profile",
            profile_name=site.name("Front Door"),
            sku={"name": "Premium_AzureFrontDoor"},
            origin_response_timeout_seconds=PATIENCE,
            log_scrubbing={"state": "Enabled", "scrubbing_rules": [{**rule, "state": "Enabled"} for rule in rules]},
            opts=site.guarded(self),
            **site.placed() | {"location": "global"},
        )
        workspace = operationalinsights.Workspace(
            "edge-logs",
            workspace_name=site.name("log workspace", "edge"),
            sku={"name": "PerGB2018"},
            retention_in_days=DAYS,
            features={"disable_local_auth": True, "enable_log_access_using_only_resource_permissions": True},
            opts=site.holding(self),
            **site.placed() | {"location": args.logs},
        )
        diagnose("front-door", made.id, workspace.id, self)
        self.id: pulumi.Output[str] = made.id
        self.name: pulumi.Output[str] = made.name
        self.register_outputs({"id": self.id})
