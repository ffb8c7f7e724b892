"""What the supervisor is told: wishes and the release of record, read again when their files change.

What cannot be read changes nothing: the last good value stays, and `problems` says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from infra.errors import OpsError, Unavailable
from infra.fleet import Fleet
from infra.local.layout import Layout
from infra.local.wish import StaleToken, Wish, read_wishes, refuse_older, render
from infra.record import Record, RecordError, RecordStore
from infra.store import write_json

Stamp = tuple[int, int, int]


class ForgottenWishes(Unavailable):
    """What the supervisor took before it was restarted cannot be read."""


class Watched:
    """A file, and whether it has changed since the last look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: Stamp | None = (0, 0, 0)

    def changed(self) -> bool:
        """True at the first look, and at the first one after each change."""
        before, self._seen = self._seen, _stamp(self.path)
        return self._seen != before


class Wishes:
    """The wishes that were taken, by service. A token never goes back, also over a restart."""

    def __init__(self, layout: Layout, services: frozenset[str]) -> None:
        self.problems: tuple[str, ...] = ()
        self._services = services
        self._file = Watched(layout.weights)
        self._memory = layout.file("accepted.json")
        self.accepted = {name: wish for name, wish in _remembered(self._memory).items() if name in services}

    def look(self) -> None:
        """Take what is new in weights.json."""
        if not self._file.changed():
            return
        try:
            wishes = read_wishes(self._file.path)
        except OpsError as error:
            self.problems = (f"weights.json: {error.what}",)
            return
        self.problems = tuple(problem for wish in wishes.values() if (problem := self._refusal(wish)))
        taken = {name: wish for name, wish in wishes.items() if not self._refusal(wish)}
        if taken != {name: self.accepted.get(name) for name in taken}:
            self.accepted = {**self.accepted, **taken}
            write_json(self._memory, render(self.accepted))

    def _refusal(self, wish: Wish) -> str:
        if wish.service not in self._services:
            return f"weights.json: there is no service {wish.service}"
        try:
            refuse_older(self.accepted.get(wish.service), wish)
        except StaleToken as error:
            return error.what
        return ""


def _remembered(path: Path) -> dict[str, Wish]:
    """The wishes that an earlier life took. Raises ForgottenWishes where they are there and cannot be read."""
    try:
        return read_wishes(path)
    except OpsError as error:
        why = error.what.removeprefix(f"{path} ")
        raise ForgottenWishes(
            f"{path}, which has the newest token of each service, cannot be used: {why}",
            next=f"mv {path} {path}.corrupt, then ops local up; an open rollout writes its wish again",
        ) from error


class Records:
    """The release of record by service, in one region."""

    def __init__(self, store: RecordStore, fleet: Fleet, region: str, services: Iterable[str]) -> None:
        self.problems: tuple[str, ...] = ()
        self.releases: dict[str, str | None] = dict.fromkeys(services)
        self._store = store
        self._file = Watched(store.path)
        self._fleet = fleet
        self._region = region
        self._was_there = False

    def look(self) -> None:
        """Read the record if it has changed; unreadable, no service has one and nothing that runs is touched."""
        if not self._file.changed():
            return
        try:
            record = self._read()
        except OpsError as error:
            self.problems = (f"the release of record: {error.what}",)
            self.releases = dict.fromkeys(self.releases)
            return
        self.problems = ()
        self.releases = {service: record.release(service, self._region) for service in self.releases}

    def _read(self) -> Record:
        """The record. One that was there and is gone is not an empty one: that would bring old releases back."""
        there = self._store.path.exists()
        if self._was_there and not there:
            raise RecordError(f"{self._store.path} is gone", next="ops release current")
        self._was_there = there
        return self._store.read(self._fleet)


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
