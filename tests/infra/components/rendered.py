"""Fleets as they would be asked of Azure: the real programs, run against a recorder and an emulated subscription."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.azure.schema import Request
from infra.azure.subscription import Subscription
from infra.blueprint.stack import Kind, Stack, stacks
from infra.components.grant import ROLES
from infra.fleet import Fleet, load_fleet, locate
from infra.region import Pool, Region
from infra.rendering.computed import Computed
from infra.rendering.recording import Recorder, Registered
from infra.rendering.rehearsal import rehearse

PROGRAMS = Path(__file__).parents[3] / "infra" / "stacks"
FEATURES = Path(__file__).parents[2] / "cases" / "region" / "features.yaml"
REFERENCES: dict[str, str | Path] = {"features": FEATURES, "demo": "demo", "atlas": "atlas"}
"""The fleets that must have everything that a fleet must have."""


def called(fleet: str, region: str) -> str:
    """The name of a region among those of all these fleets."""
    return region if fleet == "features" else f"{fleet}-{region}"


@dataclass(frozen=True)
class Rendered:
    """One stack: what it asks for, and how Pulumi is to treat it."""

    fleet: Fleet
    region: str
    """Empty for a stack of no region."""
    recorder: Recorder

    @property
    def place(self) -> Region:
        return self.fleet.region(self.region)

    @property
    def requests(self) -> list[Request]:
        return list(self.recorder.requests.values())

    def all(self, kind: str) -> list[Request]:
        """Every request of an ARM type, such as Microsoft.Network/virtualNetworks."""
        return [request for request in self.requests if request.type.lower() == kind.lower()]

    def one(self, kind: str) -> Request:
        """The only request of a type."""
        (request,) = self.all(kind)
        return request

    def properties(self, kind: str) -> dict[str, Any]:
        """The properties of the only request of a type."""
        return dict(self.one(kind).body["properties"])

    @property
    def cluster(self) -> dict[str, Any]:
        return self.properties("Microsoft.ContainerService/managedClusters")

    @cached_property
    def pools(self) -> dict[str, Request]:
        """Agent pools that are resources of their own, by name, in the order they are made."""
        return {request.name: request for request in self.all("Microsoft.ContainerService/managedClusters/agentPools")}

    def pool(self, name: str) -> dict[str, Any]:
        return dict(self.pools[name].body["properties"])

    def pools_that(self, wanted: Callable[[Pool], bool]) -> list[tuple[Pool, dict[str, Any]]]:
        """Pools of the fleet file that are so, each with the properties of its agent pool."""
        found = [pool for pool in self.place.pools if wanted(pool)]
        return [(pool, self.pool(f"{pool.name}g{pool.generation}")) for pool in found]

    def granted(self, role: str) -> list[Request]:
        """Assignments of a role, by the role's name."""
        found = self.all("Microsoft.Authorization/roleAssignments")
        return [one for one in found if one.body["properties"]["roleDefinitionId"].endswith(ROLES[role])]

    @property
    def subnets(self) -> dict[str, dict[str, Any]]:
        """Properties of each subnet by name."""
        found = self.properties("Microsoft.Network/virtualNetworks")["subnets"]
        return {one["name"]: one["properties"] for one in found}

    @property
    def endpoints(self) -> list[tuple[str, str]]:
        """What private endpoints lead to: resource and kind."""
        found = self.all("Microsoft.Network/privateEndpoints")
        connections = [one.body["properties"]["privateLinkServiceConnections"] for one in found]
        ways = [connection["properties"] for (connection,) in connections]
        return [(way["privateLinkServiceId"], way["groupIds"][0]) for way in ways]

    def waited_for(self, request: Request) -> set[str]:
        """Ids of everything that must be there before a resource is made."""
        by_urn = {one.urn: one for one in self.recorder.registered.values()}
        seen: set[str] = set()
        todo = [self.registered[request.id]]
        while todo:
            before = [by_urn[urn] for urn in todo.pop().depends_on if urn in by_urn and urn not in seen]
            seen |= {one.urn for one in before}
            todo += before
        return {by_urn[urn].id for urn in seen}

    @cached_property
    def registered(self) -> Mapping[str, Registered]:
        """By ARM id."""
        return {one.id: one for one in self.recorder.registered.values() if one.id}

    def options(self, request: Request) -> Registered:
        return self.registered[request.id]

    def objects(self, kind: str) -> dict[str, dict[str, Any]]:
        """Kubernetes objects of a kind, by name."""
        found = [one for one in self.recorder.objects.values() if one["kind"] == kind]
        return {one["metadata"]["name"]: one for one in found}

    @property
    def outputs(self) -> dict[str, Any]:
        return self.recorder.outputs


def scope(assignment: Request) -> str:
    """What a role is assigned for."""
    return assignment.id.partition("/providers/Microsoft.Authorization")[0]


@dataclass(frozen=True)
class RenderedFleet:
    """A fleet with all of its stacks."""

    fleet: Fleet
    stacks: Mapping[tuple[Kind, str], Rendered]

    @property
    def base(self) -> Rendered:
        return self.stacks["base", ""]

    @property
    def edge(self) -> Rendered:
        return self.stacks["edge", ""]

    def regions(self, kind: Kind) -> list[Rendered]:
        """The stacks `region` or `platform` of all regions, in the order of the file."""
        return [self.stacks[kind, region.name] for region in self.fleet.regions]


def render_fleet(fleet_file: str | Path) -> RenderedFleet:
    """A whole fleet."""
    return RenderedFleet(load_fleet(fleet_file), _rendered(fleet_file, lambda stack: True))


def render(fleet_file: str | Path, *regions: str, azure: Subscription | None = None) -> dict[str, Rendered]:
    """Regions of a fleet, after its base. The same fleet gives the same requests."""
    wanted = {"base": (None,), "region": regions}
    found = _rendered(fleet_file, lambda stack: stack.region in wanted.get(stack.kind, ()), azure)
    return {region: made for (kind, region), made in found.items() if kind == "region"}


def subscription(fleet: Fleet) -> Subscription:
    """The fleet's subscription with nothing in it: no resource, no feature."""
    assert fleet.azure is not None
    return Subscription(fleet.azure.subscription, fleet.azure.tenant)


def _rendered(
    fleet_file: str | Path, wanted: Callable[[Stack], bool], azure: Subscription | None = None
) -> dict[tuple[Kind, str], Rendered]:
    fleet, here = load_fleet(fleet_file), Path.cwd()
    azure = azure or subscription(fleet)
    references: dict[str, Mapping[str, Any]] = {}
    computed = Computed({azure.id, azure.tenant})
    found: dict[tuple[Kind, str], Rendered] = {}
    for stack in filter(wanted, stacks(fleet, str(locate(fleet_file).absolute()))):
        recorder = rehearse(stack, PROGRAMS / stack.kind, azure, references, computed)
        references[stack.reference] = recorder.outputs
        found[stack.kind, stack.region or ""] = Rendered(fleet, stack.region or "", recorder)
    os.chdir(here)
    return found
