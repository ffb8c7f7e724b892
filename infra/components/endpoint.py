"""A service of Azure inside a region's network: its private endpoint, and the name that leads there from the inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import network, privatedns

from infra.components.site import Site

# Group id of a private link -> the zone of its names (learn.microsoft.com, "Azure private endpoint private DNS zones").
ZONES = {
    "vault": "privatelink.vaultcore.azure.net",
    "registry": "privatelink.azurecr.io",
    "blob": "privatelink.blob.core.windows.net",
}


@dataclass(frozen=True, slots=True)
class EndpointArgs:
    """What a private endpoint is made of. The zone is the region's own: no other region can break its names."""

    site: Site
    kind: str
    target: pulumi.Input[str]
    subnet: pulumi.Input[str]
    vnet: pulumi.Input[str]


class Endpoint(pulumi.ComponentResource):
    """A private endpoint; what needs the name waits for `ready`."""

    def __init__(self, name: str, args: EndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Endpoint", name, None, opts)
        self._args = args
        zone = self._zone()
        link = self._link(zone)
        endpoint = self._endpoint()
        names = self._names(endpoint, zone)
        self.ready: list[pulumi.Resource] = [link, names]
        self.register_outputs({"endpoint": endpoint.id})

    def _zone(self) -> Any:
        return privatedns.PrivateZone(
            f"{self._args.kind}-zone",
            private_zone_name=ZONES[self._args.kind],
            opts=pulumi.ResourceOptions(parent=self),
            **self._args.site.placed() | {"location": "global"},
        )

    def _link(self, zone: Any) -> pulumi.Resource:
        link: pulumi.Resource = privatedns.VirtualNetworkLink(
            f"{self._args.kind}-link",
            virtual_network_link_name="network",
            private_zone_name=zone.name,
            virtual_network={"id": self._args.vnet},
            registration_enabled=False,
            opts=pulumi.ResourceOptions(parent=self),
            **self._args.site.placed() | {"location": "global"},
        )
        return link

    def _endpoint(self) -> Any:
        kind = self._args.kind
        connection = {"name": kind, "private_link_service_id": self._args.target, "group_ids": [kind]}
        return network.PrivateEndpoint(
            f"{kind}-endpoint",
            private_endpoint_name=self._args.site.name("private endpoint", kind),
            subnet={"id": self._args.subnet},
            private_link_service_connections=[connection],
            opts=pulumi.ResourceOptions(parent=self),
            **self._args.site.placed(),
        )

    def _names(self, endpoint: Any, zone: Any) -> pulumi.Resource:
        names: pulumi.Resource = network.PrivateDnsZoneGroup(
            f"{self._args.kind}-names",
            private_dns_zone_group_name="default",
            private_endpoint_name=endpoint.name,
            resource_group_name=self._args.site.group,
            private_dns_zone_configs=[{"name": self._args.kind, "private_dns_zone_id": zone.id}],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return names
