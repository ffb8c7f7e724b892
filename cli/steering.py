"""The acts on a rollout from a terminal: open it, drive it, follow it, command it, take it back."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.adapters.run_files import Run, new_run
from cli.rollouts.drive import TICK, Snapshot, drive, verdict_of
from cli.rollouts.freeze import Change, freeze, undo
from cli.rollouts.plan import Plan
from cli.rollouts.state import State, replay
from cli.screen import Screen
from cli.wiring import Place, argv, interruptible
from infra.errors import (
    DeadlinePassed,
    GateFailed,
    Interrupted,
    InvalidInput,
    Locked,
    OpsError,
    Refused,
)
from infra.release import RELEASES, Release, load_release
from infra.store import locked, write_json
from runbooks.journal import Journal


class NothingToDo(Exception):
    """The service already runs that release."""


class NotOpen(InvalidInput):
    """No rollout of the service is under way."""


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
    nothing_open(place)
    stable = place.record.read()
    if stable == version:
        raise NothingToDo(f"{place.service.name} in {place.region} already runs {version}")
    return freeze(_change(place, stable, version), place.service, place.thresholds())


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


def _name(holder: dict[str, Any]) -> str:
    since = time.time() - holder["since"]
    return f"{holder['actor']} on {holder['host']} (process {holder['pid']}) for {since:.0f} s"


def nothing_open(place: Place) -> None:
    """Raises Locked, naming who drives it, where a rollout of the service is under way."""
    run = place.runs.open(place.service.name, place.region)
    if run is not None:
        holder = place.lease("").holder()
        by = f", driven by {_name(holder)}" if holder else ", and nobody drives it"
        raise Locked(
            f"{run.plan.run} is {run.state.phase}{by}",
            not_done="no rollout was started",
            next=f"ops rollout {'watch' if holder else 'resume'} {place.service.name}",
        )


def begin(place: Place, plan: Plan, reason: str = "") -> Run:
    """Write the plan as the first line of its journal: from here on the rollout exists and can be resumed.

    Raises Locked where somebody else began one since the plan was made, Refused where the release of record moved.
    """
    with locked(place.begin_lock):
        nothing_open(place)
        now = place.record.read()
        if now != plan.stable:
            raise Refused(
                f"{place.service.name} in {place.region} runs {now} by now, and the plan is for {plan.stable}",
                not_done="no rollout was started",
                next="the same command again, for a new plan",
            )
        place.runs.journal(plan.run).append("plan", plan=plan.to_json(), digest=plan.digest(), reason=reason)
    return place.runs.find(plan.run)


def detach(place: Place, run: Run) -> None:
    """Hand the driving to the region's supervisor, which restarts it if it is killed."""
    words = ("rollout", "resume", place.service.name, "--keep-pause")  # a driver that was killed lifts no pause
    write_json(
        place.root / "jobs" / f"{run.plan.run}.json",
        {"name": run.plan.run, "argv": argv(place, *words)},
    )


def lead(place: Place, run: Run, timeout: float | None = None) -> State:
    """Drive a run to its end in this process, showing it. Raises Locked, RegionDown, Interrupted, DeadlinePassed."""
    place.check_up()
    lease = place.lease(run.plan.run)
    until = _until(timeout)
    lease.acquire(place.token_floor())
    try:
        with interruptible() as asked, Screen() as screen:
            state = drive(run.journal, place.ports(lease), screen.show, lambda: asked() or _over(until))
            stopped = asked()
    finally:
        lease.release()
    if state.ended:
        return state
    raise _left(run, stopped)


def attend(place: Place, run: Run, timeout: float | None = None) -> State:
    """See a run to its end: watch it while somebody drives it, drive it when nobody does. Raises as `lead`."""
    until = _until(timeout)
    while True:
        if place.lease(run.plan.run).holder() is None:
            with suppress(_Overtaken):
                return _taken_over(place, run, until)
        state = _watched(place, run, until, while_driven=True)
        if state is not None:
            return state


class _Overtaken(Exception):
    """Somebody else took the lease first."""


