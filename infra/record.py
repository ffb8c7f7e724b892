"""The release of record: which release each service has in each region, now. One file, changed only by compare-and-set.

It is state and not source: a service that was never rolled out has the release of the fleet file. A record that cannot
be read is never taken for an empty one, because that would bring a release back that was rolled back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from infra.errors import Refused, Unavailable
from infra.fleet import Fleet
from infra.store import CorruptFile, locked, read_json, write_atomic
from infra.yamlfile.part import Part

EMPTY: dict[str, Any] = {"apiVersion": "bellwether/v1", "releases": {}}


class RecordError(Unavailable):
    """The record is there and cannot be read. Nothing may be rendered or applied."""


class RecordMoved(Refused):
    """Somebody else changed the record since it was read. Nothing was written."""


class Entry(Part):
    """What a rollout left behind: a release, the run that set it (None: a person), and when."""

    release: Annotated[str, Field(min_length=1)]
    run: str | None = None
    at: str


class RecordFile(Part):
    """The file as it is kept: service -> region -> entry."""

    apiVersion: Literal["bellwether/v1"]  # noqa: N815
    releases: dict[str, dict[str, Entry]]


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a fleet at one moment."""

    fleet: Fleet
    entries: dict[str, dict[str, Entry]]

    def entry(self, service: str, region: str) -> Entry | None:
        """What was set for a service in a region, or None: then the fleet file says."""
        return self.entries.get(service, {}).get(region)

    def release(self, service: str, region: str) -> str:
        """The version that a service has in a region. Raises NotInFleet."""
        entry = self.entry(service, region)
        return entry.release if entry else self.fleet.service(service).release


def now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class RecordStore:
    """The record in a file of the state directory."""

    path: Path
    clock: Callable[[], str] = now

    def read(self, fleet: Fleet) -> Record:
        """The record as it is now. Raises RecordError where the file is there and is not a record."""
        return Record(fleet, self._load().releases)

    def set(self, service: str, region: str, version: str, *, run: str | None, expect: str | None) -> None:
        """Write that a service has `version` in a region, if it still has `expect`.

        `expect` is the version the caller read. A service without an entry takes any: its version is the fleet file's,
        which the caller read and this does not know. Writing what is already there is done again without complaint.
        Raises RecordMoved where another release was set meanwhile, RecordError where the file cannot be read.
        """
        with locked(self.path.with_suffix(".lock")):
            kept = self._load()
            entry = kept.releases.get(service, {}).get(region)
            if entry is not None and entry.release not in (expect, version):
                raise _moved(service, region, entry, expect)
            self._save(kept, service, region, Entry(release=version, run=run, at=self.clock()))

    def _load(self) -> RecordFile:
        try:
            return RecordFile.model_validate(read_json(self.path, missing=EMPTY))
        except CorruptFile as error:
            raise self._unreadable(error.what) from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "its whole content"
            raise self._unreadable(f"{self.path}: {place}: {first['msg']}") from error

    def _save(self, kept: RecordFile, service: str, region: str, entry: Entry) -> None:
        releases = {**kept.releases, service: {**kept.releases.get(service, {}), region: entry}}
        write_atomic(self.path, kept.model_copy(update={"releases": releases}).model_dump_json(indent=2) + "\n")

    def _unreadable(self, why: str) -> RecordError:
        return RecordError(
            f"the release of record cannot be read: {why}",
            not_done="nothing was read from it and nothing was changed",
            next="make it readable, or restore it (ops rollout history says what was set last), or move it away",
        )


def _moved(service: str, region: str, entry: Entry, expect: str | None) -> RecordMoved:
    who = f"run {entry.run}" if entry.run else "a person"
    return RecordMoved(
        f"{service} in {region} has release {entry.release}, set by {who} at {entry.at}, and not {expect} any more",
        not_done="the release of record was not changed",
        next="ops release current",
    )
