"""Provisioning from a terminal: look at the stacks, settle what was killed, carry a plan out, say how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from cli.adapters.provision_files import new_run
from cli.console import story
from cli.estate import Estate
from cli.provision import failure, scope
from cli.provision.drive import Broke, Done, End, Moved, Ports, Stopped, Work, drive
from cli.provision.plan import FleetPlan, Operation, StackPlan, Step
from cli.provision.ports import Engine
from cli.provision.run import Run, opening
from cli.stage import LiveStage
from cli.wiring import interruptible
from infra.blueprint import stack as stack_of
from infra.blueprint.stack import Stack
from infra.engine.drift import NOT_TOLD, Drift, explain, loudest
from infra.errors import GateFailed, Inconclusive, Interrupted, Locked, OpsError, Refused, Unavailable


class Unfinished(Unavailable):
    """A stack could not be made what it should be: Azure, or the engine, refused."""


class OutcomeUnknown(Inconclusive):
    """Azure did not say whether it was done; the next run looks."""


class PlanMoved(Refused):
    """The plan that was confirmed is not what would happen now."""


class SystemClock:
    """The wall clock."""

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def plan_up(place: Estate, engine: Engine, tell: Callable[[str], None] = story) -> tuple[list[Work], FleetPlan]:
    """What `up` would do, stack by stack. What refers to something that is not there yet is foreseen by its program."""
    needed = {one for stack in place.picked for one in stack_of.needs(stack, place.everything)}
    standing = engine.standing(one for one in place.everything if one in needed or one in place.picked)
    whole = {stack for stack, how in standing.items() if how == "whole"}
    chosen = scope.to_make(place.picked, place.everything, whole)
    seen = [stack for stack in chosen if whole.issuperset(stack_of.needs(stack, place.everything))]
    foreseen = engine.foresee([stack for stack in chosen if stack not in seen]) if len(seen) < len(chosen) else {}
    work: list[Work] = []
    for stack in chosen:
        if stack in seen:
            tell(f"looking at {scope.title(stack)}")
        steps = engine.preview(stack) if stack in seen else foreseen[stack]
        work.append((stack, _plan(stack, steps, stack not in seen)))
    return work, _fleet_plan(place, "up", work)


def plan_destroy(place: Estate, engine: Engine) -> tuple[list[Work], FleetPlan]:
    """What `destroy` would take away, in the order it goes. Raises StillNeeded."""
    present = {stack for stack, how in engine.standing(place.everything).items() if how != "absent"}
    chosen = scope.to_take(place.picked, place.everything, present, place.fleet)
    work: list[Work] = [(stack, _plan(stack, engine.leftover(stack), False)) for stack in chosen]
    return work, _fleet_plan(place, "destroy", work)


def _plan(stack: Stack, steps: Sequence[Step], foreseen: bool) -> StackPlan:
    return StackPlan(stack.kind, stack.name, stack.region, tuple(steps), foreseen)


def _fleet_plan(place: Estate, operation: Operation, work: Sequence[Work]) -> FleetPlan:
    fleet, azure = place.fleet, place.fleet.azure
    subscription = azure.subscription if azure else ""
    plans = tuple(plan for _, plan in work)
    return FleetPlan(operation, fleet.name, fleet.environment, subscription, place.region, place.emulated, plans)


def settle(place: Estate, engine: Engine, tell: Callable[[str], None] = story) -> list[Run]:
    """End every killed run: what it left unknown is looked at, never repeated blindly. Raises Locked."""
    orphans = place.runs.orphans(place.emulated)
    for run in orphans:
        journal = place.runs.journal(run.name)
        tell(f"{run.name} ({run.operation}, by {run.actor}) was killed; {_left(run)}")
        for stack in (one for one in place.everything if one.reference == run.unknown):
            with place.runs.held(stack):
                found = engine.settle(stack)
            journal.append("settled", stack=stack.reference, result="settled", found=found)
            tell(f"{scope.title(stack)}: {found}")
        journal.append("end", result="settled", why="it was killed; a later run looked at what it left")
    return orphans


def _left(run: Run) -> str:
    if run.unknown is None:
        return f"nothing was under way; {len(run.left)} stacks were not reached"
    return f"{run.unknown} was under way: looking at it"


def carry_out(place: Estate, engine: Engine, work: Sequence[Work], plan: FleetPlan) -> tuple[str, End]:
    """Carry a confirmed plan out, journalled: the run and how it ended. Raises Locked before anything is done."""
    run = new_run(plan.operation)
    journal = place.runs.journal(run)
    with place.runs.driving(run), interruptible() as stop, LiveStage() as stage:
        place.runs.check_free(stack for stack, _ in work)
        journal.append("plan", **opening(plan, [stack.reference for stack, _ in work]))
        ports = Ports(run, engine, journal, place.runs, SystemClock(), stage, stop)
        return run, drive(work, plan.operation, ports)


def finish(place: Estate, plan: FleetPlan, end: End) -> Done:
    """Return what was done where all is; else raise what a person must know, with the next command."""
    match end:
        case Done():
            return end
        case Stopped(done, left):
            raise Interrupted(
                f"interrupted; what was under way has ended. {_done(done)}",
                not_done=", ".join(stack.title for stack in left) or "nothing is left",
                next=place.command(plan.operation),
            )
        case Moved(stack, perils, done, left):
            named = ", ".join(f"{step.op} {step.kind} {step.name}" for step in perils)
            raise PlanMoved(
                f"{stack.title} would now {named}, which nobody said yes to. {_done(done)}",
                not_done=", ".join(stack.title for stack in left),
                next=f"{place.command(plan.operation)}, for a new plan",
            )
        case Broke(stack, failed, done, left):
            raise _broken(place, stack, failed, _done(done), _names("not reached", left))


def _broken(place: Estate, stack: StackPlan, failed: Sequence[failure.Failed], done: str, left: str) -> OpsError:
    first = failed[0]
    lines = [f"{stack.title} of fleet {place.fleet.name} was not finished. {done}"]
    lines += [f"  {line}" for one in failed for line in failure.told(one)]
    not_done = "; ".join(filter(None, (f"{first.title} is not as it should be", left)))
    error = CATEGORIES.get(first.kind, Unfinished)
    return error(
        "\n".join(lines), not_done=not_done, next=failure.advice(first, stack.kind, stack.region, place.emulated)
    )


CATEGORIES: dict[str, type[OpsError]] = {
    "converge": OutcomeUnknown,
    "cancel": Locked,
    "gate": GateFailed,
    "interrupted": Interrupted,
}
"""Class of a failure -> what it is for whoever called; all others: Azure did not answer or refused us."""


def _done(stacks: Sequence[StackPlan]) -> str:
    return f"Done: {', '.join(stack.title for stack in stacks)}" if stacks else "Nothing before it had to be done"


def _names(what: str, stacks: Sequence[StackPlan]) -> str:
    return f"{what}: {', '.join(stack.title for stack in stacks)}" if stacks else ""


def drifted(place: Estate, engine: Engine, tell: Callable[[str], None] = story) -> list[dict[str, Any]]:
    """What was changed outside, stack by stack, each change with what it means. Changes nothing."""
    standing = engine.standing(place.picked)
    found = []
    for stack in (one for one in place.picked if standing[one] != "absent"):
        tell(f"looking at {scope.title(stack)}")
        steps = engine.drift(stack)
        changes = [_drift(step) for step in steps]
        found.append({"stack": stack.reference, "title": scope.title(stack), "changes": changes})
    return found


def _drift(step: Step) -> dict[str, Any]:
    """One change, and for each property what it is, who makes such changes and what `up` does about it."""
    paths = step.changes if step.op != "delete" else ("",)
    drifts = [Drift(step.type, step.name, path, *step.values.get(path, ())) for path in paths]
    loud = loudest(drifts)
    rows = [_explained(one) for one in drifts]
    return {"op": step.op, "type": step.type, "kind": step.kind, "name": step.name, "loud": loud, "told": rows}


def _explained(drift: Drift) -> dict[str, Any]:
    """One property: from what to what where that is known, and what it is."""
    said = explain(drift)
    values = {"ours": drift.ours, "found": drift.found} if drift.found is not NOT_TOLD else {}
    return {"path": drift.path, **values, "what": said.kind, "who": said.who, "up": said.up, "loud": said.loud}
