"""The hours in which AKS may work on a cluster: for versions, for machine images, and for its own changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import containerservice

from infra.blueprint.maintenance import Window
from infra.components.site import Site

# AKS takes these names and no others (learn.microsoft.com, "Use planned maintenance to schedule upgrades").
VERSIONS, IMAGES, OWN = "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule", "default"


@dataclass(frozen=True, slots=True)
class UpkeepArgs:
    """When a cluster is worked on."""

    site: Site
    cluster: pulumi.Input[str]
    window: Window


class Upkeep(pulumi.ComponentResource):
    """The maintenance windows of a cluster."""

    def __init__(self, name: str, args: UpkeepArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Upkeep", name, None, opts)
        window = args.window
        weekly = {"weekly": {"interval_weeks": 1, "day_of_week": window.day}}
        hours = {"duration_hours": window.hours, "start_time": f"{window.hour:02d}:00", "utc_offset": "+00:00"}
        for called in (VERSIONS, IMAGES, OWN):
            self._window(args, called, maintenance_window={"schedule": weekly, **hours})
        self.register_outputs({})

    def _window(self, args: UpkeepArgs, called: str, maintenance_window: dict[str, Any]) -> None:
        containerservice.MaintenanceConfiguration(
            f"upkeep-{called}",
            config_name=called,
            resource_name_=args.cluster,
            resource_group_name=args.site.group,
            maintenance_window=maintenance_window,
            opts=pulumi.ResourceOptions(parent=self),
        )
