"""The acts on a rollout from a terminal: drive it, follow it, command it, and say how it ended."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

from cli.adapters.lease_file import LeaseFile
from cli.adapters.run_files import Run
from cli.opening import begin, held
from cli.rollouts.course import Course
from cli.rollouts.drive import TICK, Snapshot, drive, verdict_of
from cli.rollouts.plan import Plan
from cli.rollouts.state import State
from cli.screen import Screen
from cli.wiring import Place, argv, interruptible
from infra.errors import DeadlinePassed, GateFailed, Interrupted, InvalidInput, Locked, OpsError
from infra.store import write_json


class NotOpen(InvalidInput):
    """No rollout of the service is under way."""


def roll(place: Place, plan: Plan, timeout: float | None = None) -> tuple[Run, State]:
    """Begin the rollout of `plan` and drive it to its end in this process. Raises as `begin` and `lead` do."""
    place.check_up()
    with held(place, plan.run, urgent=_urgent(plan)) as lease:
        run = begin(place, plan, lease)
        return run, _driven(place, run, lease, timeout)


def detach(place: Place, plan: Plan) -> Run:
    """Begin the rollout of `plan` and hand the driving to the region's supervisor, which restarts a killed driver."""
    place.check_up()
    with held(place, plan.run) as lease:
        run = begin(place, plan, lease)
    words = ("rollout", "resume", place.service.name, "--keep-pause")  # a driver that was killed lifts no pause
    write_json(place.root / "jobs" / f"{plan.run}.json", {"name": plan.run, "argv": argv(place, *words)})
    return run


def lead(place: Place, run: Run, timeout: float | None = None) -> State:
    """Drive an open run to its end in this process. Raises Locked, RegionDown, Interrupted, DeadlinePassed."""
    place.check_up()
    with held(place, run.plan.run, urgent=_urgent(run.plan)) as lease:
        return _driven(place, run, lease, timeout)


def _urgent(plan: Plan) -> bool:
    """Whether it waits for nobody: a load that has the region alone must not keep anyone from the way back."""
    return plan.kind == "undo"


def _driven(place: Place, run: Run, lease: LeaseFile, timeout: float | None) -> State:
    until = _until(timeout)
    with interruptible() as asked, Screen() as screen:
        state = drive(run.journal, place.ports(lease), screen.show, lambda: asked() or _over(until))
        stopped = asked()
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
    lease, course = place.lease(run.plan.run), Course(run.journal)
    with interruptible() as asked, Screen() as screen:
        snapshot: Snapshot | None = None
        while True:
            holder, snapshot = lease.holder(), look(course, snapshot)
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


def look(course: Course, before: Snapshot | None) -> Snapshot:
    """What the journal says now; the judgement of the look `before` stands while there is nothing new."""
    from cli.rollouts.decision import decide
    from cli.rollouts.procedure import Hold

    state, now = course.state(), time.time()
    same = before is not None and (before.state.phase, before.state.looks) == (state.phase, state.looks)
    verdict = before.judged if before is not None and same else verdict_of(state)
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
            f"{state.plan.service} {'runs' if state.moved else 'stays on'} {state.release}: {state.reason}",
            not_done=f"{state.plan.canary} was not promoted",
            next=f"ops rollout explain {state.plan.run}",
        )
