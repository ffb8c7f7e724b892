"""Provisioning runs as journals in a fleet's state directory, and the locks that keep two of them apart."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.provision.run import Run, replay
from infra.blueprint.stack import Stack
from infra.errors import Locked
from infra.store import locked, write_json
from runbooks.archive import Archive
from runbooks.journal import Journal, JournalError

KIND = "provision"


class Provisions:
    """All provisioning runs of a fleet, with the locks of its stacks. `folder` holds the locks."""

    def __init__(self, journals: Path, folder: Path, actor: str) -> None:
        self._archive = Archive(journals, KIND, actor, _run)
        self._folder = folder
        self._actor = actor

    def journal(self, run: str) -> Journal:
        """The journal of `run`, which need not exist yet."""
        return self._archive.journal(run)

    def all(self) -> list[Run]:
        """Every run that has a plan, oldest first. Raises JournalError for a corrupt journal."""
        return sorted(self._archive.all(), key=lambda run: (run.at, run.name))

    def orphans(self, emulated: bool) -> list[Run]:
        """Runs that have no end and that no process drives any more: killed ones."""
        return [run for run in self.all() if not run.ended and run.emulated is emulated and not self._driven(run.name)]

    @contextmanager
    def driving(self, run: str) -> Iterator[None]:
        """While it lasts, others see that somebody drives `run`. A killed process drives nothing."""
        path = self._folder / f"{run}.lock"
        with locked(path, wait=False):
            yield
        path.unlink(missing_ok=True)

    @contextmanager
    def held(self, stack: Stack) -> Iterator[None]:
        """The lock of a stack, meanwhile. Raises Locked with owner, age and host."""
        with ExitStack() as lock:
            try:
                lock.enter_context(locked(self._lock(stack), wait=False))
            except Locked as error:
                raise self._taken(stack) from error
            write_json(self._owner(stack), _me(self._actor))
            lock.callback(self._owner(stack).unlink, missing_ok=True)
            yield

    def check_free(self, stacks: Iterable[Stack]) -> None:
        """Raises Locked where somebody works on one of them now."""
        for stack in stacks:
            with self.held(stack):
                pass

    def _driven(self, run: str) -> bool:
        path = self._folder / f"{run}.lock"
        if not path.exists():
            return False
        try:
            with locked(path, wait=False):
                return False
        except Locked:
            return True

    def _lock(self, stack: Stack) -> Path:
        return self._folder / f"{stack.project}.{stack.name}.lock"

    def _owner(self, stack: Stack) -> Path:
        return self._folder / f"{stack.project}.{stack.name}.json"

    def _taken(self, stack: Stack) -> Locked:
        place = f" --region {stack.region}" if stack.region else ""
        return Locked(
            f"{stack.project} {stack.name} is being worked on by {_in_words(self._owner(stack))}",
            not_done="nothing was changed",
            next=f"wait for it, then ops fleet preview --stack {stack.kind}{place}",
        )


def _run(journal: Journal) -> Run | None:
    try:
        return replay(journal.run, journal.events())
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(
            f"{journal.path.name}: it holds what this version does not know: {error!r}",
            not_done="what that run did is not known; the file is kept as it is and nothing was changed",
            next=f"mv {journal.path} {journal.path}.corrupt, then ops fleet preview",
        ) from error


def new_run(operation: str) -> str:
    """A name for a new run; names sort by time."""
    return f"{KIND}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{operation}-{secrets.token_hex(2)}"


def _me(actor: str) -> dict[str, Any]:
    return {"actor": actor, "host": socket.gethostname(), "pid": os.getpid(), "since": time.time()}


def _in_words(path: Path) -> str:
    """Who holds a lock and since when; its file may be gone in the same moment."""
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        age = time.time() - owner["since"]
        return f"{owner['actor']} on {owner['host']} (process {owner['pid']}) for {age:.0f} s"
    except (OSError, ValueError, KeyError):
        return "another process of this machine"
