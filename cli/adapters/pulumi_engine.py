"""Pulumi's engine as the loop over the stacks wants it: steps, events and outcomes in its words. Prints nothing."""

from __future__ import annotations

import copy
import re
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from cli.provision.failure import Class, Failed, classify
from cli.provision.plan import CHANGES, Step
from cli.provision.ports import Hear, Outcome, Standing
from cli.provision.progress import Event
from infra.azure import generic
from infra.azure.shape import shape
from infra.blueprint.node_pool import API_VERSION
from infra.blueprint.stack import Stack
from infra.engine.deploy import (
    Engine,
    EngineFailed,
    Failure,
    Pending,
    ProgramFailed,
    Progress,
    ResourceFailed,
    RunCancelled,
    StackLocked,
)
from infra.engine.deploy import Outcome as Ran
from infra.engine.deploy import Step as Said
from infra.engine.drift import OWN_TAGS
from infra.engine.event import tally
from infra.errors import InvalidInput, OpsError
from infra.fleet import Fleet
from infra.rendering.render import render
from infra.store import CorruptFile, read_json, write_json

REAL = ("azure-native:", "kubernetes:")
"""Types of what is in Azure or in a cluster; all others only group them."""
STACK = "pulumi:pulumi:Stack"


There = Callable[[str, str], Mapping[str, Any] | None]
PATIENCE = 60.0  # seconds that an engine may need to end after its command was killed: it ends what is under way


class NotKept(InvalidInput):
    """No state of before such a run was kept."""


class NotPending(InvalidInput):
    """No creation of such a resource began without an end."""


