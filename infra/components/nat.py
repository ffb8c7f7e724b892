"""The way out of a region without a firewall: a NAT gateway with a prefix of public addresses that stays the same."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from infra.components.site import Site

PREFIX = 30  # four addresses, 64,512 connections each to one destination (learn.microsoft.com, "Azure NAT Gateway")
IDLE = 10  # minutes; streams that say nothing for longer are pinged by their engines


@dataclass(frozen=True, slots=True)
class NatArgs:
    """What a NAT gateway is made of."""

    site: Site
    zones: tuple[int, ...]


class Nat(pulumi.ComponentResource):
    """The NAT gateway; `gateway` is its id."""

    def __init__(self, name: str, args: NatArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Nat", name, None, opts)
        prefix = network.PublicIPPrefix(
            "addresses",
            public_ip_prefix_name=args.site.name("public address", "nat"),
            prefix_length=PREFIX,
            public_ip_address_version="IPv4",
            sku={"name": "Standard", "tier": "Regional"},
            zones=[str(zone) for zone in args.zones] or None,
            opts=args.site.guarded(self),  # others have these addresses in their lists of who may come in
            **args.site.placed(),
        )
        gateway = network.NatGateway(
            "nat",
            nat_gateway_name=args.site.name("NAT gateway"),
            sku={"name": "Standard"},
            public_ip_prefixes=[{"id": prefix.id}],
            idle_timeout_in_minutes=IDLE,
            opts=pulumi.ResourceOptions(parent=self),
            **args.site.placed(),
        )
        self.gateway: pulumi.Output[str] = gateway.id
        self.register_outputs({"gateway": self.gateway})
