"""What all regions of a fleet share, put together. It lies in the home region and knows the others by name only."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import resources

from infra.blueprint.placement import edge_log_sink, home, registry_replicas
from infra.components.dns import Zone, ZoneArgs
from infra.components.features import Features
from infra.components.front_door import FrontDoor, FrontDoorArgs
from infra.components.notice import Notice, NoticeArgs
from infra.components.policy import Policies, PoliciesArgs
from infra.components.program import Context, export
from infra.components.registry import Registry, RegistryArgs
from infra.components.site import Site


def build(context: Context) -> None:
    """Register everything, and export what regions and edge need: nothing that depends on which regions there are."""
    fleet, location = context.fleet, home(context.fleet).location
    group = _group(context, location)
    site = Site(context.names, location, group.name, group.name, context.tags, context.kept)
    replicas, logs = registry_replicas(fleet), edge_log_sink(fleet)
    registry = Registry("registry", RegistryArgs(site, replicas))
    zone = Zone("dns", ZoneArgs(site, context.azure.domain))
    front_door = FrontDoor("front-door", FrontDoorArgs(site, logs))
    places = tuple(dict.fromkeys(region.location for region in fleet.regions))
    notice = Notice("notice", NoticeArgs(site, fleet.name, places))
    Features("features")
    Policies("policies", PoliciesArgs(site, group.id, tuple(dict.fromkeys((location, logs, *replicas)))))
    export(
        location=location,
        resource_group=group.name,
        registry_id=registry.id,
        registry_name=registry.name,
        registry_login_server=registry.login_server,
        dns_zone_id=zone.id,
        dns_zone_name=zone.name,
        dns_name_servers=zone.servers,
        front_door_id=front_door.id,
        front_door_name=front_door.name,
        action_group_id=notice.action_group,
    )


def _group(context: Context, location: str) -> resources.ResourceGroup:
    return resources.ResourceGroup(
        "base",
        resource_group_name=context.names.name("resource group", location, "base"),
        location=location,
        tags=dict(context.tags),
        opts=pulumi.ResourceOptions(protect=context.kept, retain_on_delete=context.kept),
    )
