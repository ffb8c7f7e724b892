"""Test doubles of the provisioning ports: an Azure and an engine in memory that forget nothing and can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from cli.provision.failure import Failed
from cli.provision.plan import PERILS, Step, counts
from cli.provision.ports import Hear, Outcome, Standing
from cli.provision.progress import Event
from infra.blueprint.stack import Stack
from infra.errors import Locked
from infra.fleet import load_fleet

DEMO = load_fleet("demo")
ATLAS = load_fleet("atlas")

Fault = Literal["busy", "unanswered", "quota", "killed", "stopped"]
MESSAGES: dict[str, str] = {
    "busy": 'Status=409 Code="AnotherOperationInProgress" Message="Another operation is in progress."',
    "unanswered": 'Status=500 Code="InternalServerError" Message="The server could not complete the request."',
    "quota": 'Status=409 Code="QuotaExceeded" Message="Approved quota of standardNCadsH100v5 is 0, 80 are asked for."',
    "stopped": "update cancelled",
}
THERE = 'Status=409 Code="ResourceAlreadyExists" Message="cannot create already existing resource"'


class Killed(BaseException):
    """The process of the command is gone: nothing after this runs in it."""


@dataclass
class FakeEngine:
    """Stacks as resources with a version. `azure` is what is there, `known` what the engine's state says.

    A call that meets a fault of `faults` (stack's kind, resource -> what happens) meets it once. What is created must
    not be there: who repeats blindly what may have been done fails.
    """

    wanted: dict[str, dict[str, int]]
    protected: frozenset[str] = frozenset()
    faults: list[tuple[str, str, Fault]] = field(default_factory=list)
    azure: dict[str, dict[str, int]] = field(default_factory=dict)
    known: dict[str, dict[str, int]] = field(default_factory=dict)
    open: dict[str, set[str]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)  # protected, and let go
    telling: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by stack: outputs that change
    past_failures: dict[str, bool] = field(default_factory=dict)  # by stack: as the last `up` was asked

    def standing(self, stacks: Iterable[Stack]) -> dict[Stack, Standing]:
        return {stack: self._standing(stack) for stack in stacks}

    def _standing(self, stack: Stack) -> Standing:
        known = self.known.get(stack.reference, {})
        missing = self.wanted[stack.kind].keys() - known.keys()
        return "absent" if not known else "partial" if missing else "whole"

    def preview(self, stack: Stack) -> tuple[Step, ...]:
        self.calls.append(("preview", stack.reference))
        outputs = self.telling.get(stack.reference, ())
        return (*self._steps(stack), *([Step("tell", "stack", stack.name, "", changes=outputs)] if outputs else []))

    def foresee(self, stacks: Iterable[Stack]) -> Mapping[Stack, tuple[Step, ...]]:
        return {stack: tuple(self._step("create", stack, name) for name in self.wanted[stack.kind]) for stack in stacks}

    def drift(self, stack: Stack) -> tuple[Step, ...]:
        there, known = self.azure.get(stack.reference, {}), self.known.get(stack.reference, {})
        differs = [name for name in known if there.get(name) != known[name]]
        return tuple(self._step("update" if name in there else "delete", stack, name) for name in differs)

    def leftover(self, stack: Stack) -> tuple[Step, ...]:
        return tuple(self._step("delete", stack, name) for name in self.known.get(stack.reference, {}))

    def let_go(self, stack: Stack, perils: Sequence[Step]) -> Callable[[], None]:
        self.gone |= {step.urn for step in perils}
        return self.gone.clear

    def up(self, stack: Stack, hear: Hear, past_failures: bool) -> Outcome:
        self.calls.append(("up", stack.reference))
        self.past_failures[stack.reference] = past_failures
        steps = list(self._steps(stack))
        if guarded := [one for one in steps if one.protected and one.op in PERILS and one.urn not in self.gone]:
            return Outcome({}, (Failed(guarded[0].type, guarded[0].name, "it is marked for protection"),))
        return self._work(stack, steps, hear)

    def destroy(self, stack: Stack, hear: Hear) -> Outcome:
        self.calls.append(("destroy", stack.reference))
        return self._work(stack, list(self.leftover(stack)), hear)

    def settle(self, stack: Stack) -> str:
        self.calls.append(("settle", stack.reference))
        unsure = self.open.pop(stack.reference, set())
        there, known = self.azure.get(stack.reference, {}), self.known.setdefault(stack.reference, {})
        for name in unsure:
            known.pop(name, None)
            known.update({name: there[name]} if name in there else {})
        return f"looked at: {len(unsure)} operations were under way"

    def keep(self, stack: Stack, run: str) -> None:
        self.calls.append(("keep", stack.reference))

    def _steps(self, stack: Stack) -> Iterator[Step]:
        known, wanted = self.known.get(stack.reference, {}), self.wanted[stack.kind]
        for name, version in wanted.items():
            if name not in known:
                yield self._step("create", stack, name)
            elif known[name] != version:
                yield self._step("replace" if name.startswith("fixed") else "update", stack, name)
        yield from (self._step("delete", stack, name) for name in known if name not in wanted)

    def _step(self, op: str, stack: Stack, name: str) -> Step:
        paths = ("size",) if op in ("update", "replace") else ()
        urn = f"{stack.reference}::{name}"
        replaces = paths if op == "replace" else ()
        return Step(op, f"azure-native:test:{name.title()}", name, urn, name in self.protected, paths, replaces)

    def _work(self, stack: Stack, steps: list[Step], hear: Hear) -> Outcome:
        done: list[Step] = []
        for step in steps:
            hear(Event("started", step.op, step.type, step.name, step.urn, 0.0))
            failed = self._one(stack, step)
            if failed:
                hear(Event("failed", step.op, step.type, step.name, step.urn, 0.0, failed.message))
                return Outcome(counts(done), (failed,))
            done.append(step)
            hear(Event("done", step.op, step.type, step.name, step.urn, 0.0))
        return Outcome(counts(done))

    def _one(self, stack: Stack, step: Step) -> Failed | None:
        there = self.azure.setdefault(stack.reference, {})
        known = self.known.setdefault(stack.reference, {})
        fault = self._fault(stack, step.name)
        if fault in ("busy", "quota", "stopped"):
            return Failed(step.type, step.name, MESSAGES[fault])
        if step.op == "create" and step.name in there:
            return Failed(step.type, step.name, THERE)
        _carry_out(step, there, self.wanted[stack.kind])
        if fault in ("killed", "unanswered"):
            self.open.setdefault(stack.reference, set()).add(step.name)
            if fault == "killed":
                raise Killed
            return Failed(step.type, step.name, MESSAGES[fault])
        _carry_out(step, known, self.wanted[stack.kind])
        return None

    def _fault(self, stack: Stack, name: str) -> Fault | None:
        for met in self.faults:
            if met[:2] == (stack.kind, name):
                self.faults.remove(met)
                return met[2]
        return None


def _carry_out(step: Step, resources: dict[str, int], wanted: Mapping[str, int]) -> None:
    if step.op == "delete":
        resources.pop(step.name, None)
    else:
        resources[step.name] = wanted[step.name]


@dataclass
class FakeJournal:
    """Lines in memory."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def append(self, kind: str, **payload: Any) -> None:
        self.lines.append((kind, payload))


@dataclass
class FakeLocks:
    """Locks that `taken` (references of stacks) are held by somebody else."""

    taken: frozenset[str] = frozenset()
    held_now: list[str] = field(default_factory=list)

    @contextmanager
    def held(self, stack: Stack) -> Iterator[None]:
        if stack.reference in self.taken:
            raise Locked(f"{stack.reference} is being worked on by ana@there")
        self.held_now.append(stack.reference)
        yield
        self.held_now.remove(stack.reference)


@dataclass
class FakeStage:
    """What was shown, and what the engine said."""

    said: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def begin(self, title: str, expected: int) -> Hear:
        self.said.append(f"{title}: {expected}")
        return self.events.append

    def end(self, title: str, words: str) -> None:
        self.said.append(f"{title}: {words}")


@dataclass
class Waits:
    """A clock whose waits are free, and counted."""

    waited: float = 0.0

    def wait(self, seconds: float) -> None:
        self.waited += seconds


WANTED = {
    "base": {"group": 1, "registry": 1},
    "region": {"network": 1, "fixedvault": 1, "cluster": 1},
    "platform": {"namespace": 1},
    "edge": {"profile": 1, "route": 1},
}


def engine(**more: Any) -> FakeEngine:
    """A FakeEngine that wants WANTED; vault and registry are protected."""
    wanted = {kind: dict(resources) for kind, resources in WANTED.items()}
    return FakeEngine(wanted, frozenset({"fixedvault", "registry"}), **more)


def standing_fleet(made_of: Iterable[Stack]) -> FakeEngine:
    """An engine whose stacks are all as wanted."""
    made = engine()
    for stack in made_of:
        made.azure[stack.reference] = dict(made.wanted[stack.kind])
        made.known[stack.reference] = dict(made.wanted[stack.kind])
    return made
