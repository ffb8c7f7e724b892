"""A fleet of three regions in two groups, rendered once; one of them is closed and only stands by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.azure.schema import Request
from infra.blueprint.stack import Kind
from infra.fleet import FLEETS, Fleet, load_fleet
from infra.rendering.render import Options, RenderedStack, render

KEPT = ("eastus2", "southcentralus", "swedencentral")


@dataclass(frozen=True)
class Whole:
    """The fleet, where its file is, and every stack of it as it would be deployed."""

    fleet: Fleet
    file: Path
    rendered: tuple[RenderedStack, ...]

    def stack(self, kind: Kind, region: str | None = None) -> RenderedStack:
        return next(one for one in self.rendered if (one.stack.kind, one.stack.region) == (kind, region))

    def all(self, kind: Kind, arm: str, region: str | None = None) -> dict[str, Request]:
        """Requests of an ARM type in a stack, by name."""
        found = self.stack(kind, region).requests
        return {request.name: request for request in found if request.type.lower() == arm.lower()}

    def one(self, kind: Kind, arm: str) -> dict[str, Any]:
        """The body of the only request of a type in a stack of no region."""
        [request] = self.all(kind, arm).values()
        return request.body

    def objects(self, region: str, kind: str) -> dict[str, dict[str, Any]]:
        """Kubernetes objects of a region's platform stack, by namespace/name."""
        found = [one for one in self.stack("platform", region).objects if one["kind"] == kind]
        return {f"{one['metadata'].get('namespace', '')}/{one['metadata']['name']}": one for one in found}

    def options(self, kind: Kind) -> Mapping[str, Options]:
        """How Pulumi treats the resources of a stack, by the last type and name in their ids."""
        return {"/".join(id.split("/")[-2:]): options for id, options in self.stack(kind).options.items()}


def whole(folder: Path) -> Whole:
    """The fleet, in a folder."""
    file = folder / "atlas.yaml"
    file.write_text(yaml.safe_dump(_fewer(), sort_keys=False), encoding="utf-8")
    limits = (FLEETS / "atlas.limits.json").read_text(encoding="utf-8")
    file.with_suffix(".limits.json").write_text(limits, encoding="utf-8")
    fleet = load_fleet(file)
    return Whole(fleet, file, render(fleet, file))


def _fewer() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((FLEETS / "atlas.yaml").read_text(encoding="utf-8"))
    data["regions"] = [region for region in data["regions"] if region["name"] in KEPT]
    data["regions"][1] |= {"traffic": "closed", "failover": []}
    data["regions"][2]["failover"] = []
    del data["residency"]["apac"]
    for service in data["services"]:
        service["rollout"]["waves"] = [[name] for name in KEPT]
    return data
