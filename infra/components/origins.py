"""The regions of one residency group as origins of the edge, each reached by private link and by nothing else.

Front Door asks for the connection and somebody in the subscription must approve it: until then the origin is not
healthy and gets no traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import cdn

from infra.components.site import Site
from infra.region import Region

EVEN = 1000  # weight: regions that are equally near get equally much (1 to 1000: learn.microsoft.com/azure/frontdoor)
NEAR = 50  # ms; Front Door's own default for how much slower an origin may answer and still be equally near
SAMPLES, GOOD = 4, 3  # probes looked at, and how many must have been answered; Front Door's own defaults
PROBED = 30  # seconds between probes of one place of the edge, of which there are more than a hundred


@dataclass(frozen=True, slots=True)
class OriginsArgs:
    """What the origins of a residency group are made of."""

    site: Site
    profile: pulumi.Input[str]
    group: str
    regions: Sequence[Region]
    priorities: Mapping[str, int]
    contracts: Mapping[str, pulumi.Output[Any]]
    """By region: what its stack says of where users are answered (infra/blueprint/origin.py)."""


class Origins(pulumi.ComponentResource):
    """An origin group and its origins; a route waits for `ready`, since Front Door refuses one that leads nowhere."""

    def __init__(self, name: str, args: OriginsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:edge:Origins", name, None, opts)
        self._args = args
        group = self._group()
        self.id: pulumi.Output[str] = group.id
        self.ready = [self._origin(group, region) for region in args.regions]
        self.register_outputs({"id": self.id})

    def _group(self) -> Any:
        args = self._args
        probed = args.contracts[args.regions[0].name]["health_path"]
        probe = {"probe_request_type": "GET", "probe_protocol": "Https", "probe_interval_in_seconds": PROBED}
        return cdn.AFDOriginGroup(
            f"origins-{args.group}",
            origin_group_name=args.site.names.name("origin group", part=args.group),
            profile_name=args.profile,
            resource_group_name=args.site.group,
            session_affinity_state="Disabled",  # a session keeps its arm by a header, in the gateway
            load_balancing_settings={
                "sample_size": SAMPLES,
                "successful_samples_required": GOOD,
                "additional_latency_in_milliseconds": NEAR,
            },
            health_probe_settings={"probe_path": probed, **probe},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _origin(self, group: Any, region: Region) -> pulumi.Resource:
        args, contract = self._args, self._args.contracts[region.name]
        made: pulumi.Resource = cdn.AFDOrigin(
            f"origin-{region.name}",
            origin_name=args.site.names.name("origin", region.location, region.name),
            origin_group_name=group.name,
            profile_name=args.profile,
            resource_group_name=args.site.group,
            host_name=contract["host"],
            origin_host_header=contract["host"],
            http_port=80,
            https_port=443,
            enforce_certificate_name_check=True,
            priority=args.priorities[region.name],
            weight=EVEN,
            enabled_state="Enabled" if region.traffic == "open" else "Disabled",
            shared_private_link_resource={
                "private_link": {"id": contract["pls_id"]},
                "private_link_location": region.location,  # infra/preflight/fit.py knows those it may be
                "request_message": asked_by(args.site, region),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        return made


def asked_by(site: Site, region: Region) -> str:
    """What Front Door's request says to those who may approve it."""
    return f"{site.names.stack(region.name)}: the edge"
