"""What Pulumi's engine says, in the words of the loop: steps, events, outcomes, failures. Asks nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from cli.provision.failure import Class, Failed, classify
from cli.provision.plan import CHANGES, Step
from cli.provision.ports import Hear, Outcome
from cli.provision.progress import Event
from infra.engine.deploy import Failure, ProgramFailed, Progress, ResourceFailed, RunCancelled, StackLocked
from infra.engine.deploy import Outcome as Ran
from infra.engine.deploy import Step as Said
from infra.engine.event import tally
from infra.errors import OpsError
from infra.rendering.render import RenderedStack

REAL = ("azure-native:", "kubernetes:")
"""Types of what is in Azure or in a cluster; all others only group them."""

GIVEN: tuple[tuple[type[OpsError], Class], ...] = (
    (ProgramFailed, "gate"),
    (RunCancelled, "interrupted"),
    (StackLocked, "cancel"),
)
"""Errors that say by themselves which class of failure they are."""


def steps(plan: Iterable[Said]) -> tuple[Step, ...]:
    """What happens to real resources."""
    return tuple(
        Step(one.op, one.type, one.name, one.urn, one.protected, one.changes, one.replaces, one.values, one.retained)
        for one in plan
        if one.op == "tell" or (one.type.startswith(REAL) and one.op in (*CHANGES, "same"))
    )


def foreseen(rendered: RenderedStack) -> Iterable[Step]:
    """What a program would register: all of it is created."""
    for request in rendered.requests:
        options = rendered.options.get(request.id)
        yield Step("create", request.token, request.name, request.id, bool(options and options.protect))
    for body in rendered.objects:
        name = body["metadata"]["name"]
        yield Step("create", f"kubernetes:{body['apiVersion']}:{body['kind']}", name, name)


def outcome(work: Callable[[], Ran]) -> tuple[Outcome, OpsError | None]:
    """What came of it, and the error it ended with; only what is a bug of ours goes through."""
    try:
        return Outcome(_counts(work())), None
    except ResourceFailed as error:
        return Outcome(_counts(error.outcome), tuple(_failed(one) for one in error.failures)), error
    except OpsError as error:
        given = next((kind for family, kind in GIVEN if isinstance(error, family)), None)
        return Outcome({}, (Failed("", "", error.what, given),)), error


def refused(error: OpsError | None) -> tuple[str, ...]:
    """Urns of what is there and Azure will not change so, where nothing else went wrong. The engine's own way past
    failures (--continue-on-error) ends at the first resource that has an input from the failed one."""
    failures = error.failures if isinstance(error, ResourceFailed) else ()
    unmade = {one.urn for one in error.unmade} if isinstance(error, ResourceFailed) else set()
    if not all(one.status and one.urn not in unmade and classify(one.message).kind == "mend" for one in failures):
        return ()
    return tuple(one.urn for one in failures)


def both(first: Outcome, second: Outcome) -> Outcome:
    """Two runs of one `up`: the changes of both, and all that failed."""
    changes = {op: first.changes.get(op, 0) + second.changes.get(op, 0) for op in CHANGES}
    return Outcome({op: number for op, number in changes.items() if number}, (*first.failed, *second.failed))


def heard(hear: Hear) -> Callable[[Progress], None]:
    """Who tells of each event of a real resource."""

    def tell(progress: Progress) -> None:
        one = progress.step
        if one.type.startswith(REAL):
            hear(Event(progress.kind, one.op, one.type, one.name, one.urn, time.monotonic()))

    return tell


def type_of(urn: str) -> str:
    """The type in a urn, without those of its parents."""
    return urn.rpartition("::")[0].rpartition("::")[2].rpartition("$")[2]


def name_of(urn: str) -> str:
    """The name in a urn."""
    return urn.rpartition("::")[2]


def _counts(ran: Ran) -> dict[str, int]:
    found = tally(tuple(one for one in ran.steps if one.type.startswith(REAL)))
    return {op: found[op] for op in CHANGES if found[op]}


def _failed(failure: Failure) -> Failed:
    return Failed(type_of(failure.urn), name_of(failure.urn), failure.message)
