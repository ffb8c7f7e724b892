"""Rollout runs as journals in a fleet's state directory: names, the one that is open, the ones that have ended."""

from __future__ import annotations

import getpass
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.rollouts.plan import Plan, PlanError
from cli.rollouts.state import State, replay
from infra.errors import InvalidInput
from runbooks.journal import Journal, JournalError, JournalUnusable

PREFIX = "rollout-"


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


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A journal that cannot be replayed, and why."""

    path: Path
    why: str


def actor() -> str:
    """Who acts, for the journal: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def new_run(service: str, region: str) -> str:
    """A name for a new run; names sort by time within a service and region."""
    return f"{_prefix(service, region)}{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _prefix(service: str, region: str) -> str:
    return f"{PREFIX}{service}-{region}-"


class RunFiles:
    """All rollouts of a fleet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def journal(self, run: str) -> Journal:
        """The journal of `run`, which need not exist yet."""
        return Journal(self._folder / f"{run}.jsonl", actor())

    def all(self) -> list[Run]:
        """Every run that has a plan, oldest first. Raises JournalError for a corrupt journal."""
        return _by_time(self._run(path) for path in self._paths(PREFIX))

    def readable(self) -> tuple[list[Run], list[Unreadable]]:
        """Every run that has a plan, oldest first, and the journals that cannot be replayed."""
        runs: list[Run | None] = []
        broken: list[Unreadable] = []
        for path in self._paths(PREFIX):
            try:
                runs.append(self._run(path))
            except JournalError as error:
                broken.append(Unreadable(path, error.what))
        return _by_time(runs), broken

    def of(self, service: str, region: str) -> list[Run]:
        """The runs of a service in a region, oldest first. Other services' journals are not opened.

        Raises JournalError for a corrupt one.
        """
        runs = _by_time(self._run(path) for path in self._paths(_prefix(service, region)))
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
        path = self._folder / f"{name}.jsonl"
        run = self._run(path) if path.is_file() else None
        if run is None:
            known = "".join(f"\n  {run.plan.run}" for run in self.readable()[0][-3:])
            raise NoRun(
                f"there is neither a service nor a rollout {name!r}"
                + (f"; the last rollouts are:{known}" if known else "; there was no rollout yet"),
                next="ops rollout history",
            )
        return run

    def _paths(self, prefix: str) -> list[Path]:
        return sorted(self._folder.glob(f"{prefix}*.jsonl"))

    def _run(self, path: Path) -> Run | None:
        """The run in a journal, None while it has no plan. Raises JournalError for what cannot be replayed."""
        journal = self.journal(path.stem)
        try:
            state = replay(journal.events())
        except JournalUnusable:
            raise  # the file is not corrupt, it cannot be had
        except JournalError as error:
            raise _unreadable(path, error.what) from error
        except (PlanError, KeyError, TypeError, ValueError) as error:
            raise _unreadable(path, f"{path.name}: it holds what this version does not know: {error!r}") from error
        return Run(journal, state) if state else None


def _by_time(runs: Iterable[Run | None]) -> list[Run]:
    return sorted((run for run in runs if run), key=lambda run: run.state.started)


def _unreadable(path: Path, why: str) -> JournalError:
    return JournalError(
        why,
        not_done="what that rollout did is not known; the file is kept as it is and nothing was changed",
        next=f"ops rollout abort takes its canary out without it; then: mv {path} {path}.corrupt",
    )
