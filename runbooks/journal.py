"""The journal of a run: append-only JSON lines, chained by hash, readable after any crash. Decides nothing."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from infra.errors import Unavailable

GENESIS = "0" * 64  # what the first line names as its predecessor


class JournalError(Unavailable):
    """A line of a journal is not what was written. The file is kept as it is."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a journal. `at` is UTC."""

    seq: int
    at: datetime
    actor: str
    kind: str
    payload: Mapping[str, Any]


Entry = tuple[str, Mapping[str, Any]]  # kind, payload


def utc_now() -> datetime:
    """The wall clock, as the journal writes it."""
    return datetime.now(UTC)


def encode(event: Event, prev: str) -> bytes:
    """The line of `event`, newline included; `prev` is the SHA-256 of the line before (hex)."""
    line = {
        "seq": event.seq,
        "at": event.at.isoformat().replace("+00:00", "Z"),
        "actor": event.actor,
        "kind": event.kind,
        "payload": dict(event.payload),
        "prev": prev,
    }
    text = json.dumps(line, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="backslashreplace") + b"\n"  # an argument that is not UTF-8 stays readable JSON


def digest(line: bytes) -> str:
    """The SHA-256 of one line without its newline (hex)."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def decode(data: bytes, name: str) -> tuple[tuple[Event, ...], str, int]:
    """The events in `data`, the hash of the last line, and the length in bytes that is whole.

    A last line without a newline was torn by a crash and is left out. Raises JournalError, with `name` and the line
    number, for a line that does not parse, skips a number or does not name its predecessor.
    """
    whole = data.rfind(b"\n") + 1
    events: list[Event] = []
    prev = GENESIS
    for number, line in enumerate(data[:whole].split(b"\n")[:-1], start=1):
        events.append(_event(line, number, prev, name))
        prev = digest(line)
    return tuple(events), prev, whole


def _event(line: bytes, number: int, prev: str, name: str) -> Event:
    try:
        raw = json.loads(line)
        event, linked = _parse(raw), raw["prev"] == prev and raw["seq"] == number
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _corrupt(name, number, f"it does not parse ({error})") from error
    if not linked:
        raise _corrupt(name, number, "it does not follow from the line before")
    return event


def _parse(raw: Mapping[str, Any]) -> Event:
    at, payload = datetime.fromisoformat(raw["at"]), raw["payload"]
    if at.tzinfo is None or not isinstance(payload, dict):
        raise ValueError("a time without zone, or a payload that is no object")
    return Event(raw["seq"], at.astimezone(UTC), raw["actor"], raw["kind"], payload)


def _corrupt(name: str, number: int, why: str) -> JournalError:
    return JournalError(
        f"{name}:{number}: the journal is corrupt here: {why}",
        not_done="this run was not replayed; the file is kept as it is",
    )


def _sync_folder(folder: Path) -> None:
    """A new file outlives a power cut only when its folder is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Journal:
    """One run's journal on disk. Several processes may append; each append is fsynced before it returns."""

    def __init__(self, path: Path, actor: str, now: Callable[[], datetime] = utc_now) -> None:
        self.path = path
        self._actor = actor
        self._now = now

    @property
    def run(self) -> str:
        """The id of the run."""
        return self.path.stem

    def events(self) -> tuple[Event, ...]:
        """All events so far. Raises JournalError for a corrupt line; a torn last line is left out."""
        try:
            return decode(self.path.read_bytes(), self.path.name)[0]
        except FileNotFoundError:
            return ()

    def append(self, kind: str, **payload: Any) -> Event:
        """Write one event. It is on disk when this returns."""
        return self.extend([(kind, payload)])[0]

    def extend(self, entries: Iterable[Entry]) -> tuple[Event, ...]:
        """Write several events in one go (one write, one fsync). A torn last line is cut off first."""
        with self._opened() as file:
            events, prev, whole = decode(file.read(), self.path.name)
            file.truncate(whole)
            file.seek(whole)
            new, data = self._encoded(entries, len(events), prev)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if not whole:
                _sync_folder(self.path.parent)
        return new

    def _encoded(self, entries: Iterable[Entry], count: int, prev: str) -> tuple[tuple[Event, ...], bytes]:
        events: list[Event] = []
        lines: list[bytes] = []
        for seq, (kind, payload) in enumerate(entries, start=count + 1):
            event = Event(seq, self._now(), self._actor, kind, payload)
            lines.append(encode(event, prev))
            prev = digest(lines[-1])
            events.append(event)
        return tuple(events), b"".join(lines)

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
