"""A load that is sent from elsewhere: what was asked for -> its order, under the same guards. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cli.commands.load.ordering import Elsewhere, Given, elsewhere
from infra.errors import InvalidInput

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from infra.region import Region
    from loadtests.order import Order

NOT_WRITTEN = "nothing was written"


def leaving(fleet: Fleet, given: Given, place: Elsewhere, hosts: Sequence[str]) -> Order:
    """The order, at the only one of `hosts` (names below the fleet's domain) where `place` has no URL.

    Raises InvalidInput for what cannot be sent, Refused for a host or a rate that nobody allowed.
    """
    if given.service is None:
        names = ", ".join(service.name for service in fleet.services)
        raise InvalidInput(f"say what to send to: --service ({names})", not_done=NOT_WRITTEN)
    at = place if place.url else replace(place, url=_ours(fleet, hosts))
    return elsewhere(fleet, given, at)


def _ours(fleet: Fleet, hosts: Sequence[str]) -> str:
    if fleet.azure is None:
        what = f"the fleet {fleet.name} names no domain that it answers under; say where to send to: --target URL"
        raise InvalidInput(what, not_done=NOT_WRITTEN)
    if len(hosts) != 1:
        what = f"users call {len(hosts)} hosts for it: {', '.join(sorted(hosts))}; say which by --region or --target"
        raise InvalidInput(what, not_done=NOT_WRITTEN)
    return f"https://{hosts[0]}.{fleet.azure.domain}"


def regions(fleet: Fleet, service: str, names: Sequence[str]) -> tuple[Region, ...]:
    """The regions of these names, or all that have the service. Raises InvalidInput for one that has it not."""
    having = fleet.regions_of(service)
    asked = tuple(fleet.region(name) for name in dict.fromkeys(names)) or having
    for one in asked:
        if one not in having:
            what = f"{service} does not run in {one.name}; it runs in {', '.join(region.name for region in having)}"
            raise InvalidInput(what, not_done=NOT_WRITTEN)
    return asked
