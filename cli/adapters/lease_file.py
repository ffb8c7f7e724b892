"""The lease of one service in one region as a file: one writer, and a fencing token that only grows."""

from __future__ import annotations

import os
import socket
import time
import uuid
from pathlib import Path
from typing import Any, cast

import psutil

from infra.errors import Locked
from infra.store import CorruptFile, locked, read_json, write_json

TTL = 15.0  # seconds without renewal after which a lease may be taken; its holder's late writes are fenced off
QUIET = 3.0  # seconds between two writes of an unchanged lease


class LeaseFile:
    """A lease that this process may hold. Token and owner are changed under flock, so several processes may try."""

    def __init__(self, path: Path, actor: str, run: str) -> None:
        self._path = path
        self._id = uuid.uuid4().hex
        self._actor = actor
        self._run = run

    def acquire(self, floor: int = 0) -> int:
        """Take the lease and the next token, above `floor`. Raises Locked (owner, age, host) while it is held."""
        with self._lock():
            data = self._read()
            owner = data.get("owner")
            if owner and owner["id"] != self._id and _alive(owner, data["renewed"]):
                raise Locked(_held(owner, data["renewed"]), not_done="nothing was changed", next=self._watch())
            token = max(int(data.get("token", 0)), floor) + 1
            self._write(token, self._owner())
            return token

    def renew(self) -> int:
        """Keep the lease and return the newest token. Raises Locked when somebody else holds it now."""
        with self._lock():
            data = self._read()
            owner = data.get("owner") or {}
            if owner.get("id") != self._id:
                raise Locked(
                    _held(owner, data["renewed"]) if owner else "the lease of this rollout was given up",
                    not_done="this driver stopped and changed nothing more",
                    next=self._watch(),
                )
            if time.time() - data["renewed"] > QUIET:
                self._write(int(data["token"]), owner)
            return int(data["token"])

    def bump(self, floor: int = 0) -> int:
        """The next token without the lease: what fences the holder's late writes off."""
        with self._lock():
            data = self._read()
            token = max(int(data.get("token", 0)), floor) + 1
            write_json(self._path, {**data, "token": token})
            return token

    def release(self) -> None:
        """Give the lease up, if it is still ours."""
        with self._lock():
            data = self._read()
            if (data.get("owner") or {}).get("id") == self._id:
                self._write(int(data["token"]), None)

    def holder(self) -> dict[str, Any] | None:
        """Who holds the lease now (id, actor, host, pid, run, since, renewed), None where nobody alive does."""
        data = self._read()
        owner: dict[str, Any] | None = data.get("owner")
        return {**owner, "renewed": data["renewed"]} if owner and _alive(owner, data["renewed"]) else None

    def _watch(self) -> str:
        return f"ops rollout watch {self._path.name.partition('.')[0]}"

    def _lock(self) -> Any:
        return locked(self._path.with_suffix(".lock"))

    def _read(self) -> dict[str, Any]:
        data = read_json(self._path, missing={})
        if not _valid(data):
            raise CorruptFile(
                f"{self._path} is not a lease",
                not_done="nothing was changed",
                next=f"rm {self._path} when nobody drives: tokens go on from the region's",
            )
        return cast("dict[str, Any]", data)

    def _write(self, token: int, owner: dict[str, Any] | None) -> None:
        write_json(self._path, {"token": token, "owner": owner, "renewed": time.time()})

    def _owner(self) -> dict[str, Any]:
        born = psutil.Process().create_time()
        me = {"id": self._id, "actor": self._actor, "host": socket.gethostname(), "pid": os.getpid(), "born": born}
        return {**me, "run": self._run, "since": time.time()}


def _valid(data: Any) -> bool:
    """Whether it is a lease as we write it; one that was never taken may have nothing but a token."""
    if not isinstance(data, dict) or not isinstance(data.get("token", 0), int):
        return False
    owner = data.get("owner")
    keys = {"id", "actor", "host", "pid", "born", "run", "since"}
    return owner is None or (isinstance(owner, dict) and keys <= owner.keys() and "renewed" in data)


def _alive(owner: dict[str, Any], renewed: float) -> bool:
    """A holder lives while it renews; one on this host not longer than its process."""
    if time.time() - renewed >= TTL:
        return False
    return owner["host"] != socket.gethostname() or _running(owner["pid"], owner["born"])


def _running(pid: int, born: float) -> bool:
    try:
        process = psutil.Process(pid)  # a pid is used again, a pid with its birth is not
        return abs(process.create_time() - born) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def in_words(holder: dict[str, Any]) -> str:
    """Who holds a lease, since when, and when it was last renewed."""
    since, seen = time.time() - holder["since"], time.time() - holder["renewed"]
    who = f"{holder['actor']} on {holder['host']} (process {holder['pid']})"
    return f"{who} for {since:.0f} s, last seen {seen:.0f} s ago"


def _held(owner: dict[str, Any], renewed: float) -> str:
    return f"{owner['run']} is driven by {in_words({**owner, 'renewed': renewed})}"
