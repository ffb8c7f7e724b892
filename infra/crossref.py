"""What the parts of a fleet file say about each other: names that exist, names that are unique, rules over parts. Pure.

References are checked on the plain data and rules on the parts that are valid by themselves, so that one slip in a file
does not hide the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from infra.azure.facts import regions as azure_regions
from infra.policy import RolloutPolicy
from infra.region import Region, ResidencyGroup
from infra.suggest import hint
from infra.units import format_duration
from infra.yamlfile.document import part
from infra.yamlfile.problem import Place, Problem, brief, show
from infra.yamlfile.source import Source

PRODUCTION_BLOCK = 60.0  # seconds; without blocks, noise that lasts rolls back 35-39 % of good releases (simulated)
SMALL = ("demo", "dev")  # environments that may decide on less


@dataclass(frozen=True, slots=True)
class Reference:
    """Values at `uses` must be names at `targets`, both places with * for any key or item."""

    what: str
    uses: str
    targets: str


REFERENCES = (
    Reference("residency group", "regions.*.residency", "residency.*"),
    Reference("region", "regions.*.failover.*", "regions.*.name"),
    Reference("region", "services.*.rollout.waves.*.*", "regions.*.name"),
    Reference("pool", "services.*.pool", "regions.*.pools.*.name"),
    Reference("service", "services.*.fallback", "services.*.name"),
    Reference("load profile", "services.*.load", "load_profiles.*.name"),
    Reference("load profile", "services.*.rollout.load.profile", "load_profiles.*.name"),
    Reference("person", "on_call.layers.*.participants.*", "on_call.people.*.name"),
    Reference("person", "on_call.overrides.*.person", "on_call.people.*.name"),
    Reference("layer", "on_call.overrides.*.layer", "on_call.layers.*.name"),
    Reference("layer", "on_call.escalation.*.*.layers.*", "on_call.layers.*.name"),
)
UNIQUE = (
    *("regions.*.name", "regions.*.pools.*.name", "services.*.name", "load_profiles.*.name"),
    *("on_call.people.*.name", "on_call.layers.*.name"),
)

Found = Iterator[tuple[Place, str]]


def problems(source: Source) -> list[Problem]:
    """Every problem that parts of a fleet file have with each other."""
    data = source.data
    names = (*_references(data), *_twins(data), *_stages(data))
    found = (*names, *_places(data), *_addresses(data), *_fallbacks(data), *_services(data))
    return [source.problem(place, message) for place, message in found]


def find(data: Any, pattern: str) -> list[tuple[Place, Any]]:
    """Values at a place with * for any key or item; what is not there, or not of that shape, is left out."""
    found: list[tuple[Place, Any]] = [((), data)]
    for step in pattern.split("."):
        found = [(((*place, key)), inner) for place, value in found for key, inner in _steps(value, step)]
    return found


def _steps(value: Any, step: str) -> list[tuple[str | int, Any]]:
    match value:
        case dict() if step == "*":
            return list(value.items())
        case dict() if step in value:
            return [(step, value[step])]
        case list() if step == "*":
            return list(enumerate(value))
    return []


def _names(data: Any, pattern: str) -> list[str]:
    """The names at a place: the values, or the keys of a mapping of parts."""
    found = find(data, pattern)
    names = [place[-1] if pattern.endswith("*") else value for place, value in found]
    return [name for name in names if isinstance(name, str)]


def _references(data: Any) -> Found:
    for reference in REFERENCES:
        known = _names(data, reference.targets)
        for place, value in find(data, reference.uses):
            if isinstance(value, str) and value not in known:
                yield place, f"there is no {reference.what} {brief(value)}{hint(value, known)}"


def _twins(data: Any) -> Found:
    for pattern in UNIQUE:
        first: dict[tuple[Place, str], Place] = {}
        for place, name in find(data, pattern):
            if isinstance(name, str) and (other := first.setdefault((place[:-2], name), place)) != place:
                yield place, f"{brief(name)} is also the name of {show(other[:-1])}; names are unique"


def _stages(data: Any) -> Found:
    """A load stage asks for a rate, which a closed loop has not."""
    closed = [item["name"] for _, item in find(data, "load_profiles.*") if _text(item, "name") and item.get("closed")]
    for place, name in find(data, "services.*.rollout.load.profile"):
        if isinstance(name, str) and name in closed:
            yield place, f"{name} is a closed loop and has no rate; take a profile that says when requests come"


def _places(data: Any) -> Found:
    """Data stay under the law of their residency group, also when a region fails over."""
    groups = {name: part(ResidencyGroup, group) for (_, name), group in find(data, "residency.*")}
    home = {item["name"]: item.get("residency") for _, item in find(data, "regions.*") if _text(item, "name")}
    for place, region in find(data, "regions.*"):
        yield from _lawful(place, region, groups)
        for inner, name in find(region, "failover.*") if isinstance(region, dict) else ():
            yield from _stays((*place, *inner), name, region, home)


def _lawful(place: Place, region: Any, groups: dict[Any, ResidencyGroup | None]) -> Found:
    location, name = (region.get("location"), region.get("residency")) if isinstance(region, dict) else (None, None)
    group = groups.get(name) if isinstance(name, str) else None
    azure = azure_regions().get(location) if isinstance(location, str) else None
    if group and azure and azure.residency not in group.jurisdictions:
        allowed = ", ".join(group.jurisdictions)
        yield (*place, "residency"), f"{location} lies under {azure.residency}, the group {name} is for {allowed}"


def _stays(place: Place, name: Any, region: dict[str, Any], home: dict[Any, Any]) -> Found:
    if isinstance(name, str) and name == region.get("name"):
        yield place, f"{name} cannot fail over to itself"
    elif isinstance(name, str) and name in home and home[name] != region.get("residency"):
        yield place, f"{name} is in the residency group {home[name]}; traffic of {region.get('residency')} stays inside"


def _addresses(data: Any) -> Found:
    valid = [(place, model) for place, item in find(data, "regions.*") if (model := part(Region, item))]
    by_address = sorted(valid, key=lambda found: found[1].address_space)
    for (_, first), (place, second) in pairwise(by_address):  # of blocks that overlap, one holds the other
        if first.address_space.overlaps(second.address_space):
            message = f"{second.address_space} overlaps {first.address_space} of {first.name}"
            yield (*place, "address_space"), message


def _fallbacks(data: Any) -> Found:
    """A fallback leads somewhere: not around in a circle, and not to a region where it does not run."""
    services = {item["name"]: item for _, item in find(data, "services.*") if _text(item, "name")}
    for place, item in find(data, "services.*"):
        if _text(item, "name") and _text(item, "fallback"):
            yield from _circle((*place, "fallback"), item, services)
            yield from _runs_there(data, (*place, "fallback"), item, services.get(item["fallback"]))


def _circle(place: Place, item: dict[str, Any], services: dict[str, Any]) -> Found:
    way = [item["name"]]
    while isinstance(following := services.get(way[-1], {}).get("fallback"), str) and following not in way:
        way.append(following)
    if following == item["name"]:
        yield place, f"fallbacks go in a circle: {' -> '.join([*way, following])}"


def _runs_there(data: Any, place: Place, item: dict[str, Any], fallback: dict[str, Any] | None) -> Found:
    if fallback is None or not (_text(item, "pool") and _text(fallback, "pool")):
        return
    there = _regions_with(data, fallback["pool"])
    lost = [name for name in _regions_with(data, item["pool"]) if name not in there]
    if lost:
        yield place, f"{fallback['name']} does not run in {', '.join(lost)}, where {item['name']} does"


def _services(data: Any) -> Found:
    for place, item in find(data, "services.*"):
        if _text(item, "pool"):
            yield from _pool((*place, "pool"), data, item["pool"])
            yield from _waves((*place, "rollout", "waves"), data, item)
        policy = part(RolloutPolicy, item.get("rollout")) if isinstance(item, dict) else None
        if policy and data.get("environment") not in SMALL and policy.block < PRODUCTION_BLOCK:
            shown = f"{format_duration(policy.block)} is too short outside {' and '.join(SMALL)} environments"
            yield (*place, "rollout", "block"), f"{shown}: evidence needs blocks of at least 60s"


def _pool(place: Place, data: Any, name: str) -> Found:
    for _, pool in find(data, "regions.*.pools.*"):
        if isinstance(pool, dict) and pool.get("name") == name and pool.get("purpose") == "training":
            yield place, f"the pool {name} is for training; take one with purpose: serving"
            return


def _waves(place: Place, data: Any, item: dict[str, Any]) -> Found:
    named = [value for _, value in find(item, "rollout.waves.*.*") if isinstance(value, str)]
    runs = _regions_with(data, item["pool"])
    if named and (lost := [name for name in runs if name not in named]):
        yield place, f"no wave has {', '.join(lost)}, where the service runs"
    known = _names(data, "regions.*.name")
    if extra := [name for name in named if name in known and name not in runs]:
        yield place, f"the service does not run in {', '.join(extra)}: there is no pool {item['pool']}"


def _regions_with(data: Any, pool: str) -> list[str]:
    """Names of the regions that have a pool of that name."""
    regions = [item for _, item in find(data, "regions.*") if _text(item, "name")]
    return [region["name"] for region in regions if pool in _names(region, "pools.*.name")]


def _text(item: Any, key: str) -> bool:
    return isinstance(item, dict) and isinstance(item.get(key), str)
