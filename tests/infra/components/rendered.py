"""Regions as they would be asked of Azure: the real programs, run against a recorder and an emulated subscription."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.azure.schema import Request
from infra.azure.subscription import Subscription
from infra.blueprint.stack import stacks
from infra.fleet import Fleet, load_fleet, locate
from infra.rendering.recording import Recorder, Registered
from infra.rendering.rehearsal import rehearse

PROGRAMS = Path(__file__).parents[3] / "infra" / "stacks"
FEATURES = Path(__file__).parents[2] / "cases" / "region" / "features.yaml"
INFINIBAND = "Microsoft.ContainerService/AKSInfinibandSupport"


@dataclass(frozen=True)
class Rendered:
    """One region's stack: what it asks for, and how Pulumi is to treat it."""

    fleet: Fleet
    region: str
    recorder: Recorder

    @cached_property
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

    def granted(self, role: str) -> list[Request]:
        """Assignments of a role, by the role's id."""
        found = self.all("Microsoft.Authorization/roleAssignments")
        return [request for request in found if request.body["properties"]["roleDefinitionId"].endswith(role)]

    @cached_property
    def registered(self) -> Mapping[str, Registered]:
        """By ARM id."""
        return {one.id: one for one in self.recorder.registered.values() if one.id}

    def options(self, request: Request) -> Registered:
        return self.registered[request.id]

    @property
    def outputs(self) -> dict[str, Any]:
        return self.recorder.outputs


def render(fleet_file: str | Path, *regions: str) -> dict[str, Rendered]:
    """Regions of a fleet, after its base. The same fleet gives the same requests."""
    fleet, here = load_fleet(fleet_file), Path.cwd()
    assert fleet.azure is not None
    azure = Subscription(fleet.azure.subscription, fleet.azure.tenant, features=frozenset({INFINIBAND}))
    references: dict[str, Mapping[str, Any]] = {}
    found: dict[str, Rendered] = {}
    for stack in stacks(fleet, str(locate(fleet_file).absolute())):
        if stack.kind == "base" or (stack.kind == "region" and stack.region in regions):
            recorder = rehearse(stack, PROGRAMS / stack.kind, azure, references)
            references[stack.reference] = recorder.outputs
            found |= {stack.region: Rendered(fleet, stack.region, recorder)} if stack.region else {}
    os.chdir(here)
    return found
