"""A region's logs: one workspace in the region, written and read with Entra's identities only."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import operationalinsights

from infra.components.site import Site

DAYS = 90  # of retention without extra cost for what Defender writes (learn.microsoft.com, "Azure Monitor pricing")


@dataclass(frozen=True, slots=True)
class LogsArgs:
    """What a log workspace is made of."""

    site: Site
    location: str


class Logs(pulumi.ComponentResource):
    """The workspace; `workspace` is its id."""

    def __init__(self, name: str, args: LogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Logs", name, None, opts)
        made = operationalinsights.Workspace(
            "logs",
            workspace_name=args.site.name("log workspace"),
            sku={"name": "PerGB2018"},
            retention_in_days=DAYS,
            features={"disable_local_auth": True, "enable_log_access_using_only_resource_permissions": True},
            opts=args.site.holding(self),
            **args.site.placed(data=True) | {"location": args.location},
        )
        self.workspace: pulumi.Output[str] = made.id
        self.register_outputs({"workspace": self.workspace})
