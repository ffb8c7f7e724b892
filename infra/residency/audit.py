"""The audit of rendered requests: whatever leads data out of their residency group, by property or by reference. Pure.

What is not known to be harmless counts: a reference that leads out of the group is refused unless its type is listed
here as one that carries no data, and so is a target of which nobody here can know the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from infra.azure.facts import regions
from infra.azure.schema import Request
from infra.fleet import Fleet
from infra.region import DataClass
from infra.residency.edge_path import audit_edge, scrubbed
from infra.residency.law import keep, lawful, shown, stay, takes_weights
from infra.residency.replication import WORLD, leads, mentions, normal
from infra.residency.territory import EVERYWHERE, Territory, is_id, serves_all, type_of
from infra.residency.violation import Violation
from infra.yamlfile.problem import Place

KEEPS: dict[str, DataClass] = {
    "microsoft.operationalinsights/workspaces": "telemetry",
    "microsoft.monitor/accounts": "telemetry",
    "microsoft.insights/components": "telemetry",
    "microsoft.dataprotection/backupvaults": "backups",
    "microsoft.recoveryservices/vaults": "backups",
    "microsoft.containerregistry/registries": "weights",
}
"""ARM type -> the class of data that it exists to keep."""

REGISTRY = "microsoft.containerregistry/registries"
REPLICA = f"{REGISTRY}/replications"

SCRUB = "; access logs hold the addresses of users: scrub RequestIPAddress in the profile and in every firewall policy"

NO_DATA_LEAVE = (  # by what they refer to: rights, money, names, the hub of fleet updates
    "microsoft.authorization/roleassignments",
    "microsoft.authorization/roledefinitions",
    "microsoft.authorization/locks",
    "microsoft.consumption/",
    "microsoft.costmanagement/",
    "microsoft.containerservice/fleets",
    "microsoft.managedidentity/",
    "microsoft.network/privatednszones",
    "microsoft.resources/resourcegroups",
)
NO_DATA_COME = (  # to what they are: rights, names, the edge that users come by, people that are called
    "microsoft.authorization/",
    "microsoft.insights/actiongroups",
    "microsoft.managedidentity/",
    "microsoft.network/privatednszones",
    *EVERYWHERE,
)


def audit(fleet: Fleet, requests: Iterable[Request]) -> tuple[Violation, ...]:
    """Every violation among the requests that would make a fleet."""
    land = Territory(fleet, tuple(requests))
    each = (violation for request in land.requests for violation in _of_request(land, request))
    return tuple(dict.fromkeys((*each, *audit_edge(land))))


def _of_request(land: Territory, request: Request) -> Iterator[Violation]:
    groups, name = land.groups(request.id), f"{request.type} {request.name}"
    if request.type.lower() == REPLICA:
        yield from _replica(land, request, name)
        return
    ways = [(f"{lead.path} -> {lead.by}", lead.location) for lead in leads(request)]
    if serves_all(request.id):  # it is everywhere by itself: only what it keeps everywhere counts
        ways = [(path, location) for path, location in ways if location == WORLD]
    elif normal(request.location) in regions():
        ways.append(("location", normal(request.location)))
    for path, location in ways:
        if out := tuple(group for group in groups if not lawful(land.fleet, group, location)):
            yield Violation(f"{name} -> {path} -> {shown(location)}", stay(land.fleet, *out), _place(out))
    yield from _kept(land, request, name, groups)
    yield from _references(land, request, name, groups)


def _replica(land: Territory, request: Request, name: str) -> Iterator[Violation]:
    """A replica of the registry lies where a group keeps weights, whatever group home is in."""
    location = normal(request.location)
    if not takes_weights(land.fleet, location):
        why = "no region there has a group that keeps weights"
        yield Violation(f"{name} -> location -> registry replication -> {shown(location)}", why, ("residency",))


def _kept(land: Territory, request: Request, name: str, groups: tuple[str, ...]) -> Iterator[Violation]:
    """What exists to keep a class of data is where that class may be at all."""
    kind = KEEPS.get(request.type.lower())
    for group in groups:
        if kind and kind not in land.fleet.residency[group].data:
            path = f"{name} -> {kind} -> {shown(normal(request.location))}"
            yield Violation(path, keep(land.fleet, group, kind), ("residency", group, "data"))


def _references(land: Territory, request: Request, name: str, groups: tuple[str, ...]) -> Iterator[Violation]:
    """That a request refers to something that lies elsewhere, and is not known to carry no data."""
    kind = request.type.lower()
    if kind.startswith((*NO_DATA_LEAVE, *EVERYWHERE)) or (_is_edge_log(request) and scrubbed(land, request)):
        return
    advice = SCRUB if _is_edge_log(request) else ""
    for mention in mentions(request):
        for target in _targets(land, request, mention.value):
            if out := tuple(group for group in groups if not _may_refer(land, group, target)):
                path = f"{name} -> {mention.path} -> {_end(land, target)}"
                yield Violation(path, f"{stay(land.fleet, *out)}{advice}", _place(out))


def _end(land: Territory, target: str) -> str:
    place, name = land.location(target), target.rpartition("/")[2]
    return f"{name} in {shown(place)}" if place else f"{target}, of which nobody here knows where it lies"


def _targets(land: Territory, request: Request, value: str) -> Iterator[str]:
    """The ids of resources outside the request that a text names: it is an id, or has a unique name in it."""
    own = request.id.lower()
    if is_id(value):
        inside = "/resourcegroups/" in value.lower() and not f"{own}/".startswith(f"{value.lower().rstrip('/')}/")
        yield from [value] if inside and not value.lower().startswith(f"{own}/") else []
        return
    words = re.findall(r"[a-z0-9][a-z0-9-]*[a-z0-9]", value.lower())
    named = (land.names[word] for word in words if word in land.names)
    yield from (found.id for found in named if found.id.lower() != own and not own.startswith(f"{found.id.lower()}/"))


def _may_refer(land: Territory, group: str, target: str) -> bool:
    kind = type_of(target)
    if kind.startswith(NO_DATA_COME):
        return True
    if kind.startswith(REGISTRY):
        return "weights" in land.fleet.residency[group].data
    location = land.location(target)
    return location is not None and lawful(land.fleet, group, location) and group in land.groups(target)


def _is_edge_log(request: Request) -> bool:
    return request.type.lower() == "microsoft.insights/diagnosticsettings" and "/microsoft.cdn/" in request.id.lower()


def _place(groups: tuple[str, ...]) -> Place:
    """The rule in the fleet file that is broken."""
    return ("residency", groups[0], "jurisdictions")
