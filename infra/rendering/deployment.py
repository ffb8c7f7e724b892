"""Requests of one stack, parted into deployments: what one template can hold, and what must be done before it. Pure.

A template deploys into one scope, the subscription or a resource group; what lies elsewhere is a nested deployment
(learn.microsoft.com, "Subscription deployments with ARM templates"). Where a group waits for another and that for the
first again, each is parted into steps, so that no two deployments wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from infra.azure.resource_id import group_of, key, parent_of, type_of
from infra.azure.schema import Request

Before = Mapping[str, Collection[str]]
"""Id -> ids that come first."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What goes into one scope in one step, by id. `group` is empty for the subscription."""

    group: str
    step: int
    requests: tuple[Request, ...]


def ordered(requests: Iterable[Request], depends_on: Before) -> dict[str, frozenset[str]]:
    """Id -> the ids of these requests that come first: what was said, and what a resource lies in."""
    known = {key(request.id): request.id for request in requests}
    return {
        id: frozenset(known[one] for one in map(key, (*depends_on.get(id, ()), *_around(id))) if one in known)
        for id in known.values()
    }


def deployments(requests: Iterable[Request], before: Before) -> tuple[Deployment, ...]:
    """In an order in which they could be done one after the other; `before` as `ordered` gives it."""
    step: dict[str, int] = {}
    found: dict[tuple[int, str], list[Request]] = {}
    for request in sorted(requests, key=lambda request: key(request.id)):
        at = (_step(request.id, before, step), scope(request.id))
        found.setdefault(at, []).append(request)
    return tuple(Deployment(group, at, tuple(found[at, group])) for at, group in sorted(found))


def scope(id: str) -> str:
    """The resource group that a resource is deployed into; a group itself is the subscription's."""
    return group_of(id) if "/providers/" in id else ""


def _step(id: str, before: Before, known: dict[str, int]) -> int:
    """One more than of all that comes first in another scope, and never less than of what comes first in its own."""
    if id not in known:
        known[id] = max((_step(one, before, known) + (scope(one) != scope(id)) for one in before[id]), default=0)
    return known[id]


def _around(id: str) -> Iterable[str]:
    """What a resource lies in, up to its resource group."""
    while id := parent_of(id):
        yield id
        if type_of(id).lower() == "microsoft.resources/resourcegroups":
            return
