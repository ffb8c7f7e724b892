"""A rollout is opened: from a release to a frozen plan, and to the first line of its journal under the lease."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.adapters.activity import Doing
from cli.adapters.lease_file import LeaseFile, in_words
from cli.adapters.run_files import Run, new_run
from cli.console import story
from cli.rollouts.freeze import Change, freeze, undo
from cli.rollouts.plan import Plan
from cli.wiring import Place
from infra.errors import InvalidInput, Locked, Refused
from infra.release import RELEASES, Release, load_release
from infra.store import locked


class NothingToDo(Exception):
    """The service already runs that release."""


def release_for(place: Place, given: str) -> Release:
    """The release of a version or a manifest's path. Raises ReleaseError; Refused for a file outside its folder."""
    if given.endswith((".yaml", ".yml")) or os.sep in given:
        given = _version_at(place, Path(given))
    return load_release(place.service.name, given)


def _version_at(place: Place, path: Path) -> str:
    home = (RELEASES / place.service.name).resolve()
    if not path.is_file():
        raise InvalidInput(
            f"there is no file {path}",
            not_done="no rollout was started",
            next=f"ops release list {place.service.name}",
        )
    if path.resolve().parent != home:
        raise Refused(
            f"{path} does not lie in {home}: every region finds the releases of {place.service.name} there, in Git",
            not_done="no rollout was started",
            next=f"move it to {home}/<version>.yaml, if it is one of {place.service.name}",
        )
    return path.stem


def new_plan(place: Place, version: str) -> Plan:
    """A frozen plan towards `version`. Raises NothingToDo, Locked while another rollout is open, RegionDown."""
    from loadtests.run.ordered import fingerprint

    nothing_open(place)
    stable = place.record.read()
    if stable == version:
        raise NothingToDo(f"{place.service.name} in {place.region} already runs {version}")
    profile = place.load_profile()
    traces = fingerprint(profile) if profile else ""
    return freeze(_change(place, stable, version), place.service, place.thresholds(), profile, traces)


def undo_plan(place: Place) -> Plan:
    """A plan back to the release that the last promotion replaced. Raises Refused where there is none."""
    nothing_open(place)
    stable = place.record.read()
    runs = place.runs.of(place.service.name, place.region)
    promoted = [run for run in runs if run.state.phase == "promoted" and run.plan.kind == "canary"]
    last = next((run for run in reversed(promoted) if run.plan.canary == stable), None)
    if last is None:
        raise Refused(
            f"no promotion of {stable} is in the journals of {place.service.name} in {place.region}",
            not_done="nothing was changed",
            next=f"ops release list {place.service.name}",
        )
    place.traffic().facts()
    return undo(_change(place, stable, last.plan.stable), place.service)


def _change(place: Place, stable: str, canary: str) -> Change:
    return Change(new_run(place.service.name, place.region), place.fleet.name, place.region, stable, canary)


def nothing_open(place: Place) -> None:
    """Raises Locked, naming who drives it, where a rollout of the service is under way."""
    run = place.runs.open(place.service.name, place.region)
    if run is not None:
        holder = place.lease("").holder()
        if holder and holder["run"] != run.plan.run:
            holder = None  # whoever asks holds it already, for a run of its own
        by = f", driven by {in_words(holder)}" if holder else ", and nobody drives it"
        raise Locked(
            f"{run.plan.run} is {run.state.phase}{by}",
            not_done="no rollout was started",
            next=f"ops rollout {'watch' if holder else 'resume'} {place.service.name}",
        )


@contextmanager
def held(place: Place, run: str, *, urgent: bool = False) -> Iterator[LeaseFile]:
    """The lease of the service, for `run`, in a region that nobody has alone, meanwhile. If urgent, who has is told.

    Raises Locked and CorruptFile before anything was changed.
    """
    service = place.service.name
    doing = Doing("rollout", f"a rollout of {service}", run, place.region, service)
    with place.activity.held(doing, "nothing was changed", _beside if urgent else None):
        lease = place.lease(run)
        lease.acquire(place.token_floor())
        try:
            yield lease
        finally:
            lease.release()


def _beside(taken: Locked) -> None:
    story(f"warning: {taken.what}; the way back does not wait for it")


def counted(place: Place) -> list[str]:
    """Loads that stand for users of the service here, in words: a rollout is judged by their requests too."""
    here = [one for one in place.activity.holders() if one.doing.region == place.region and one.doing.kind == "load"]
    return [
        f"{one.in_words()}: its requests count for the judge" for one in here if one.doing.service == place.service.name
    ]


def begin(place: Place, plan: Plan, lease: LeaseFile) -> Run:
    """Write the plan as the first line of its journal: from here on the rollout exists and can be resumed.

    Only who holds the lease may. Raises Locked where somebody else began one since the plan was made, Refused where
    the release of record moved.
    """
    with locked(place.begin_lock):
        lease.renew()
        nothing_open(place)
        now = place.record.read()
        if now != plan.stable:
            raise Refused(
                f"{place.service.name} in {place.region} runs {now} by now, and the plan is for {plan.stable}",
                not_done="no rollout was started",
                next="the same command again, for a new plan",
            )
        place.runs.journal(plan.run).append("plan", plan=plan.to_json(), digest=plan.digest())
    return place.runs.find(plan.run)
