"""The agent pools of a cluster, however they were made: inline or as resources of their own. Pure: reads values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.azure.resource_id import key, name_of, parent_of
from infra.azure.rules.overlap import CLUSTER, POOL
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

BOTH = (CLUSTER, POOL)


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool: its cluster's id, its name, and its properties, wherever they were written."""

    cluster: str
    name: str
    body: Mapping[str, Any]

    def read(self, path: str, default: Any = None) -> Any:
        """A property. Raises Undecided."""
        return read(self.body, path, default)

    @property
    def most(self) -> int:
        """The most machines it may have: the autoscaler's upper end, or the count."""
        scaled = self.read("enableAutoScaling", False)
        most = self.read("maxCount" if scaled else "count", 1)
        return most if isinstance(most, int) else 1

    @property
    def now(self) -> int:
        """The machines it begins with."""
        least = self.read("minCount", 0) if self.read("enableAutoScaling", False) else 1
        count = self.read("count", least)
        return count if isinstance(count, int) else 1

    @property
    def system(self) -> bool:
        """Whether it carries what Kubernetes itself needs."""
        return bool(self.read("mode", "User") == "System")

    @property
    def spot(self) -> bool:
        """Whether its machines may vanish."""
        return bool(self.read("scaleSetPriority", "Regular") == "Spot")


def asked(request: Request) -> list[Pool]:
    """The pools that a request writes: one, or those inline in a cluster."""
    if request.type.lower() == POOL.lower():
        return [Pool(parent_of(request.id), name_of(request.id), read(request.body, "properties", {}))]
    inline = rows(request.body, "properties.agentPoolProfiles")
    return [Pool(request.id, str(read(row, "name", "")), row) for row in inline]


def kept(cluster: str, world: World) -> Iterator[Pool]:
    """The pools that a cluster has now; a pool that is also inline counts once."""
    names = set()
    for id, body in world.inventory.of_type(POOL):
        if key(parent_of(id)) == key(cluster):
            names.add(name_of(id).lower())
            yield Pool(cluster, name_of(id), read(body, "properties", {}))
    for row in rows(world.inventory.get(cluster), "properties.agentPoolProfiles"):
        if str(read(row, "name", "")).lower() not in names:
            yield Pool(cluster, str(read(row, "name", "")), row)


def after(request: Request, world: World) -> list[Pool]:
    """The pools that the request's cluster has once the request is carried out."""
    new = asked(request)
    names = {pool.name.lower() for pool in new}
    cluster = cluster_of(request)
    return new + [pool for pool in kept(cluster, world) if pool.name.lower() not in names]


def everywhere(request: Request, world: World) -> Iterator[tuple[str, Pool]]:
    """Region and pool of every cluster of the subscription, once the request is carried out."""
    mine = cluster_of(request) if request.type.lower() in (CLUSTER.lower(), POOL.lower()) else ""
    for id, body in world.inventory.of_type(CLUSTER):
        if key(id) != key(mine):
            yield from ((str(body.get("location")), pool) for pool in kept(id, world))
    if mine:
        place = location(request, world)
        yield from ((place, pool) for pool in after(request, world))


def cluster_of(request: Request) -> str:
    """The id of the cluster that a request for a cluster or a pool is about."""
    return parent_of(request.id) if request.type.lower() == POOL.lower() else request.id


def cluster_body(request: Request, world: World) -> Mapping[str, Any]:
    """The cluster as the request wants it, or, for a pool, as it is."""
    if request.type.lower() == POOL.lower():
        return world.inventory.get(cluster_of(request)) or {}
    return request.body


def location(request: Request, world: World) -> str:
    """The region of the request's cluster."""
    place = read(cluster_body(request, world), "location", request.location)
    return place.replace(" ", "").lower() if isinstance(place, str) else ""
