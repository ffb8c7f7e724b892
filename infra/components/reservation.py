"""Capacity that is ours whether we use it or not: a group of reservations for one pool, one for each of its zones.

Neither size nor zones of what is reserved can be changed. So it is named for both: the next generation of a pool draws
on reservations of its own where it is of another size, and on the same ones where only its driver is another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import compute

from infra.components.grant import Grant, grant
from infra.components.site import Site


@dataclass(frozen=True, slots=True)
class ReservationArgs:
    """What is reserved, and for whom."""

    site: Site
    pool: str
    sku: str
    machines: Mapping[int | None, int]
    """Zone -> number of machines; the zone None where the region has none."""
    cluster: pulumi.Input[str]
    """Principal of the cluster, which must be allowed to use it."""

    @property
    def called(self) -> str:
        """Pool, size and zones, such as h100-nd96isrh100v5-123."""
        size = self.sku.removeprefix("Standard_").replace("_", "").lower()
        zones = "".join(str(zone) for zone in sorted(zone for zone in self.machines if zone))
        return "-".join(word for word in (self.pool, size, zones) if word)


class Reservation(pulumi.ComponentResource):
    """The reservation group; `group` is its id, and machines may be ordered from it once `ready` is there."""

    def __init__(self, name: str, args: ReservationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Reservation", name, None, opts)
        site, called, zones = args.site, args.called, [str(zone) for zone in args.machines if zone]
        group = compute.CapacityReservationGroup(
            f"{called}-group",
            capacity_reservation_group_name=site.name("capacity reservation group", called),
            zones=zones or None,
            opts=pulumi.ResourceOptions(parent=self),
            **site.placed(),
        )
        held = [
            compute.CapacityReservation(
                f"{called}-zone-{zone or 'none'}",
                capacity_reservation_name=site.name("capacity reservation", args.pool, zone or 1),
                capacity_reservation_group_name=group.name,
                sku={"name": args.sku, "capacity": number},
                zones=[str(zone)] if zone else None,
                opts=pulumi.ResourceOptions(parent=self),
                **site.placed(),
            )
            for zone, number in args.machines.items()
        ]
        # As AKS asks for it (learn.microsoft.com, "Use capacity reservation groups in AKS"); on the group alone.
        uses = Grant("Contributor", group.id, args.cluster)
        self.group: pulumi.Output[str] = group.id
        self.ready: list[pulumi.Resource] = [*held, grant(f"cluster-uses-{called}", site, uses, self)]
        self.register_outputs({"group": self.group})
