"""What is in a subscription: ARM bodies by id, with what lies below what and what refers to what. Pure.

Knows nothing of rules. Ids are compared without case; they are given back as they were written first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from infra.azure.resource_id import is_resource, key, type_of

Body = dict[str, Any]


class Inventory:
    """Resources, found by id, by type, by what they lie in and by what they refer to."""

    def __init__(self) -> None:
        self._bodies: dict[str, Body] = {}
        self._ids: dict[str, str] = {}
        self._by_type: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._referring: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._references: dict[str, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._bodies)

    def get(self, id: str) -> Body | None:
        """The body itself, not a copy."""
        return self._bodies.get(key(id))

    def put(self, id: str, body: Body) -> None:
        """Add or replace a resource."""
        place = key(id)
        self._forget(place)
        self._bodies[place] = body
        self._ids.setdefault(place, id)
        self._by_type[type_of(id).lower()][place] = None
        self._references[place] = frozenset(key(found) for found in references(body)) - {place}
        for target in self._references[place]:
            self._referring[target][place] = None

    def drop(self, id: str) -> None:
        """Take a resource out, if it is there."""
        place = key(id)
        self._forget(place)
        self._by_type[type_of(id).lower()].pop(place, None)
        self._bodies.pop(place, None)
        self._ids.pop(place, None)

    def of_type(self, type: str) -> Iterator[tuple[str, Body]]:
        """Every resource of an ARM type."""
        for place in self._by_type.get(type.lower(), {}):
            yield self._ids[place], self._bodies[place]

    def below(self, scope: str) -> Iterator[tuple[str, Body]]:
        """A resource and all that lies in it: children, and extension resources at it."""
        top, inside = key(scope), f"{key(scope)}/"
        for place in [place for place in self._bodies if place == top or place.startswith(inside)]:
            yield self._ids[place], self._bodies[place]

    def referring(self, id: str) -> list[str]:
        """Ids of the resources whose bodies name this one, or something inside it that is not a resource itself."""
        return [self._ids[place] for place in self._referring.get(key(id), {})]

    def sorted(self) -> Mapping[str, Body]:
        """id -> body, by id."""
        return {self._ids[place]: self._bodies[place] for place in sorted(self._bodies)}

    def _forget(self, place: str) -> None:
        for target in self._references.pop(place, frozenset()):
            self._referring[target].pop(place, None)


def references(value: Any) -> Iterator[str]:
    """Every id of a resource in a body, in values and in keys (userAssignedIdentities has them as keys)."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if is_resource(name):
                yield name
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)
    elif is_resource(value):
        yield value
