"""The file that holds an emulated subscription: one event a line, JSON, only ever appended to; any tool can read it.

Several processes may use it at once: a session holds a lock, reads on what others wrote, acts, and appends. What was
accepted by a process that is gone is finished by the next session, as Azure would go on without its client. A torn last
line is cut. The rules are not known here.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from infra.azure.subscription import Event, Subscription
from infra.azure.world import Limits
from infra.errors import Unavailable

TAIL = 4096  # bytes: a few events, with names and bodies in them
NOBODY = "00000000-0000-0000-0000-000000000000"


class LedgerError(Unavailable):
    """The ledger is there and cannot be read as what it must be."""


@dataclass
class _Read:
    """What a process knows of a ledger: how far it has read, and what it says so far."""

    subscription: Subscription
    inode: int
    offset: int = 0
    lines: int = 0
    tail: bytes = b""
    """The last bytes that were read or written: another file may have got the number of one that was deleted."""

    def took(self, data: bytes) -> None:
        """Go on behind what was read or written."""
        self.offset += len(data)
        self.lines += data.count(b"\n")
        self.tail = (self.tail + data)[-TAIL:]

    def continues(self, file: int, status: os.stat_result) -> bool:
        """Whether the open file is the one that was read, with nothing gone."""
        return self.inode == status.st_ino and os.pread(file, len(self.tail), self.offset - len(self.tail)) == self.tail


_KNOWN: dict[tuple[str, int], _Read] = {}
"""Path and process -> what was read, so that a new Ledger of the same file reads on; a forked process begins anew."""


class Ledger:
    """The ledger at a path. The first session writes the opening line, with what is given here; later ones obey that
    line. `limits` are not kept in it: they are read from the fleet's file each time."""

    def __init__(
        self,
        path: Path | str,
        id: str = NOBODY,
        tenant: str = NOBODY,
        limits: Limits | None = None,
        features: frozenset[str] = frozenset(),
    ) -> None:
        self.path = Path(path)
        self._opening: Event = {"do": "open", "subscription": id, "tenant": tenant, "features": sorted(features)}
        self._limits = limits

    @contextmanager
    def session(self) -> Iterator[Subscription]:
        """The subscription as it is now, and alone with it: what is changed inside is appended at the end, also where
        the body raises. Raises LedgerError. Never wait for another session inside of one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            state = self._read_on(file)
            _settle(state.subscription)
            try:
                yield state.subscription
            finally:
                self._append(file, state)
        finally:
            os.close(file)

    def _read_on(self, file: int) -> _Read:
        """What the ledger says now: the lines since the last time, or all of them."""
        status = os.fstat(file)
        place = (str(self.path.resolve()), os.getpid())
        state = _KNOWN.get(place)
        if state is None or not state.continues(file, status):
            state = _Read(Subscription(NOBODY, NOBODY), status.st_ino)
        _KNOWN.pop(place, None)  # not known while it is half read
        if status.st_size > state.offset:
            self._replay(file, state, status.st_size)
        if state.offset == 0:
            self._write(file, state, [self._opening])
            _open(state, self._opening)
        state.subscription.limits = self._limits
        _KNOWN[place] = state
        return state

    def _replay(self, file: int, state: _Read, size: int) -> None:
        text = os.pread(file, size - state.offset, state.offset)
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            os.ftruncate(file, state.offset + len(whole))
        for number, line in enumerate(whole.splitlines(), state.lines + 1):
            event = self._event(line, number)
            if event["do"] == "open":
                _open(state, event)
            else:
                state.subscription.apply(event)
        state.took(whole)

    def _event(self, line: bytes, number: int) -> Event:
        try:
            event = json.loads(line)
        except ValueError as error:
            raise LedgerError(f"{self.path}:{number}: not JSON: {error}", next=f"delete {self.path}") from error
        if not isinstance(event, dict) or not isinstance(event.get("do"), str):
            raise LedgerError(f"{self.path}:{number}: no event: it has no `do`", next=f"delete {self.path}")
        return event

    def _append(self, file: int, state: _Read) -> None:
        events = state.subscription.take_events()
        for event in events:
            if event["do"] == "begin":
                event["owner"] = _self()
        self._write(file, state, events)

    def _write(self, file: int, state: _Read, events: list[Event]) -> None:
        """In one write; what cannot be written is forgotten here too, and read anew the next time."""
        data = b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events)
        try:
            written = 0
            while written < len(data):
                written += os.write(file, data[written:])
        except BaseException:
            _KNOWN.pop((str(self.path.resolve()), os.getpid()), None)
            raise
        state.took(data)


def _open(state: _Read, event: Event) -> None:
    state.subscription = Subscription(event["subscription"], event["tenant"], features=frozenset(event["features"]))


def _settle(subscription: Subscription) -> None:
    """Finish what a process began that is gone."""
    for operation in subscription.operations():
        if operation.owner is not None and not _lives(operation.owner):
            subscription.finish(operation)


def _self() -> list[Any]:
    return [os.getpid(), psutil.Process().create_time()]


def _lives(owner: list[Any]) -> bool:
    pid, since = owner
    try:
        return bool(
            abs(psutil.Process(pid).create_time() - since) < 1
        )  # seconds; a process id is not used again so soon
    except psutil.NoSuchProcess:
        return False
