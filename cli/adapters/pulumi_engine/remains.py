"""What an engine that died left of a stack: its lock, operations without an end, resources that the state lacks."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psutil

from cli.adapters.pulumi_engine.telling import type_of
from infra.azure import generic
from infra.azure.shape import shape
from infra.blueprint.node_pool import API_VERSION
from infra.blueprint.stack import Stack
from infra.engine.deploy import Engine, EngineFailed, Pending, StackLocked
from infra.engine.deploy import Outcome as Ran
from infra.engine.drift import OWN_TAGS
from infra.errors import InvalidInput

There = Callable[[str, str], Mapping[str, Any] | None]
"""Id, API version -> what Azure has of a resource."""
PATIENCE = 60.0  # seconds that an engine may need to end after its command was killed: it ends what is under way


class NotPending(InvalidInput):
    """No creation of such a resource began without an end."""


class Remains:
    """Finds what was left, and takes it in or away. `unmade`: creations of the last `up` that failed, by stack."""

    def __init__(self, engine: Engine, there: There) -> None:
        self._engine = engine
        self._there = there
        self.unmade: dict[Stack, tuple[Pending, ...]] = {}

    def freed(self, stack: Stack, work: Callable[[], Ran]) -> Ran:
        """Do it; where an engine that is dead by now left its lock, after a look at what it did."""
        try:
            return work()
        except StackLocked as error:
            if not _ended(error.what, patience=0):
                raise
        self.settle(stack)
        return work()

    def settle(self, stack: Stack) -> str:
        """Take a dead engine's lock away, and take into the state what is there. Raises Locked where one works on."""
        if not self._engine.exists(stack):
            return "it was not begun"
        pending = self._engine.pending(stack)
        unlocked = self._unlocked(lambda: self._look(stack), stack)
        found = [f"{len(pending)} operations were under way"] if pending else []
        told = ", ".join([*unlocked, *found])
        return f"looked at: {told}; what is there is known now" if told else "looked at: nothing was left undone"

    def _look(self, stack: Stack) -> None:
        """Take what was made into the state, forget what was not, and read all of it anew."""
        if made := self.made(stack):
            self._engine.refresh(stack, made=made)
        self._engine.refresh(stack)
        self.unmade.pop(stack, None)

    def _unlocked(self, look: Callable[[], None], stack: Stack) -> list[str]:
        """Do it; where a dead engine's lock is in the way, without that lock. One that is ending is waited for."""
        try:
            look()
        except StackLocked as error:
            if not _ended(error.what):
                raise
            with suppress(EngineFailed):  # it took its lock away in the same moment
                self._engine.cancel(stack)
            look()
            return ["its engine was dead, and its lock is gone"]
        return []

    def made(self, stack: Stack) -> tuple[Pending, ...]:
        """Creations that began, or failed, and whose resource is there nevertheless."""
        begun = (*self._engine.pending(stack), *self.unmade.get(stack, ()))
        creates = {one.urn: one for one in begun if one.op == "creating" and one.id}
        return tuple(one for one in creates.values() if self._is_ours(one))

    def _is_ours(self, made: Pending) -> bool:
        """Whether what is there is what this stack was making: its tags say so, where it can have any."""
        found = self._there(made.id, _api(made.urn))
        wanted = _tags(made.state.get("inputs") or {})
        return found is not None and all(_tags(found).get(key) == wanted[key] for key in OWN_TAGS if key in wanted)

    def adopt(self, stack: Stack, urn: str, id: str) -> None:
        """Take a resource into the state whose creation began. Raises NotPending where none of that urn did."""
        creating = [one.urn for one in self._engine.pending(stack) if one.op == "creating"]
        if urn not in creating:
            told = "; it is open of:\n  " + "\n  ".join(creating) if creating else ""
            raise NotPending(
                f"no creation of {urn} is open in {stack.project} {stack.name}{told}",
                not_done="nothing was changed",
                next="ops fleet up takes in what it finds; this is for a urn that a failure named",
            )
        asked = tuple(replace(one, id=id) for one in self._engine.pending(stack) if one.urn == urn)
        self._engine.refresh(stack, made=(*(one for one in self.made(stack) if one.urn != urn), *asked))


def _tags(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tags of a body or of inputs. Pools have none of their own: theirs are those of their machines."""
    tags = body.get("tags")
    return tags if isinstance(tags, Mapping) else {}


def _api(urn: str) -> str:
    """The API version that a resource is asked for with, by its type; a generic one is a GPU pool."""
    token = type_of(urn)
    return API_VERSION if token == generic.TOKEN else shape(token, "inputs").api_version


def _ended(said: str, patience: float | None = None) -> bool:
    """Whether the engine that a lock names is dead, or dies in time; of another machine's that is not known here."""
    found = re.search(r"@(?P<host>[^\s()]+) \(pid (?P<pid>\d+)\)", said)
    if found is None or found["host"] != socket.gethostname():
        return False
    try:
        psutil.Process(int(found["pid"])).wait(timeout=PATIENCE if patience is None else patience)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True