class PulumiEngine:
    """The stacks of one fleet under Pulumi.

    `there` is what Azure has of a resource (id, API version); `kept` is where states of before a run are put.
    """

    def __init__(self, engine: Engine, fleet: Fleet, file: Path, there: There, kept: Path) -> None:
        self._engine = engine
        self._fleet = fleet
        self._file = file
        self._there = there
        self._kept = kept
        self._unmade: dict[Stack, tuple[Pending, ...]] = {}  # of the last `up`: creations that failed

    def standing(self, stacks: Iterable[Stack]) -> dict[Stack, Standing]:
        """How far each stack is: by what its state holds, and whether it exports anything."""
        return {stack: self._standing(stack) for stack in stacks}

    def _standing(self, stack: Stack) -> Standing:
        if not self._engine.exists(stack):
            return "absent"
        held = self._engine.export(stack)["deployment"].get("resources") or []
        real = any(one["type"].startswith(REAL) for one in held)
        exports = any(one["type"] == STACK and one.get("outputs") for one in held)
        return "whole" if real and exports else "partial" if real else "absent"

    def preview(self, stack: Stack) -> tuple[Step, ...]:
        """What `up` would do."""
        return _steps(self._engine.preview(stack, refresh=True))

    def foresee(self, stacks: Iterable[Stack]) -> dict[Stack, tuple[Step, ...]]:
        """What the programs would register, had what they refer to been made: all of it is created."""
        rendered = {one.stack.reference: one for one in render(self._fleet, self._file)}
        return {stack: tuple(_foreseen(rendered[stack.reference])) for stack in stacks}

    def drift(self, stack: Stack) -> tuple[Step, ...]:
        """What somebody else changed or deleted."""
        return _steps(self._engine.drift(stack))

    def leftover(self, stack: Stack) -> tuple[Step, ...]:
        """All that the state holds, to be deleted."""
        held = self._engine.export(stack)["deployment"].get("resources") or []
        real = [one for one in held if one["type"].startswith(REAL) and not one.get("external")]
        return tuple(
            Step("delete", one["type"], _name(one["urn"]), one["urn"], bool(one.get("protect"))) for one in real
        )

    def let_go(self, stack: Stack, perils: Sequence[Step]) -> Callable[[], None]:
        """Say in the state that these are not protected; what is replaced is not left in Azure beside its successor."""
        before = self._engine.export(stack)
        after, ops = copy.deepcopy(before), {step.urn: step.op for step in perils}
        for one in after["deployment"].get("resources") or []:
            if one["urn"] in ops:
                one["protect"] = False
                one["retainOnDelete"] = bool(one.get("retainOnDelete")) and ops[one["urn"]] != "replace"
        self._engine.restore(stack, after)
        return lambda: self._engine.restore(stack, before)

    def up(self, stack: Stack, hear: Hear, past_failures: bool = False) -> Outcome:
        """Make it what its program says. A creation that failed although it is there now, and is ours, is of the class
        `converge`: `settle` takes it in."""
        outcome, error = self._up(stack, hear)
        but: tuple[str, ...] = ()
        while past_failures and (refused := _refused(error)):  # never the same twice: it is left out
            but += refused
            more, error = self._up(stack, hear, but)
            outcome = _both(outcome, more)
        self._unmade[stack] = error.unmade if isinstance(error, ResourceFailed) else ()
        made = self._made(stack) if any(one.kind == "import" for one in outcome.failed) else ()
        ours = {(_type(one.urn), _name(one.urn)) for one in made}
        failed = tuple(
            replace(one, given="converge") if one.kind == "import" and (one.type, one.name) in ours else one
            for one in outcome.failed
        )
        return replace(outcome, failed=failed)

    def _up(self, stack: Stack, hear: Hear, but: tuple[str, ...] = ()) -> tuple[Outcome, OpsError | None]:
        work = partial(self._engine.up, stack, _heard(hear), refresh=True, but=but)
        return _outcome(lambda: self._freed(stack, work))

    def destroy(self, stack: Stack, hear: Hear) -> Outcome:
        """Take all of it away; what is protected, or would outlive its stack, is let go first."""
        self._let_all_go(stack)
        return _outcome(lambda: self._freed(stack, lambda: self._engine.destroy(stack, _heard(hear))))[0]

    def _freed(self, stack: Stack, work: Callable[[], Ran]) -> Ran:
        """Do it; where an engine that is dead by now left its lock, after a look at what it did."""
        try:
            return work()
        except StackLocked as error:
            if not _ended(error.what, patience=0):
                raise
        self.settle(stack)
        return work()

    def _let_all_go(self, stack: Stack) -> None:
        """Say in the state that nothing of it is to be kept; the program says otherwise, and is not asked."""
        held = self._engine.export(stack)
        resources = held["deployment"].get("resources") or []
        kept = [one for one in resources if one.get("protect") or one.get("retainOnDelete")]
        for one in kept:
            one["protect"] = one["retainOnDelete"] = False
        if kept:
            self._engine.restore(stack, held)

    def settle(self, stack: Stack) -> str:
        """Take a dead engine's lock away, and take into the state what is there. Raises Locked where one works on."""
        if not self._engine.exists(stack):
            return "it was not begun"
        pending = self._engine.pending(stack)
        unlocked = self._unlocked(lambda: self._look(stack), stack)
        found = [f"{len(pending)} operations were under way"] if pending else []
        told = ", ".join([*unlocked, *found])
        return f"looked at: {told}; what is there is known now" if told else "looked at: nothing was left undone"

    def _look(self, stack: Stack) -> None:
        """Take what was made into the state, forget what was not, and read all of it anew."""
        if made := self._made(stack):
            self._engine.refresh(stack, made=made)
        self._engine.refresh(stack)
        self._unmade.pop(stack, None)

    def _unlocked(self, look: Callable[[], None], stack: Stack) -> list[str]:
        """Do it; where a dead engine's lock is in the way, without that lock. One that is ending is waited for."""
        try:
            look()
        except StackLocked as error:
            if not _ended(error.what):
                raise
            with suppress(EngineFailed):  # it took its lock away in the same moment
                self._engine.cancel(stack)
            look()
            return ["its engine was dead, and its lock is gone"]
        return []

    def cancel(self, stack: Stack) -> None:
        """Take a lock away, whoever holds it."""
        self._engine.cancel(stack)

    def _made(self, stack: Stack) -> tuple[Pending, ...]:
        """Creations that began, or failed, and whose resource is there nevertheless."""
        begun = (*self._engine.pending(stack), *self._unmade.get(stack, ()))
        creates = {one.urn: one for one in begun if one.op == "creating" and one.id}
        return tuple(one for one in creates.values() if self._is_ours(one))

    def _is_ours(self, made: Pending) -> bool:
        """Whether what is there is what this stack was making: its tags say so, where it can have any."""
        found = self._there(made.id, _api(made.urn))
        wanted = _tags(made.state.get("inputs") or {})
        return found is not None and all(_tags(found).get(key) == wanted[key] for key in OWN_TAGS if key in wanted)

    def adopt(self, stack: Stack, urn: str, id: str) -> None:
        """Take a resource into the state whose creation began. Raises NotPending where none of that urn did."""
        creating = [one.urn for one in self._engine.pending(stack) if one.op == "creating"]
        if urn not in creating:
            told = "; it is open of:\n  " + "\n  ".join(creating) if creating else ""
            raise NotPending(
                f"no creation of {urn} is open in {stack.project} {stack.name}{told}",
                not_done="nothing was changed",
                next="ops fleet up takes in what it finds; this is for a urn that a failure named",
            )
        asked = tuple(replace(one, id=id) for one in self._engine.pending(stack) if one.urn == urn)
        self._engine.refresh(stack, made=(*(one for one in self._made(stack) if one.urn != urn), *asked))

    def keep(self, stack: Stack, run: str) -> None:
        """Put the state aside as it is before the run."""
        if self._engine.exists(stack):
            write_json(self._kept / f"{stack.project}.{stack.name}" / f"{run}.json", self._engine.export(stack))

    def versions(self, stack: Stack) -> list[str]:
        """The runs before which the state was kept, the newest first."""
        folder = self._kept / f"{stack.project}.{stack.name}"
        return sorted((path.stem for path in folder.glob("*.json")), reverse=True)

    def restore(self, stack: Stack, run: str) -> None:
        """Put the state of before a run in place of the one that is there. Raises NotKept, CorruptFile."""
        if run not in self.versions(stack):
            known = ", ".join(self.versions(stack)) or "none was kept"
            raise NotKept(f"no state of before {run!r} was kept; known: {known}", not_done="nothing was changed")
        path = self._kept / f"{stack.project}.{stack.name}" / f"{run}.json"
        kept = read_json(path)
        if not isinstance(kept, dict) or "deployment" not in kept:
            raise CorruptFile(f"{path} is not the state of a stack", not_done="nothing was changed")
        self._engine.restore(stack, kept)


