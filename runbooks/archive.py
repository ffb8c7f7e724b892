"""The journals of one kind of run in a folder: what they are called, and what those come to that can be replayed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from runbooks.journal import Journal, JournalError

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A journal that cannot be replayed, and why."""

    path: Path
    why: str


class Archive(Generic[S]):
    """All journals whose names begin with `kind`.

    `replay` says what a journal came to: None where it has not begun, JournalError where it cannot be told.
    """

    def __init__(self, folder: Path, kind: str, actor: str, replay: Callable[[Journal], S | None]) -> None:
        self._folder = folder
        self._kind = kind
        self._actor = actor
        self._replay = replay

    def new(self, *about: str) -> Journal:
        """A journal of its own; names about the same sort by time."""
        return self.journal(new_name(self._kind, *about))

    def journal(self, run: str) -> Journal:
        """The journal of `run`, which need not exist yet."""
        return Journal(self._folder / f"{run}.jsonl", self._actor)

    def all(self, *about: str) -> list[S]:
        """What every journal came to whose name is about that; others are not opened. Raises JournalError."""
        found = (self._replay(self.journal(path.stem)) for path in self._paths(*about))
        return [one for one in found if one is not None]

    def readable(self) -> tuple[list[S], list[Unreadable]]:
        """What every journal came to, and those that cannot be replayed."""
        found: list[S] = []
        broken: list[Unreadable] = []
        for path in self._paths():
            try:
                one = self._replay(self.journal(path.stem))
            except JournalError as error:
                broken.append(Unreadable(path, error.what))
                continue
            found += [] if one is None else [one]
        return found, broken

    def find(self, run: str) -> S | None:
        """What the journal of that name came to; None where there is none of this kind. Raises JournalError."""
        journal = self.journal(run)
        return self._replay(journal) if journal.path in self._paths() else None

    def _paths(self, *about: str) -> list[Path]:
        return sorted(self._folder.glob(f"{'-'.join((self._kind, *about))}-*.jsonl"))


def new_name(kind: str, *about: str) -> str:
    """A name for a new run. Two in one second differ."""
    return "-".join((kind, *about, f"{datetime.now(UTC):%Y%m%d-%H%M%S}", secrets.token_hex(2)))
