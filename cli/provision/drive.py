"""The loop over the stacks: intent to the journal, act, outcome to the journal; stops at the first that cannot be made.

Decides by the plan that a person said yes to, and knows neither the engine nor where journals lie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cli.provision.failure import AGAIN, Failed
from cli.provision.plan import CHANGES, StackPlan, Step, new_perils
from cli.provision.ports import Clock, Engine, Hear, Journal, Locks, Outcome, Stage
from infra.blueprint.stack import Stack

TRIES = 3  # of one stack: what converges does so in two re-runs, else a person must look
PAUSE = 10.0  # seconds before a second try; Azure's own Retry-After was waited for by the provider already


@dataclass(frozen=True, slots=True)
class Ports:
    """What the loop works with. `stop` says whether a person asked to stop after what is under way."""

    run: str
    engine: Engine
    journal: Journal
    locks: Locks
    clock: Clock
    stage: Stage
    stop: Callable[[], bool]


Work = tuple[Stack, StackPlan]  # in the order of the work


@dataclass(frozen=True, slots=True)
class Done:
    """All stacks are as planned; `changes` by stack."""

    changes: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Broke:
    """A stack failed: those before it are done, those after it were not touched."""

    stack: StackPlan
    failed: tuple[Failed, ...]
    done: tuple[StackPlan, ...]
    left: tuple[StackPlan, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person stopped it between two stacks, or in one (`stack`), which then ended its open operations."""

    done: tuple[StackPlan, ...]
    left: tuple[StackPlan, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done before would now cost something protected that nobody said yes to: nothing of this was done."""

    stack: StackPlan
    perils: tuple[Step, ...]
    done: tuple[StackPlan, ...]
    left: tuple[StackPlan, ...]


End = Done | Broke | Stopped | Moved


def drive(work: Sequence[Work], operation: str, ports: Ports) -> End:
    """Bring every stack to its plan, one after the other, and write the end of the run."""
    changes: dict[str, dict[str, int]] = {}
    for place, (stack, planned) in enumerate(work):
        done, left = _plans(work[:place]), _plans(work[place:])
        if ports.stop():
            return _ended(ports, Stopped(done, left))
        if not (planned.changing or planned.telling or any(changes.values())):
            ports.journal.append("outcome", stack=stack.reference, result="unchanged")
            ports.stage.end(planned.title, "no changes")
            changes[stack.reference] = {}
            continue
        with ports.locks.held(stack):
            ports.engine.keep(stack, ports.run)
            keep_guard = ports.engine.let_go(stack, planned.perils) if operation == "up" and planned.perils else None
            perils = _moved(stack, planned, operation, any(changes.values()) or keep_guard is not None, ports)
            if perils:
                if keep_guard:
                    keep_guard()
                return _ended(ports, Moved(planned, perils, done, left))
            outcome = _tried(stack, planned, operation, ports)
        if not outcome.ok:
            return _ended(ports, _broken(planned, outcome, done, left, ports))
        changes[stack.reference] = dict(outcome.changes)
    return _ended(ports, Done(changes))


def _plans(work: Sequence[Work]) -> tuple[StackPlan, ...]:
    return tuple(planned for _, planned in work)


def _moved(stack: Stack, planned: StackPlan, operation: str, changed: bool, ports: Ports) -> tuple[Step, ...]:
    """What an `up` would strike now and did not when it was confirmed. Looks only where something changed since."""
    if operation != "up" or planned.foreseen or not changed:
        return ()
    now = StackPlan(planned.kind, planned.name, planned.region, ports.engine.preview(stack))
    return new_perils(planned, now)


def _tried(stack: Stack, planned: StackPlan, operation: str, ports: Ports) -> Outcome:
    """The outcome of the last try, with the changes of all; what Azure was too busy for, or did not answer, is tried
    again after a look."""
    hear = ports.stage.begin(planned.title, len(planned.changing))
    changes: Counter[str] = Counter()
    for again in range(TRIES):
        outcome = _once(stack, planned, operation, hear, ports)
        changes.update(outcome.changes)
        if outcome.ok or again == TRIES - 1 or ports.stop() or not _worth_it(outcome):
            break
        ports.clock.wait(PAUSE)
        _looked(stack, ports)
    outcome = replace(outcome, changes={op: changes[op] for op in CHANGES if changes[op]})
    ports.stage.end(planned.title, "interrupted" if ports.stop() and not outcome.ok else _words(outcome))
    return outcome


def _once(stack: Stack, planned: StackPlan, operation: str, hear: Hear, ports: Ports) -> Outcome:
    """One try. Past a failure only what is made or changed is done: no pool goes where its successor did not come."""
    ports.journal.append("intent", stack=stack.reference, do=operation)
    if operation == "destroy":
        outcome = ports.engine.destroy(stack, hear)
    else:
        outcome = ports.engine.up(stack, hear, past_failures=not planned.losing)
    told = [{"type": one.type, "name": one.name, "class": one.kind, "message": one.message} for one in outcome.failed]
    result = "done" if outcome.ok else "failed"
    ports.journal.append("outcome", stack=stack.reference, result=result, changes=dict(outcome.changes), failed=told)
    return outcome


def _worth_it(outcome: Outcome) -> bool:
    """Whether every failure is one that trying again mends. A person who stopped it wants no second try."""
    kinds = {one.kind for one in outcome.failed}
    return kinds <= AGAIN - {"interrupted"}


def _looked(stack: Stack, ports: Ports) -> None:
    ports.journal.append("intent", stack=stack.reference, do="settle")
    found = ports.engine.settle(stack)
    ports.journal.append("settled", stack=stack.reference, result="settled", found=found)


def _words(outcome: Outcome) -> str:
    if outcome.ok:
        told = ", ".join(f"{number} {op}" for op, number in outcome.changes.items() if number)
        return f"done: {told}" if told else "done: nothing had to change"
    first = outcome.failed[0]
    return f"failed: {first.title}: {first.words}"


def _broken(
    planned: StackPlan, outcome: Outcome, done: tuple[StackPlan, ...], left: tuple[StackPlan, ...], ports: Ports
) -> End:
    """A failure, or the end that a person asked for."""
    kinds = {one.kind for one in outcome.failed}
    if ports.stop() or kinds == {"interrupted"}:
        return Stopped(done, left)
    return Broke(planned, outcome.failed, done, left[1:])


def _ended(ports: Ports, end: End) -> End:
    match end:
        case Done(changes):
            ports.journal.append("end", result="done", changes=changes)
        case Stopped():
            ports.journal.append("end", result="interrupted")
        case Broke(stack, failed):
            ports.journal.append("end", result="failed", why=f"{stack.title}: {failed[0].title}")
        case Moved(stack):
            ports.journal.append("end", result="failed", why=f"{stack.title}: not what was confirmed")
    return end
