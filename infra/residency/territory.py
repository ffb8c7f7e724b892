"""Whose data a resource holds and where it lies: ARM ids and locations against the fleet's residency groups. Pure.

A region's resources are in its resource groups, whose names hold the code of its location (infra/blueprint/naming.py).
What is in none of them belongs to the fleet as a whole and lies at home. Knows no property of any resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from infra.azure.facts import regions
from infra.azure.schema import Request
from infra.blueprint.naming import region_code
from infra.blueprint.placement import home
from infra.fleet import Fleet
from infra.region import Region
from infra.residency.replication import normal

_ID = re.compile(r"^/subscriptions/([^/]+)(?:/resourcegroups/([^/]+))?", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9]+")
_PROVIDER = re.compile(r"/providers/([^/]+)/(.*?)(?=/providers/|$)", re.IGNORECASE)

EVERYWHERE = (  # what has one instance for all regions, so that it sees the data of all
    "microsoft.cdn/",
    "microsoft.network/frontdoorwebapplicationfirewallpolicies",
    "microsoft.network/trafficmanagerprofiles",
    "microsoft.network/dnszones",
)


@dataclass(frozen=True)
class Territory:
    """The groups of a fleet, and the resources that are to be made in them."""

    fleet: Fleet
    requests: tuple[Request, ...]

    @cached_property
    def known(self) -> dict[str, Request]:
        """ARM id in lower case -> the request that makes it."""
        return {request.id.lower(): request for request in self.requests}

    @cached_property
    def names(self) -> dict[str, Request]:
        """The names that are unique in Azure, by which hosts, endpoints and settings call a resource."""
        return {request.name.lower(): request for request in self.requests if request.type.lower() in UNIQUE}

    @cached_property
    def codes(self) -> dict[str, Region]:
        """The code of a location, as names hold it -> the region there."""
        return {region_code(region.location): region for region in reversed(self.fleet.regions)}

    @cached_property
    def locations(self) -> dict[str, Region]:
        """Azure region -> the region there."""
        return {region.location: region for region in reversed(self.fleet.regions)}

    def region(self, arm_id: str) -> Region | None:
        """The region whose resource group an ARM id is in, or whose location is a word in it (network watchers)."""
        found = _ID.match(arm_id)
        group = (found[2] or "").lower().split("-") if found else []
        coded = [self.codes[word] for word in group if word in self.codes]
        words = _WORD.findall(arm_id.lower())
        return next(iter(coded or [self.locations[word] for word in words if word in self.locations]), None)

    def groups(self, arm_id: str) -> tuple[str, ...]:
        """The residency groups whose data a resource holds: all, where it serves all; its region's; else home's."""
        if serves_all(arm_id):
            return tuple(dict.fromkeys(region.residency for region in self.fleet.regions))
        return ((self.region(arm_id) or home(self.fleet)).residency,)

    def location(self, arm_id: str) -> str | None:
        """The Azure region that an ARM resource lies in; None where nobody here can know."""
        found = _ID.match(arm_id)
        if found is None or (self.fleet.azure and found[1].lower() != self.fleet.azure.subscription):
            return None
        made = [self.known[end] for end in _parents(arm_id.lower()) if end in self.known]
        places = [place for request in made if (place := normal(request.location)) in regions()]
        region = self.region(arm_id)
        return next(iter(places), region.location if region else home(self.fleet).location if made else None)


UNIQUE = frozenset(
    {
        "microsoft.storage/storageaccounts",
        "microsoft.keyvault/vaults",
        "microsoft.eventhub/namespaces",
        "microsoft.servicebus/namespaces",
        "microsoft.insights/datacollectionendpoints",
        "microsoft.monitor/accounts",
    }
)
"""Types whose names turn up in hosts and settings, and are like no other word."""


def type_of(arm_id: str) -> str:
    """The type of the resource that an ARM id names, in lower case: microsoft.storage/storageaccounts."""
    found = _PROVIDER.findall(arm_id)
    if not found:
        return "microsoft.resources/resourcegroups" if "/resourcegroups/" in arm_id.lower() else ""
    provider, rest = found[-1]
    return "/".join([provider, *rest.split("/")[::2]]).lower()


def serves_all(arm_id: str) -> bool:
    """Whether all regions share it: it is a part of the edge, or is set for the whole subscription as a policy is."""
    found = _ID.match(arm_id)
    kinds = ["/".join(words).lower() for words in _PROVIDER.findall(arm_id)]
    return any(kind.startswith(EVERYWHERE) for kind in kinds) or (found is not None and found[2] is None)


def is_id(value: str) -> bool:
    """Whether text is the ARM id of something in a subscription."""
    return _ID.match(value) is not None


def _parents(arm_id: str) -> Iterable[str]:
    """An id and those of what it is a part of: a subnet lies where its network does."""
    parts = arm_id.split("/")
    return ("/".join(parts[:end]) for end in range(len(parts), 8, -1))
