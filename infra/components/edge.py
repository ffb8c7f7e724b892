"""The edge of a fleet, put together: an entrance per residency group, and the firewall before all of them."""

from __future__ import annotations

from typing import Any

from infra.blueprint.failover import priorities
from infra.blueprint.placement import home, origin_groups
from infra.components.entrance import Entrance, EntranceArgs
from infra.components.origins import Origins, OriginsArgs, asked_by
from infra.components.program import Context, export
from infra.components.site import Site
from infra.components.waf import FirewallArgs, WebFirewall
from infra.region import Region


def build(context: Context) -> None:
    """Register everything, and export where users enter and what must be approved for them to get through."""
    export(**EdgeStack(context).exported())


class EdgeStack:
    """The edge of a fleet. All of it belongs to the Front Door profile of the base stack and lies beside it."""

    def __init__(self, context: Context) -> None:
        self._context, self._base = context, context.lower("base")
        group = self._base["resource_group"]
        self._site = Site(context.names, home(context.fleet).location, group, group, context.tags, context.kept)
        limits = [service.limits for service in context.fleet.services]
        self._firewall = WebFirewall("firewall", FirewallArgs(self._site, limits))
        regions = context.fleet.regions
        self._contracts = {one.name: context.lower("region", one.name)["origin"] for one in regions}
        self._entrances = {group: self._entrance(group, of) for group, of in origin_groups(context.fleet).items()}

    def exported(self) -> dict[str, Any]:
        """Residency group -> host that its users call; and the private links that wait for a yes."""
        hosts = {group: entrance.host for group, entrance in self._entrances.items()}
        return {"hosts": hosts, "approvals": [self._approval(region) for region in self._context.fleet.regions]}

    def _entrance(self, group: str, regions: tuple[Region, ...]) -> Entrance:
        base, profile = self._base, self._base["front_door_name"]
        origins = OriginsArgs(self._site, profile, group, regions, priorities(regions), self._contracts)
        args = EntranceArgs(
            site=self._site,
            profile=profile,
            group=group,
            domain=self._context.azure.domain,
            zone=base["dns_zone_id"],
            zone_name=base["dns_zone_name"],
            firewall=self._firewall.id,
            origins=Origins(group, origins),
        )
        return Entrance(group, args)

    def _approval(self, region: Region) -> dict[str, Any]:
        """The private link service of a region, and what the edge's request to it says."""
        service = self._contracts[region.name]["pls_id"]
        return {"region": region.name, "service": service, "message": asked_by(self._site, region)}
