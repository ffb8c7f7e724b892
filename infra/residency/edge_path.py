"""Where the edge sends users: origin groups, endpoints, traffic profiles and DNS names stay in one group. Pure.

The edge itself is everywhere: users meet it wherever they are, and it passes on and keeps nothing. Its access logs are
the exception, since they hold users' addresses and come from all groups to one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.azure.schema import Request
from infra.blueprint.naming import region_code
from infra.blueprint.placement import home
from infra.fleet import Fleet
from infra.residency.law import lawful, shown, stay
from infra.residency.replication import find, leads, walk
from infra.residency.territory import Territory, is_id
from infra.residency.violation import Violation
from infra.yamlfile.problem import Place

ORIGIN = "microsoft.cdn/profiles/origingroups/origins"
ROUTE = "microsoft.cdn/profiles/afdendpoints/routes"
RULE = "microsoft.cdn/profiles/rulesets/rules"
POLICY = "microsoft.network/frontdoorwebapplicationfirewallpolicies"
TRAFFIC = "microsoft.network/trafficmanagerprofiles"
RECORD = "microsoft.network/dnszones/"
ADDRESS = "RequestIPAddress"  # what log scrubbing calls a user's address: learn.microsoft.com/azure/frontdoor


def audit_edge(land: Territory) -> Iterator[Violation]:
    """Every way of the edge that leads users of one residency group to another."""
    yield from _origins(land)
    yield from _endpoints(land)
    for request in land.requests:
        if request.type.lower() == TRAFFIC:
            yield from _traffic(land, request)
        if request.type.lower().startswith(RECORD):
            yield from _record(land, request)


def scrubbed(land: Territory, setting: Request) -> bool:
    """Whether the logs that a diagnostic setting of the edge sends hold no addresses of users."""
    profile = land.known.get(setting.id.lower().partition("/providers/microsoft.insights/")[0])
    makers = [(profile.body, "properties.logScrubbing")] if profile else []
    makers += [(one.body, "properties.policySettings.logScrubbing") for one in land.requests if _is(one, POLICY)]
    return bool(makers) and all(_scrubs(body, path) for body, path in makers)


def _scrubs(body: dict[str, Any], path: str) -> bool:
    found = find(body, path)
    on = bool(found) and found[0][1].get("state") == "Enabled"
    rules = find(body, f"{path}.scrubbingRules[]")
    return on and any(rule.get("matchVariable") == ADDRESS and rule.get("state") != "Disabled" for _, rule in rules)


def _origins(land: Territory) -> Iterator[Violation]:
    """The origins of one group are regions of one residency group, and of the one that its name says."""
    for group, ways in _led(land).items():
        yield from _one_group(land, f"origin group {group.rpartition('/')[2]}", group, ways)
    for origin in (one for one in land.requests if _is(one, ORIGIN)):
        group = _group(land.fleet, _region_of(land, _target(origin)[1]))
        for lead in leads(origin):
            if group and not lawful(land.fleet, group, lead.location):
                path = f"origin {origin.name} -> {lead.path} -> {shown(lead.location)}"
                yield Violation(path, stay(land.fleet, group), _place(land.fleet, group))


def _endpoints(land: Territory) -> Iterator[Violation]:
    """The routes of one endpoint, and the rules on them, lead to one residency group."""
    led = _led(land)
    ways: dict[str, list[tuple[str, str]]] = {}
    for route in (one for one in land.requests if _is(one, ROUTE)):
        endpoint = route.id.lower().partition("/routes/")[0]
        for path, group in _targets(land, route):
            ways.setdefault(endpoint, []).extend((f"{path} -> {way}", place) for way, place in led.get(group, []))
    for endpoint, found in ways.items():
        yield from _one_group(land, f"endpoint {endpoint.rpartition('/')[2]}", endpoint, found)


def _targets(land: Territory, route: Request) -> Iterator[tuple[str, str]]:
    """The origin groups that a route sends users to, itself or by a rule."""
    name = f"route {route.name}"
    for path, group in find(route.body, "properties.originGroup.id"):
        yield f"{name} -> {path} -> {str(group).rpartition('/')[2]}", str(group).lower()
    sets = tuple(f"{str(value).lower()}/" for _, value in find(route.body, "properties.ruleSets[].id"))
    for rule in (one for one in land.requests if _is(one, RULE) and one.id.lower().startswith(sets)):
        for path, group in walk(rule.body):
            if path.endswith("originGroup.id"):
                yield f"{name} -> rule {rule.name} -> {path} -> {str(group).rpartition('/')[2]}", str(group).lower()


def _led(land: Territory) -> dict[str, list[tuple[str, str]]]:
    """Origin group -> for each of its origins, the way there and the residency group it ends in (empty: not known)."""
    led: dict[str, list[tuple[str, str]]] = {}
    for origin in (one for one in land.requests if _is(one, ORIGIN)):
        path, target = _target(origin)
        region = _region_of(land, target)
        way = f"{origin.name} -> {path} -> {target.rpartition('/')[2]} in {region or 'a place nobody here knows'}"
        led.setdefault(origin.id.lower().partition("/origins/")[0], []).append((way, _group(land.fleet, region)))
    return led


def _target(origin: Request) -> tuple[str, str]:
    paths = ("properties.sharedPrivateLinkResource.privateLink.id", "properties.azureOrigin.id", "properties.hostName")
    found = [(path, str(value)) for path in paths for _, value in find(origin.body, path)]
    return found[0] if found else (paths[-1], "nowhere")


def _traffic(land: Territory, profile: Request) -> Iterator[Violation]:
    """Traffic Manager by anything but geography sends users of all groups to all endpoints."""
    if find(profile.body, "properties.trafficRoutingMethod") == [("properties.trafficRoutingMethod", "Geographic")]:
        return
    ways = []
    for path, endpoint in find(profile.body, "properties.endpoints[]"):
        inner = endpoint.get("properties", {})
        target = str(inner.get("targetResourceId") or inner.get("endpointLocation") or inner.get("target"))
        region = _region_of(land, target)
        ways.append((f"{path} -> {target.rpartition('/')[2]}", _group(land.fleet, region)))
    yield from _one_group(land, f"traffic profile {profile.name}", profile.id, ways)


def _record(land: Territory, record: Request) -> Iterator[Violation]:
    """A DNS name that says one residency group does not stand for what belongs to another."""
    ways = []
    for path, value in walk(record.body.get("properties", {})):
        said = _said(land.fleet, str(value)) if isinstance(value, str) else ""
        ways += [(f"properties.{path} -> {str(value).rpartition('/')[2]}", said)] if said else []
    yield from _one_group(land, f"DNS record {record.name}", record.id, ways)


def _one_group(land: Territory, what: str, arm_id: str, ways: list[tuple[str, str]]) -> Iterator[Violation]:
    """The ways that do not end in the residency group that the name says, or else the first way."""
    own = _said(land.fleet, arm_id) or next((group for _, group in ways if group), "")
    for way, group in ways:
        if group != own:
            ends = f"that is in {group}, and" if group else "nobody here knows where that is, and"
            why = f"{ends} users of {own or home(land.fleet).residency} stay inside"
            yield Violation(f"{what} -> {way}", why, _place(land.fleet, own))


def _region_of(land: Territory, target: str) -> str:
    """The name of the region that an ARM id, a host or an Azure region leads to; empty where nobody can know."""
    if is_id(target):
        found = land.region(target)
        return found.name if found else ""
    words = set(_words(target))
    regions = land.fleet.regions
    return next((one.name for one in regions if words & {one.name, one.location, region_code(one.location)}), "")


def _said(fleet: Fleet, arm_id: str) -> str:
    """The residency group that the last name in an id, or a host, has as a word; empty where it has none or two."""
    name = arm_id.rstrip("/.").rpartition("/")[2]
    found = [word for word in _words(name) if word in fleet.residency and word != fleet.name]
    return found[0] if len(found) == 1 else ""


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", name.lower())


def _group(fleet: Fleet, region: str) -> str:
    return next((one.residency for one in fleet.regions if one.name == region), "")


def _place(fleet: Fleet, group: str) -> Place:
    return ("residency", group, "jurisdictions") if group else ("residency",)


def _is(request: Request, kind: str) -> bool:
    return request.type.lower() == kind
