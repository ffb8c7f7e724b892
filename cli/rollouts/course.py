"""Where a rollout stands, read on from its journal: each line once. Decides nothing."""

from __future__ import annotations

from typing import Any

from cli.rollouts.state import State, replay
from infra.errors import Unavailable
from runbooks.journal import START, Entry, Event, Journal


class RolloutError(Unavailable):
    """A journal that holds no plan cannot be driven."""


class Course:
    """A rollout's journal, and the state after all that was read of it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._mark = START
        self._state: State | None = None

    def state(self) -> State:
        """The state after the last line that is on disk now, whoever wrote it. Raises RolloutError, JournalError."""
        events, self._mark = self._journal.after(self._mark)
        self._state = replay(events, self._state)
        if self._state is None:
            raise RolloutError(f"{self._journal.path} holds no rollout plan", not_done="nothing was changed")
        return self._state

    def append(self, kind: str, **payload: Any) -> Event:
        """Write one event; it is on disk when this returns. Raises JournalError."""
        return self._journal.append(kind, **payload)

    def extend(self, entries: list[Entry]) -> None:
        """Write several events in one go. Raises JournalError."""
        self._journal.extend(entries)
