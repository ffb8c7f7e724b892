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


class JournalUnusable(JournalError):
    """The file of a journal cannot be read or written: no room, no right, something else in its place."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a journal. `at` is UTC."""

    seq: int
    at: datetime
    actor: str
    kind: str
    payload: Mapping[str, Any]


Entry = tuple[str, Mapping[str, Any]]  # kind, payload


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between two lines of a journal: how many are before it, the hash of the last one, their bytes."""

    seq: int = 0
    prev: str = GENESIS
    offset: int = 0


START = Mark()


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


def decode(data: bytes, name: str, mark: Mark = START) -> tuple[tuple[Event, ...], Mark]:
    """The events in `data`, which begins at `mark`, and the mark behind the last whole line.

    A last line without a newline was torn by a crash and is left out. Raises JournalError, with `name` and the line
    number, for a line that does not parse, skips a number or does not name its predecessor.
    """
    whole = data.rfind(b"\n") + 1
    events: list[Event] = []
    prev = mark.prev
    for number, line in enumerate(data[:whole].split(b"\n")[:-1], start=mark.seq + 1):
        events.append(_event(line, number, prev, name))
        prev = digest(line)
    return tuple(events), Mark(mark.seq + len(events), prev, mark.offset + whole)


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
    """One run's journal on disk. Several processes may append; each append is fsynced before it returns.

    Raises JournalUnusable where the file cannot be read or written.
    """

    def __init__(self, path: Path, actor: str, now: Callable[[], datetime] = utc_now) -> None:
        self.path = path
        self._actor = actor
        self._now = now
        self._end = START  # what was verified and appended to: an append reads only what came after

    @property
    def run(self) -> str:
        """The id of the run."""
        return self.path.stem

    def events(self) -> tuple[Event, ...]:
        """All events so far. Raises JournalError for a corrupt line; a torn last line is left out."""
        return self.after(START)[0]

    def after(self, mark: Mark) -> tuple[tuple[Event, ...], Mark]:
        """The events behind `mark`, and the mark behind them: only new lines are read and verified."""
        with self._usable("read", "nothing was read from it and nothing was changed"):
            try:
                with open(self.path, "rb") as file:
                    data = self._rest(file, mark)
            except FileNotFoundError:
                if mark == START:
                    return (), mark
                raise
        return decode(data, self.path.name, mark)

    def append(self, kind: str, **payload: Any) -> Event:
        """Write one event. It is on disk when this returns."""
        return self.extend([(kind, payload)])[0]

    def extend(self, entries: Iterable[Entry]) -> tuple[Event, ...]:
        """Write several events in one go (one write, one fsync). A torn last line is cut off first."""
        with self._opened() as file:
            _, end = decode(self._rest(file, self._end), self.path.name, self._end)
            new, data, after = self._encoded(entries, end)
            file.truncate(end.offset)
            file.seek(end.offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if end == START:
                _sync_folder(self.path.parent)
        self._end = after
        return new

    def _rest(self, file: IO[bytes], mark: Mark) -> bytes:
        if os.fstat(file.fileno()).st_size < mark.offset:
            raise _corrupt(self.path.name, mark.seq, "it was read before and is gone")
        file.seek(mark.offset)
        return file.read()

    def _encoded(self, entries: Iterable[Entry], end: Mark) -> tuple[tuple[Event, ...], bytes, Mark]:
        events: list[Event] = []
        lines: list[bytes] = []
        prev = end.prev
        for seq, (kind, payload) in enumerate(entries, start=end.seq + 1):
            event = Event(seq, self._now(), self._actor, kind, payload)
            lines.append(encode(event, prev))
            prev = digest(lines[-1])
            events.append(event)
        data = b"".join(lines)
        return tuple(events), data, Mark(end.seq + len(events), prev, end.offset + len(data))

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        create = os.O_CREAT if self._end == START else 0  # one that was moved away is not begun in its middle
        with self._usable("written", "the event is not in it, and what it announces was not done"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(self.path, os.O_RDWR | create, 0o644), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file

    @contextmanager
    def _usable(self, done: str, not_done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalUnusable(
                f"the journal {self.path} cannot be {done}: {error.strerror or error}",
                not_done=not_done,
                next=f"make room in {self.path.parent}, or give access to it; then the same command again",
            ) from error
