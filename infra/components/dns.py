"""The fleet's zone in public DNS. Its parent must delegate to it once, by hand; the names in it are the edge's."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import dns

from infra.components.site import Site

ISSUER = "digicert.com"  # of Front Door's managed certificates: learn.microsoft.com/azure/frontdoor/domain
HOUR = 3600


@dataclass(frozen=True, slots=True)
class ZoneArgs:
    """What a zone is made of."""

    site: Site
    domain: str


class Zone(pulumi.ComponentResource):
    """The zone, in which nobody but Front Door's certificate authority may issue certificates."""

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:base:Zone", name, None, opts)
        group, site = args.site.group, args.site
        made = dns.Zone(
            "zone",
            zone_name=args.domain,
            zone_type="Public",
            opts=site.guarded(self),
            **site.placed() | {"location": "global"},
        )
        dns.RecordSet(
            "issuers",
            zone_name=made.name,
            resource_group_name=group,
            record_type="CAA",
            relative_record_set_name="@",
            ttl=HOUR,
            caa_records=[{"flags": 0, "tag": "issue", "value": ISSUER}],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id: pulumi.Output[str] = made.id
        self.name: pulumi.Output[str] = made.name
        self.servers: pulumi.Output[list[str]] = made.name_servers
        self.register_outputs({"id": self.id})
