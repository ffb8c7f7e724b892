"""What is under way in the regions of a fleet: loads, and drivers of rollouts. Says who is in whose way, and no more.

Each region has a lock that many share or one holds alone, and each holder leaves a note. The kernel frees the locks of
a process that ends, however it ends; a note whose own lock is free is a dead one's.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from infra.errors import Locked
from infra.store import CorruptFile, locked, read_json, write_json


@dataclass(frozen=True, slots=True)
class Doing:
    """What somebody does: `what` in words, `run` its journal, `region` empty where it meets none of the fleet's.

    Who does it `alone` suffers nobody else in the region meanwhile.
    """

    kind: Literal["load", "rollout"]
    what: str
    run: str
    region: str
    service: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """Who does it: a person, on which host, in which process, since when (Unix seconds)."""

    doing: Doing
    actor: str
    host: str
    pid: int
    since: float

    def in_words(self) -> str:
        """What, who, where and for how long."""
        age = max(0.0, time.time() - self.since)
        who = f"{self.actor} on {self.host} (process {self.pid}) for {age:.0f} s"
        return f"{self.doing.what} ({self.doing.run}) by {who}"


class Activity:
    """All that is under way in a fleet, as far as this machine knows."""

    def __init__(self, folder: Path, actor: str) -> None:
        self._folder = folder
        self._actor = actor

    @contextmanager
    def held(self, doing: Doing, not_done: str, anyway: Callable[[Locked], None] | None = None) -> Iterator[None]:
        """Others see that it is done, meanwhile. Raises Locked, which names who is in the way, before that.

        What cannot wait is done all the same: `anyway` is then told who is in the way.
        """
        with ExitStack() as stack:
            try:
                if doing.region:
                    self._enter(stack, doing, not_done)
            except Locked as taken:
                if anyway is None:
                    raise
                anyway(taken)
            self._note(stack, doing)
            yield

    def holders(self) -> list[Holder]:
        """Who does something now, the longest first; notes that dead ones left are removed."""
        found = (self._alive(path) for path in self._folder.glob("*.json"))
        return sorted((one for one in found if one), key=lambda one: one.since)

    def _enter(self, stack: ExitStack, doing: Doing, not_done: str) -> None:
        try:
            path = self._folder / f"{doing.region}.region"
            stack.enter_context(locked(path, wait=False, shared=not doing.alone))
        except Locked as error:
            raise _taken(doing, self.holders(), not_done) from error

    def _note(self, stack: ExitStack, doing: Doing) -> None:
        """The lock first and then the note: whoever reads a note whose lock is free knows that its writer is dead."""
        path = self._folder / f"{secrets.token_hex(8)}.json"
        stack.enter_context(locked(_lock(path), wait=False))
        stack.callback(_lock(path).unlink, missing_ok=True)
        me = Holder(doing, self._actor, socket.gethostname(), os.getpid(), time.time())
        write_json(path, asdict(me))
        stack.callback(path.unlink, missing_ok=True)

    def _alive(self, path: Path) -> Holder | None:
        try:
            with locked(_lock(path), wait=False, shared=True):  # two who look are not in each other's way
                path.unlink(missing_ok=True)
                _lock(path).unlink(missing_ok=True)
                return None
        except Locked:
            return _read(path)


def _lock(note: Path) -> Path:
    return note.with_suffix(".lock")


def _read(path: Path) -> Holder | None:
    """The holder that a note names; None where it is gone in this moment, or not a note of this version."""
    try:
        data = read_json(path)
        return Holder(**{**data, "doing": Doing(**data["doing"])})
    except (CorruptFile, KeyError, TypeError):
        return None


def _taken(doing: Doing, holders: Iterable[Holder], not_done: str) -> Locked:
    here = [one for one in holders if one.doing.region == doing.region]
    who = "; and by ".join(one.in_words() for one in here) or "another process of this machine"
    wants = f"{doing.what} must be alone in it" if doing.alone else f"{doing.what} cannot be beside it"
    return Locked(f"{doing.region} is taken by {who}; {wants}", not_done=not_done, next=_next(here))


def _next(here: list[Holder]) -> str:
    """What to look at, and what to do then."""
    rollout = next((one.doing.service for one in here if one.doing.kind == "rollout"), None)
    look = f"ops rollout watch {rollout}" if rollout else "ops load history"
    return f"{look}; when it has ended, the same command again"
