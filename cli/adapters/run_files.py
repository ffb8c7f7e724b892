"""Rollout runs as journals in a fleet's state directory: names, the one that is open, the ones that have ended."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cli.rollouts.plan import Plan, PlanError
from cli.rollouts.state import State, replay
from infra.errors import InvalidInput
from runbooks.archive import Archive, Unreadable, new_name
from runbooks.journal import Journal, JournalError, JournalUnusable

KIND = "rollout"


class NoRun(InvalidInput):
    """There is no rollout of that name, or none at all."""


@dataclass(frozen=True, slots=True)
class Run:
    """One rollout: its journal and where it stands."""

    journal: Journal
    state: State

    @property
    def plan(self) -> Plan:
        """The frozen plan."""
        return self.state.plan


def actor() -> str:
    """Who acts, for the journal: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def new_run(service: str, region: str) -> str:
    """A name for a new run; names sort by time within a service and region."""
    return new_name(KIND, service, region)


class RunFiles:
    """All rollouts of a fleet."""

    def __init__(self, folder: Path) -> None:
        self._archive = Archive(folder, KIND, actor(), _run)

    def journal(self, run: str) -> Journal:
        """The journal of `run`, which need not exist yet."""
        return self._archive.journal(run)

    def all(self) -> list[Run]:
        """Every run that has a plan, oldest first. Raises JournalError for a corrupt journal."""
        return _by_time(self._archive.all())

    def readable(self) -> tuple[list[Run], list[Unreadable]]:
        """Every run that has a plan, oldest first, and the journals that cannot be replayed."""
        runs, broken = self._archive.readable()
        return _by_time(runs), broken

    def of(self, service: str, region: str) -> list[Run]:
        """The runs of a service in a region, oldest first. Other services' journals are not opened.

        Raises JournalError for a corrupt one.
        """
        runs = _by_time(self._archive.all(service, region))
        return [run for run in runs if (run.plan.service, run.plan.region) == (service, region)]

    def open(self, service: str, region: str) -> Run | None:
        """The run that has not ended, if there is one."""
        return next((run for run in reversed(self.of(service, region)) if not run.state.ended), None)

    def latest(self, service: str, region: str) -> Run:
        """The newest run. Raises NoRun."""
        runs = self.of(service, region)
        if not runs:
            raise NoRun(
                f"there was no rollout of {service} in {region} yet", next=f"ops rollout start {service} --help"
            )
        return runs[-1]

    def find(self, name: str) -> Run:
        """The run with that name. Raises NoRun, which lists the last ones."""
        run = self._archive.find(name)
        if run is None:
            known = "".join(f"\n  {run.plan.run}" for run in self.readable()[0][-3:])
            raise NoRun(
                f"there is neither a service nor a rollout {name!r}"
                + (f"; the last rollouts are:{known}" if known else "; there was no rollout yet"),
                next="ops rollout history",
            )
        return run


def _run(journal: Journal) -> Run | None:
    """The run in a journal, None while it has no plan. Raises JournalError for what cannot be replayed."""
    try:
        state = replay(journal.events())
    except JournalUnusable:
        raise  # the file is not corrupt, it cannot be had
    except JournalError as error:
        raise _unreadable(journal.path, error.what) from error
    except (PlanError, KeyError, TypeError, ValueError) as error:
        why = f"{journal.path.name}: it holds what this version does not know: {error!r}"
        raise _unreadable(journal.path, why) from error
    return Run(journal, state) if state else None


def _by_time(runs: Iterable[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: run.state.started)


def _unreadable(path: Path, why: str) -> JournalError:
    return JournalError(
        why,
        not_done="what that rollout did is not known; the file is kept as it is and nothing was changed",
        next=f"ops rollout abort takes its canary out without it; then: mv {path} {path}.corrupt",
    )
