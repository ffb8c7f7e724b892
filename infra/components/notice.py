"""Who hears what Azure itself has to say: an action group without addresses, and alerts on the health of its services.

The people of the fleet file are reached by the on-call system, whose contacts are secrets. Azure tells those who hold a
role in the subscription, so no address stands in any template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import monitor

from infra.components.site import Site

# learn.microsoft.com, "Azure built-in roles".
ROLES = {
    "owners": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "monitoring": "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
}


@dataclass(frozen=True, slots=True)
class NoticeArgs:
    """What it is made of."""

    site: Site
    fleet: str
    locations: Sequence[str]
    """Azure regions whose health is told."""


class Notice(pulumi.ComponentResource):
    """The action group, and the alert on trouble of Azure's in the fleet's regions."""

    def __init__(self, name: str, args: NoticeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:base:Notice", name, None, opts)
        self._args = args
        group = self._group()
        self.action_group: pulumi.Output[str] = group.id
        self._health(group)
        self.register_outputs({"action_group": self.action_group})

    def _group(self) -> Any:
        site = self._args.site
        tell = [{"name": name, "role_id": role, "use_common_alert_schema": True} for name, role in ROLES.items()]
        return monitor.ActionGroup(
            "action-group",
            action_group_name=site.name("action group"),
            group_short_name=self._args.fleet[:12],  # ARM takes 12 characters
            enabled=True,
            arm_role_receivers=tell,
            opts=pulumi.ResourceOptions(parent=self),
            **site.placed() | {"location": "global"},
        )

    def _health(self, group: Any) -> None:
        site = self._args.site
        places = {"field": "properties.impactedServices[*].ImpactedRegions[*].RegionName"}
        monitor.ActivityLogAlert(
            "service-health",
            activity_log_alert_name=site.name("alert rule", "service-health"),
            description="Azure has trouble in a region of the fleet, or will do maintenance there.",
            enabled=True,
            scopes=[site.subscription()],
            condition={
                "all_of": [
                    {"field": "category", "equals": "ServiceHealth"},
                    {**places, "contains_any": [*self._args.locations, "Global"]},
                ]
            },
            actions={"action_groups": [{"action_group_id": group.id}]},
            opts=pulumi.ResourceOptions(parent=self),
            **site.placed() | {"location": "global"},
        )
