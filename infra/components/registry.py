"""The registry of images and weights: one for the fleet, replicas where weights may be, and no password."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import containerregistry

from infra.azure.facts import regions
from infra.components.site import Site

UNTAGGED = 30  # days that an image which lost its tag can still be pulled by digest: longer than any rollout


@dataclass(frozen=True, slots=True)
class RegistryArgs:
    """What a registry is made of. Private endpoints are the regions'."""

    site: Site
    replicas: Sequence[str]
    """Azure regions beside the registry's own."""


class Registry(pulumi.ComponentResource):
    """The registry and its replicas."""

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:base:Registry", name, None, opts)
        self._site = args.site
        made = self._registry()
        self.id: pulumi.Output[str] = made.id
        self.name: pulumi.Output[str] = made.name
        self.login_server: pulumi.Output[str] = made.login_server
        for location in args.replicas:
            self._replica(made, location)
        self.register_outputs({"id": self.id})

    def _registry(self) -> Any:
        return containerregistry.Registry(
            "registry",
            registry_name=self._site.name("registry"),
            sku={"name": "Premium"},  # the only one with replicas and private endpoints
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            data_endpoint_enabled=True,  # layers come from the registry's own names, which a firewall can tell apart
            public_network_access="Disabled",
            network_rule_bypass_options="AzureServices",
            network_rule_set={"default_action": "Deny"},
            zone_redundancy=_over_zones(self._site.location),
            policies={
                "export_policy": {"status": "disabled"},
                "retention_policy": {"status": "enabled", "days": UNTAGGED},
            },
            opts=self._site.guarded(self),
            **self._site.placed(),
        )

    def _replica(self, registry: Any, location: str) -> None:
        containerregistry.Replication(
            f"replica-{location}",
            replication_name=location,
            registry_name=registry.name,
            resource_group_name=self._site.group,
            location=location,
            region_endpoint_enabled=True,
            zone_redundancy=_over_zones(location),
            tags=dict(self._site.tags),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _over_zones(location: str) -> str:
    return "Enabled" if regions()[location].zones else "Disabled"
