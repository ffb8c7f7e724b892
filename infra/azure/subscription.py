"""An emulated Azure subscription, as a value: what is in it, under way, or was there. Pure: no file, no clock.

Every change is one event, a plain dict; `apply` is all that changes it, so a file of events is the subscription.
Rules are asked in `begin`; what only Azure writes comes from computed.py.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.azure import cluster, computed, functions, private_link, rules
from infra.azure.inventory import Body, Inventory
from infra.azure.refusal import ArmError
from infra.azure.resource_id import key, type_of, within
from infra.azure.rules import immutable
from infra.azure.rules.overlap import scopes
from infra.azure.schema import Request
from infra.azure.values import written
from infra.azure.world import Limits

__all__ = ["ArmError", "Operation", "Subscription", "immutable"]

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that was accepted and is not done: a PUT with its body, or a DELETE (no body)."""

    number: int
    verb: str
    id: str
    body: Body | None
    scopes: tuple[str, ...]
    """What it keeps busy: ids, in lower case."""
    owner: Any = None
    """Who waits for it, in the words of whoever keeps the events."""


class Subscription:
    """One subscription in one tenant. `limits` makes quota rules speak; `features` are registered preview features;
    `taken` are names that others in Azure have, as type/name: Microsoft.KeyVault/vaults/kv-other."""

    def __init__(
        self,
        id: str,
        tenant: str,
        limits: Limits | None = None,
        features: frozenset[str] = frozenset(),
        taken: frozenset[str] = frozenset(),
    ) -> None:
        self.id = id
        self.tenant = tenant
        self.limits = limits
        self.taken = frozenset(name.lower() for name in taken)
        self.inventory = Inventory()
        self.met: frozenset[str] = frozenset()  # keys of faults that were met
        self.calls = 0  # calls that were counted by next_call
        self.soft_deleted: dict[str, Body] = {}
        self._features = frozenset(name.lower() for name in features)
        self._operations: dict[int, Operation] = {}
        self._number = 0
        self._objects: dict[str, dict[str, Body]] = {}
        self._events: list[Event] = []

    # What may be asked

    @property
    def features(self) -> frozenset[str]:
        """Registered preview features in lower case: microsoft.containerservice/aksinfinibandsupport."""
        return self._features | computed.registered(self.inventory)

    @property
    def busy(self) -> Mapping[str, str]:
        """What is under way: id in lower case -> what is done there."""
        return {scope: each.verb + " " + each.id for each in self._operations.values() for scope in each.scopes}

    def read(self, id: str) -> Body | None:
        """The full body of a resource, or nothing."""
        return copy.deepcopy(self.inventory.get(id))

    def resources(self) -> Mapping[str, Body]:
        """id -> full body of all resources, sorted by id. Not copies: do not change them."""
        return self.inventory.sorted()

    def operations(self) -> tuple[Operation, ...]:
        """What is under way."""
        return tuple(self._operations.values())

    def refusal(self, request: Request) -> ArmError | None:
        """Why a request would be refused now, or nothing; what is not known yet refuses nothing."""
        return rules.check(request, self)

    def call(self, function: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """What a function answers, such as authorization:getClientConfig. Raises ArmError."""
        return functions.call(self, function, args)

    # What changes it

    def begin(self, request: Request) -> Operation:
        """Accept a PUT; from now on it keeps busy what it is about. Raises ArmError where a rule refuses it."""
        if error := self.refusal(request):
            raise error
        return self._begin("PUT", request.id, computed.plain(request))

    def begin_removal(self, id: str) -> Operation:
        """Accept a DELETE. Raises ArmError where it is not there or where something needs it."""
        if self.inventory.get(id) is None:
            raise ArmError(404, "ResourceNotFound", f"The resource '{id}' was not found.")
        if error := rules.check_removal(id, type_of(id), self):
            raise error
        return self._begin("DELETE", id, None)

    def finish(self, operation: Operation) -> Body:
        """Carry an accepted operation out: the full body with what only Azure writes; nothing after a DELETE."""
        body = operation.body
        full = computed.complete(operation.id, body, self) if body is not None else None
        for event in self._effects(operation.id, full):
            self._emit(event)
        self._emit({"do": "end", "operation": operation.number})
        return copy.deepcopy(full or {})

    def put(self, request: Request) -> Body:
        """Begin and finish at once. Raises ArmError."""
        return self.finish(self.begin(request))

    def remove(self, id: str) -> None:
        """Delete at once, with all that lies in it. Raises ArmError."""
        self.finish(self.begin_removal(id))

    def change(self, id: str, path: str, value: Any) -> None:
        """Somebody changed it outside, past all rules; None takes out. Raises ArmError where it is not there."""
        if self.inventory.get(id) is None:
            raise ArmError(404, "ResourceNotFound", f"The resource '{id}' was not found.")
        self._emit({"do": "change", "id": id, "path": path, "value": value})

    def purge(self, id: str) -> None:
        """Free the name of a soft-deleted resource for good."""
        self._emit({"do": "purge", "id": id})

    def approve(self, link: str) -> int:
        """Approve every connection to a private link service (or to another target) that waits; how many."""
        waiting = list(private_link.waiting(self.inventory, link))
        for path in waiting:
            self.change(link, path, "Approved")
        return len(waiting)

    def next_call(self) -> int:
        """Count a call that changes something; its number, from 1, over the life of the subscription."""
        self._emit({"do": "call"})
        return self.calls

    def meet(self, fault: str) -> None:
        """Remember that the fault of this key was met."""
        self._emit({"do": "fault", "key": fault})

    # Objects inside a cluster

    def put_object(self, cluster_id: str, manifest: Body) -> Body:
        """Create or replace a Kubernetes object; what the cluster answers. Raises ArmError without a cluster."""
        full = cluster.admitted(self.inventory, cluster_id, manifest, self._kept(cluster_id))
        self._emit({"do": "object", "cluster": cluster_id, "key": cluster.object_key(manifest), "manifest": full})
        for id, body in cluster.made_by(self.inventory, cluster_id, full):
            self._emit({"do": "put", "id": id, "body": computed.complete(id, body, self)})
        return copy.deepcopy(full)

    def remove_object(self, cluster_id: str, name: str) -> None:
        """Delete the object of this key (cluster.object_key), with the Azure resources that it made."""
        if (manifest := self._kept(cluster_id).get(name)) is None:
            return
        for id, _ in cluster.made_by(self.inventory, cluster_id, manifest):
            self._emit({"do": "remove", "id": id})
        self._emit({"do": "unobject", "cluster": cluster_id, "key": name})

    def objects(self, cluster_id: str) -> Mapping[str, Body]:
        """Key -> object, sorted, of one cluster."""
        return dict(sorted(self._kept(cluster_id).items()))

    # Events

    def apply(self, event: Event) -> None:
        """Change it as an event says; an event of a later version that is not known changes nothing."""
        match event:
            case {"do": "put", "id": id, "body": body}:
                self.inventory.put(id, body)
                self.soft_deleted.pop(key(id), None)
            case {"do": "remove", "id": id}:
                self._drop(id)
            case {"do": "change", "id": id, "path": path, "value": value}:
                self.inventory.put(id, written(self.inventory.get(id) or {}, path, value))
            case {"do": "begin", "operation": int(number)}:
                self._number = number
                self._operations[number] = _operation(event)
            case {"do": "end", "operation": number}:
                self._operations.pop(number, None)
            case {"do": "purge", "id": id}:
                self.soft_deleted.pop(key(id), None)
            case {"do": "call"}:
                self.calls += 1
            case {"do": "fault", "key": fault}:
                self.met |= {fault}
            case {"do": "object", "cluster": id, "key": name, "manifest": manifest}:
                self._objects.setdefault(key(id), {})[name] = manifest
            case {"do": "unobject", "cluster": id, "key": name}:
                self._kept(id).pop(name, None)

    def take_events(self) -> list[Event]:
        """The events since this was asked last, for whoever keeps them."""
        events, self._events = self._events, []
        return events

    def _begin(self, verb: str, id: str, body: Body | None) -> Operation:
        number = self._number + 1
        held = list(scopes(id, type_of(id)))
        self._emit({"do": "begin", "operation": number, "verb": verb, "id": id, "body": body, "scopes": held})
        return self._operations[number]

    def _effects(self, id: str, body: Body | None) -> Iterator[Event]:
        """What an operation does at its end: the resource itself, then private link connections that open or end."""
        before = self.inventory.get(id)
        yield {"do": "put", "id": id, "body": body} if body is not None else {"do": "remove", "id": id}
        yield from private_link.connections(self.inventory, id, before, body)

    def _drop(self, id: str) -> None:
        """Remove a resource and what lies in it; vaults stay recoverable, objects go with their cluster."""
        for below, body in list(self.inventory.below(id)):
            if computed.is_soft_deleted(type_of(below)):
                self.soft_deleted[key(below)] = body
            self.inventory.drop(below)
        for gone in [scope for scope in self._objects if within(scope, id)]:
            del self._objects[gone]

    def _kept(self, cluster_id: str) -> dict[str, Body]:
        return self._objects.get(key(cluster_id), {})

    def _emit(self, event: Event) -> None:
        self.apply(copy.deepcopy(event))
        self._events.append(event)


def _operation(event: Event) -> Operation:
    return Operation(
        event["operation"], event["verb"], event["id"], event["body"], tuple(event["scopes"]), event.get("owner")
    )
