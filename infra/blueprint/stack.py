"""The Pulumi stacks of a fleet: their names and order, what they need, and all that each may know of the fleet. Pure.

A program sees nothing but `inputs`: what is not in there does not exist for it. So the stacks that an edit of the fleet
file can change are those whose inputs differ, whatever the programs do with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import yaml

from infra.blueprint.naming import Naming
from infra.fleet import Azure, Fleet
from infra.region import Region
from infra.service import Service
from infra.yamlfile.part import Part

P = TypeVar("P", bound=Part)

Kind = Literal["base", "region", "platform", "edge"]
KINDS: tuple[Kind, ...] = ("base", "region", "platform", "edge")
"""In the order they are made; references point only backwards along it."""

CONTRACT = 1
"""Version of what a stack exports for those above it, in its output `contract`."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack: a program of infra/stacks, for one fleet and, where it has one per region, one region."""

    kind: Kind
    fleet: str
    environment: str
    region: str | None
    source: str
    """Where the fleet file is, as --fleet says it: a name of ours, or a path."""

    @property
    def project(self) -> str:
        """The Pulumi project, as Pulumi.yaml of the program calls it."""
        return f"fleet-{self.kind}"

    @property
    def name(self) -> str:
        """<fleet>-<environment>[-<region>]."""
        return Naming(self.fleet, self.environment, "").stack(self.region)

    @property
    def reference(self) -> str:
        """How other stacks refer to it, in a backend of one's own."""
        return f"organization/{self.project}/{self.name}"

    @property
    def folder(self) -> str:
        """The folder of its program, below the repository."""
        return f"infra/stacks/{self.kind}"

    def config(self) -> dict[str, str]:
        """All that the program is told: where the fleet file is, and which region."""
        return {"fleet": self.source} | ({"region": self.region} if self.region else {})


@dataclass(frozen=True, slots=True)
class Sight:
    """The fields that a kind of stack may know; all others are not there when it asks."""

    fleet: frozenset[str]
    azure: frozenset[str]
    region: frozenset[str]
    service: frozenset[str] = frozenset()


_ALL = frozenset({"apiVersion", "name", "environment", "owner", "azure", "residency", "regions", "services"})
_ACCOUNT = frozenset({"tenant", "subscription", "admins", "domain"})
_PLACE = frozenset({"name", "location", "residency"})

SIGHT: dict[Kind, Sight] = {
    # Names and places of all regions: registry replicas, allowed locations. No pool, no address, no traffic.
    "base": Sight(_ALL, _ACCOUNT, _PLACE),
    # One region, but not where it fails over to (that is the edge's), nor what rollouts leave of it.
    "region": Sight(
        _ALL | {"budget"},
        frozenset(Azure.model_fields),
        frozenset(Region.model_fields) - {"failover", "capacity_floor"},
        frozenset({"name", "pool"}),
    ),
    # One region's pools and services, with the releases that services begin with.
    "platform": Sight(
        _ALL,
        _ACCOUNT,
        _PLACE | {"pools"},
        frozenset({"name", "pool", "release"}),
    ),
    # Where users are sent, and how much of what they may send.
    "edge": Sight(_ALL, _ACCOUNT, _PLACE | {"failover", "traffic"}, frozenset({"name", "limits"})),
}


def stacks(fleet: Fleet, source: str = "") -> tuple[Stack, ...]:
    """Every stack of a fleet, in the order they are made. `source` is what --fleet said; the fleet's name if empty."""
    return tuple(stack for kind in KINDS for stack in _of_kind(kind, fleet, source or fleet.name))


def find(fleet: Fleet, kind: Kind, region: str | None = None, source: str = "") -> Stack:
    """One stack. Raises NotInFleet where the region is not in the fleet, or is not said and there are several."""
    place = fleet.region(region).name if kind in ("region", "platform") else None
    return Stack(kind, fleet.name, fleet.environment, place, source or fleet.name)


def needs(stack: Stack, all_stacks: tuple[Stack, ...]) -> tuple[Stack, ...]:
    """The stacks whose outputs it reads, all of them made before it. No region's stack needs another region's."""
    before = KINDS[: KINDS.index(stack.kind)]
    near = [other for other in all_stacks if stack.region is None or other.region in (None, stack.region)]
    return tuple(other for other in near if other.kind in before)


def inputs(stack: Stack, fleet: Fleet) -> Fleet:
    """All that a stack may know of the fleet. A field that is not for it is not there to be read."""
    sight = SIGHT[stack.kind]
    regions = tuple(region for region in fleet.regions if stack.region in (None, region.name))
    groups = {region.residency for region in regions}
    return _only(
        fleet,
        sight.fleet,
        azure=_only(fleet.azure, sight.azure) if fleet.azure else None,
        regions=tuple(_only(region, sight.region) for region in regions),
        services=tuple(_only(service, sight.service) for service in _served(stack, regions, fleet)),
        residency={name: group for name, group in fleet.residency.items() if name in groups},
    )


def affected(old: Fleet, new: Fleet) -> frozenset[Stack]:
    """The stacks that an edit can change, make or remove; all others are as they were, by construction."""
    before = {stack: inputs(stack, old) for stack in stacks(old)}
    after = {stack: inputs(stack, new) for stack in stacks(new)}
    return frozenset(stack for stack in before.keys() | after.keys() if before.get(stack) != after.get(stack))


def config_file(stack: Stack, written: str = "") -> str:
    """The text of Pulumi.<stack>.yaml. Of `written`, the file as it is, all stays that is not ours: what the engine
    keeps there, and settings such as `unguarded` that a person made."""
    kept = yaml.safe_load(written) or {}
    lines = {f"{stack.project}:{key}": value for key, value in stack.config().items()}
    engines = {key: kept[key] for key in ENGINES if key in kept}
    return yaml.safe_dump(engines | {"config": {**(kept.get("config") or {}), **lines}}, sort_keys=False)


ENGINES = ("secretsprovider", "encryptedkey", "encryptionsalt")
"""What the engine itself keeps in Pulumi.<stack>.yaml."""


def _of_kind(kind: Kind, fleet: Fleet, source: str) -> list[Stack]:
    places = [region.name for region in fleet.regions] if kind in ("region", "platform") else [None]
    return [Stack(kind, fleet.name, fleet.environment, place, source) for place in places]


def _served(stack: Stack, regions: tuple[Region, ...], fleet: Fleet) -> list[Service]:
    """The services that a stack has to do with: those of its region, else all; none where it knows of none."""
    services = fleet.services if SIGHT[stack.kind].service else ()
    return [one for one in services if stack.region is None or any(region.pool(one.pool) for region in regions)]


def _only(part: P, fields: frozenset[str], **replaced: object) -> P:
    shown = part.model_copy(update=replaced)
    for field in type(part).model_fields.keys() - fields:
        del shown.__dict__[field]
    return shown