def _taken_over(place: Place, run: Run, until: float | None) -> State:
    try:
        return lead(place, run, None if until is None else max(0.0, until - time.monotonic()))
    except Locked as error:
        if place.lease(run.plan.run).holder() is None:
            raise
        raise _Overtaken from error


def follow(place: Place, run: Run, timeout: float | None = None) -> State:
    """Watch a run until it ended, whoever drives it. Raises Interrupted and DeadlinePassed."""
    state = _watched(place, run, _until(timeout))
    assert state is not None
    return state


def _watched(place: Place, run: Run, until: float | None, while_driven: bool = False) -> State | None:
    """Watch until the end; `while_driven` until nobody drives it any more, and then None."""
    lease = place.lease(run.plan.run)
    with interruptible() as asked, Screen() as screen:
        while True:
            holder, snapshot = lease.holder(), look(run.journal)
            screen.show(snapshot if holder or snapshot.state.ended else replace(snapshot, hold=_driverless(run)))
            if snapshot.state.ended:
                return snapshot.state
            if while_driven and holder is None:
                return None
            if asked() or _over(until):
                raise _unwatched(run, asked(), holder is not None)
            time.sleep(TICK)


def _driverless(run: Run) -> str:
    return (
        f"nobody drives it; the canary has no traffic after {run.plan.expiry:g} s without a driver; "
        f"next: ops rollout resume {run.plan.service}"
    )


def look(journal: Journal) -> Snapshot:
    """What the journal says now."""
    from cli.rollouts.decision import decide
    from cli.rollouts.procedure import Hold

    state = replay(journal.events())
    assert state is not None
    verdict, now = verdict_of(state), time.time()
    decision = decide(state, verdict, now)
    return Snapshot(state, verdict, decision.reason if isinstance(decision, Hold) else "", now, verdict)


def _until(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _over(until: float | None) -> bool:
    return until is not None and time.monotonic() > until


def _left(run: Run, interrupted: bool) -> OpsError:
    kind = Interrupted if interrupted else DeadlinePassed
    why = "interrupted" if interrupted else "the timeout is over"
    return kind(
        f"{why}: {run.plan.run} has not ended and nobody drives it now; "
        f"its canary loses its traffic in {run.plan.expiry:g} s",
        not_done="the rollout was neither promoted nor rolled back",
        next=f"ops rollout resume {run.plan.service}, or ops rollout abort {run.plan.service}",
    )


def _unwatched(run: Run, interrupted: bool, driven: bool) -> OpsError:
    if not driven:
        return _left(run, interrupted)
    kind = Interrupted if interrupted else DeadlinePassed
    return kind(
        f"{'interrupted' if interrupted else 'the timeout is over'}: {run.plan.run} goes on, somebody else drives it",
        not_done="its end was not seen",
        next=f"ops rollout watch {run.plan.service}",
    )


def command(place: Place, name: str, reason: str) -> Run:
    """Append a command that the driver obeys at its next tick. Raises NotOpen where no rollout is open."""
    run = open_run(place)
    run.journal.append("command", command=name, reason=reason)
    return run


def when_obeyed(place: Place, run: Run) -> str:
    """When a command that was just given is obeyed, in words."""
    if place.lease(run.plan.run).holder():
        return "its driver obeys within a second"
    return f"nobody drives it: that counts once it is resumed (ops rollout resume {run.plan.service})"


def open_run(place: Place) -> Run:
    """The rollout of this service that has not ended. Raises NotOpen."""
    run = place.runs.open(place.service.name, place.region)
    if run is None:
        raise NotOpen(
            f"no rollout of {place.service.name} in {place.region} is under way",
            not_done="nothing was changed",
            next=f"ops rollout history {place.service.name}",
        )
    return run


def finish(place: Place, state: State) -> None:
    """Return where the rollout was promoted; raise GateFailed where it was rolled back."""
    if state.phase == "rolled back":
        raise GateFailed(
            f"{state.plan.service} stays on {state.plan.stable}: {state.reason}",
            not_done=f"{state.plan.canary} was not promoted",
            next=f"ops rollout explain {state.plan.run}",
        )