def _steps(plan: Iterable[Said]) -> tuple[Step, ...]:
    """What happens to real resources."""
    return tuple(
        Step(one.op, one.type, one.name, one.urn, one.protected, one.changes, one.replaces, one.values, one.retained)
        for one in plan
        if one.op == "tell" or (one.type.startswith(REAL) and one.op in (*CHANGES, "same"))
    )


def _foreseen(rendered: Any) -> Iterable[Step]:
    for request in rendered.requests:
        options = rendered.options.get(request.id)
        yield Step("create", request.token, request.name, request.id, bool(options and options.protect))
    for body in rendered.objects:
        name = body["metadata"]["name"]
        yield Step("create", f"kubernetes:{body['apiVersion']}:{body['kind']}", name, name)


def _outcome(work: Callable[[], Ran]) -> tuple[Outcome, OpsError | None]:
    """What came of it, and the error it ended with; only what is a bug of ours goes through."""
    try:
        return Outcome(_counts(work())), None
    except ResourceFailed as error:
        return Outcome(_counts(error.outcome), tuple(_failed(one) for one in error.failures)), error
    except OpsError as error:
        given = next((kind for family, kind in GIVEN if isinstance(error, family)), None)
        return Outcome({}, (Failed("", "", error.what, given),)), error


def _refused(error: OpsError | None) -> tuple[str, ...]:
    """Urns of what is there and Azure will not change so, where nothing else went wrong. The engine's own way past
    failures (--continue-on-error) ends at the first resource that has an input from the failed one."""
    failures = error.failures if isinstance(error, ResourceFailed) else ()
    unmade = {one.urn for one in error.unmade} if isinstance(error, ResourceFailed) else set()
    if not all(one.status and one.urn not in unmade and classify(one.message).kind == "mend" for one in failures):
        return ()
    return tuple(one.urn for one in failures)


def _both(first: Outcome, second: Outcome) -> Outcome:
    """Two runs of one `up`: the changes of both, and all that failed."""
    changes = {op: first.changes.get(op, 0) + second.changes.get(op, 0) for op in CHANGES}
    return Outcome({op: number for op, number in changes.items() if number}, (*first.failed, *second.failed))


GIVEN: tuple[tuple[type[OpsError], Class], ...] = (
    (ProgramFailed, "gate"),
    (RunCancelled, "interrupted"),
    (StackLocked, "cancel"),
)
"""Errors that say by themselves which class of failure they are."""


def _counts(ran: Ran) -> dict[str, int]:
    found = tally(tuple(one for one in ran.steps if one.type.startswith(REAL)))
    return {op: found[op] for op in CHANGES if found[op]}


def _failed(failure: Failure) -> Failed:
    return Failed(_type(failure.urn), _name(failure.urn), failure.message)


def _heard(hear: Hear) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        one = progress.step
        if one.type.startswith(REAL):
            hear(Event(progress.kind, one.op, one.type, one.name, one.urn, time.monotonic()))

    return tell


def _tags(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tags of a body or of inputs. Pools have none of their own: theirs are those of their machines."""
    tags = body.get("tags")
    return tags if isinstance(tags, Mapping) else {}


def _api(urn: str) -> str:
    """The API version that a resource is asked for with, by its type; a generic one is a GPU pool."""
    token = _type(urn)
    return API_VERSION if token == generic.TOKEN else shape(token, "inputs").api_version


def _type(urn: str) -> str:
    return urn.rpartition("::")[0].rpartition("::")[2].rpartition("$")[2]


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _ended(said: str, patience: float | None = None) -> bool:
    """Whether the engine that a lock names is dead, or dies in time; of another machine's that is not known here."""
    found = re.search(r"@(?P<host>[^\s()]+) \(pid (?P<pid>\d+)\)", said)
    if found is None or found["host"] != socket.gethostname():
        return False
    try:
        psutil.Process(int(found["pid"])).wait(timeout=PATIENCE if patience is None else patience)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True
