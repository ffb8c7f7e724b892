"""Where a fleet keeps data, and where each copy of them lies: one answer for the programs and for the proof. Pure.

The programs place what these functions say, and infra/residency proves that nothing of it leaves its group. The rule
behind all of them: data stay in the region they arise in, and what must be copied is copied inside the group.
Only weights travel between groups: they are the same everywhere and stem from no user.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.azure.facts import regions
from infra.azure.pairs import vault_pair
from infra.fleet import Fleet
from infra.region import DataClass, Region
from infra.residency.law import lawful
from infra.service import Service
from infra.yamlfile.problem import Place

Redundancy = Literal["LocallyRedundant", "ZoneRedundant"]
Kept = DataClass | Literal["secrets", "configuration"]
"""The classes of the fleet file, secrets (held to the group's law, in no list), and configuration (may be anywhere)."""

SERVED: tuple[Kept, ...] = ("prompts", "completions", "weights")
"""What is on the machines of every service: what users send, what they get, and the model."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Something that keeps data: where it lies, which data, where copies of them lie and what makes the copies."""

    name: str
    kind: str
    location: str  # Azure region
    group: str  # residency group whose data these are
    data: tuple[Kept, ...]
    copies: tuple[str, ...] = ()  # Azure regions
    via: str = ""  # what leads the data there
    place: Place = ()  # what of the fleet file says so


def home(fleet: Fleet) -> Region:
    """The region of what a fleet has once (registry, DNS, state, edge profile): the first one of the fleet file.

    Only of a whole fleet: a program that is shown one region (infra/blueprint/stack.py) has it from the stack `base`.
    """
    return fleet.regions[0]


def registry_replicas(fleet: Fleet) -> tuple[str, ...]:
    """Azure regions with a replica of the registry beside home: those of regions whose group may keep weights."""
    wanted = [region.location for region in fleet.regions if "weights" in fleet.residency[region.residency].data]
    return tuple(dict.fromkeys(location for location in wanted if location != home(fleet).location))


def backup_redundancy(region: Region) -> Redundancy:
    """How a region's backups are kept: over its zones where Azure has them, and never in the paired region."""
    return "ZoneRedundant" if regions()[region.location].zones else "LocallyRedundant"


def log_sink(fleet: Fleet, region: Region) -> str:
    """The Azure region of the workspaces for logs and metrics of a region: its own."""
    return region.location


def vault_location(fleet: Fleet, region: Region) -> str:
    """The Azure region of a region's Key Vault: its own, unless Key Vault would copy it out of the group.

    Then it is the first one of the continent (with zones, if any has them) whose vaults stay under the group's laws:
    the private endpoint reaches further, and the secrets do not. No other region of the fleet has a say in it. Its own
    again where there is none; the proof of residency refuses that.
    """
    near = [name for name, facts in regions().items() if facts.continent == regions()[region.location].continent]
    choices = [region.location, *sorted(near, key=lambda name: (not regions()[name].zones, name))]
    return next((name for name in choices if _keeps_vaults(fleet, region.residency, name)), region.location)


def state_location(fleet: Fleet) -> str:
    """The Azure region of the state of the stacks: ids and settings of all regions, and no copy anywhere."""
    return home(fleet).location


def origin_groups(fleet: Fleet) -> dict[str, tuple[Region, ...]]:
    """Residency group -> its regions, in the order of the file: what one edge endpoint may send users to."""
    return {
        group: members
        for group in fleet.residency
        if (members := tuple(region for region in fleet.regions if region.residency == group))
    }


def edge_log_sink(fleet: Fleet) -> str:
    """The Azure region of the access logs of the edge: home. They come from all groups, so addresses are scrubbed."""
    return home(fleet).location


def placements(fleet: Fleet) -> tuple[Placement, ...]:
    """Everything of the fleet that keeps data, with every copy of them."""
    return (*_shared(fleet), *(found for number in range(len(fleet.regions)) for found in _regional(fleet, number)))


def _shared(fleet: Fleet) -> Iterator[Placement]:
    base, at = home(fleet), ("regions", 0, "residency")
    group, location, replicas = base.residency, base.location, registry_replicas(fleet)
    yield Placement("registry", "registry", location, group, ("weights",), replicas, "registry replication", at)
    yield Placement("state of the stacks", "storage", state_location(fleet), group, ("configuration",), place=at)
    yield _vault("the state", vault_location(fleet, base), group, at)
    yield Placement("access logs of the edge", "logs", edge_log_sink(fleet), group, ("telemetry",), place=at)


def _regional(fleet: Fleet, number: int) -> Iterator[Placement]:
    region, at = fleet.regions[number], ("regions", number, "residency")
    name, group, location = region.name, region.residency, region.location
    yield _vault(name, vault_location(fleet, region), group, at)
    sink = log_sink(fleet, region)
    yield Placement(f"logs and metrics of {name}", "logs", sink, group, ("telemetry",), place=at)
    kept = backup_redundancy(region)
    yield Placement(f"backups of {name}", "backup vault", location, group, ("backups",), via=kept, place=at)
    yield from _pools(region, number)
    yield from _services(fleet, region, number)


def _vault(owner: str, location: str, group: str, at: Place) -> Placement:
    copies = tuple(filter(None, [vault_pair(location)]))
    why = "Key Vault's own copy in the paired region"
    return Placement(f"key vault of {owner}", "key vault", location, group, ("secrets",), copies, why, at)


def _pools(region: Region, number: int) -> Iterator[Placement]:
    for place, pool in enumerate(region.pools):
        if pool.purpose == "training":
            name, at = f"disks of {pool.name} in {region.name}", ("regions", number, "pools", place, "purpose")
            yield Placement(name, "pool", region.location, region.residency, ("training", "weights"), place=at)


def _services(fleet: Fleet, region: Region, number: int) -> Iterator[Placement]:
    """What users send and get is where a service runs, and wherever it leads them when it or its region is down."""
    for place, service in enumerate(fleet.services):
        if region.pool(service.pool):
            at: Place = ("regions", number, "failover" if region.failover else "residency")
            yield _served(region, service, _failover(fleet, region), "failover", at)
            if elsewhere := _fallback(fleet, region, service):
                yield _served(
                    region, service, elsewhere, f"fallback {service.fallback}", ("services", place, "fallback")
                )


def _served(region: Region, service: Service, copies: tuple[str, ...], via: str, at: Place) -> Placement:
    name, data = f"{service.name} in {region.name}", SERVED
    return Placement(name, "service", region.location, region.residency, data, copies, via, at)


def _failover(fleet: Fleet, region: Region) -> tuple[str, ...]:
    return tuple(other.location for name in region.failover for other in fleet.regions if other.name == name)


def _fallback(fleet: Fleet, region: Region, service: Service) -> tuple[str, ...]:
    """Where a fallback that does not run in the region would answer; nowhere else in a fleet file that is valid."""
    pools = {other.name: other.pool for other in fleet.services}
    pool = pools.get(service.fallback or "")
    there = [other.location for other in fleet.regions if pool and other.pool(pool)]
    return () if region.location in there else tuple(there)


def _keeps_vaults(fleet: Fleet, group: str, location: str) -> bool:
    """Whether a vault there stays under the laws of a group, with the copy that Azure makes of it."""
    copy = vault_pair(location)
    return lawful(fleet, group, location) and (copy is None or lawful(fleet, group, copy))
