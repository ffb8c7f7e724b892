"""The release of record of one service in one region, in the fleet's record file."""

from __future__ import annotations

from infra.fleet import Fleet
from infra.record import RecordError, RecordStore


class RecordFile:
    """The record port of the rollout loop."""

    def __init__(self, store: RecordStore, fleet: Fleet, service: str, region: str) -> None:
        self._store = store
        self._fleet = fleet
        self._service = service
        self._region = region
        self._was_there = False

    def read(self) -> str:
        """The release of record. Raises RecordError when it cannot be read; one that is gone is not an empty one."""
        there = self._store.path.exists()
        if self._was_there and not there:
            raise RecordError(f"{self._store.path} is gone", next="ops release current")
        self._was_there = there
        return self._store.read(self._fleet).release(self._service, self._region)

    def set(self, release: str, run: str, expect: str) -> None:
        """Make `release` the one of record. Raises RecordMoved where it is not `expect`, RecordError."""
        self._store.set(self._service, self._region, release, run=run, expect=expect)
