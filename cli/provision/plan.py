"""What an operation will do to a fleet: steps by stack, counted and put in order of danger. Pure: values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Operation = Literal["up", "destroy"]

CHANGES = ("replace", "delete", "update", "create", "import")
"""What a step may do to a resource, the most dangerous first. All else (same, read) changes nothing."""
PERILS = frozenset({"replace", "delete"})
POOLS = frozenset({"azure-native:containerservice:AgentPool", "azure-native:resources:Resource"})
"""Types of node pools. The only generic resources of the programs are GPU pools."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one resource. `changes` and `replaces` are property paths."""

    op: str
    type: str  # as Pulumi has it: azure-native:containerservice:ManagedCluster
    name: str
    urn: str
    protected: bool = False
    changes: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)  # path -> from what to what, where it is known
    retained: bool = False  # it stays in Azure when it goes from the stack

    @property
    def kind(self) -> str:
        """The last word of the type: ManagedCluster; of a pool AgentPool, whatever resource it is made as."""
        return "AgentPool" if self.type in POOLS else self.type.rpartition(":")[2]

    @property
    def in_place(self) -> bool:
        """Whether machines that serve go before their successors come: a pool whose generation was not raised."""
        return self.op == "replace" and self.type in POOLS

    @property
    def perilous(self) -> bool:
        """Whether data or users lose something by it."""
        return self.op in PERILS and (self.protected or self.in_place)


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What happens to one stack. `foreseen`: what it refers to does not exist yet, so the engine cannot look at it."""

    kind: str  # base, region, platform, edge
    name: str  # as Pulumi has it: atlas-production-westeurope
    region: str | None
    steps: tuple[Step, ...]
    foreseen: bool = False

    @property
    def title(self) -> str:
        """How people call it: region westeurope."""
        return f"{self.kind} {self.region}" if self.region else self.kind

    @property
    def changing(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.op in CHANGES)

    @property
    def telling(self) -> tuple[str, ...]:
        """Outputs for other stacks that change, where that is all that changes."""
        return tuple(path for step in self.steps if step.op == "tell" for path in step.changes)

    @property
    def losing(self) -> bool:
        """Whether anything is replaced or deleted."""
        return any(step.op in PERILS for step in self.steps)

    @property
    def perils(self) -> tuple[Step, ...]:
        """The steps by which data or users lose something: what is protected, and pools that are replaced in place."""
        return tuple(step for step in self.steps if step.perilous)


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What one command will do: to which fleet, where, and to which stacks in which order."""

    operation: Operation
    fleet: str
    environment: str
    subscription: str
    region: str | None  # None: all of them
    emulated: bool
    stacks: tuple[StackPlan, ...]

    @property
    def changing(self) -> bool:
        """Whether anything changes at all."""
        return any(stack.changing or stack.telling for stack in self.stacks)

    @property
    def must_be_typed(self) -> str:
        """The name that a person must type before this may happen; empty where y is enough.

        The fleet's for a destroy; for protected things in one stack its name, in several the fleet's.
        """
        struck = [stack.name for stack in self.stacks if stack.perils]
        if self.operation == "destroy" or len(struck) > 1:
            return self.fleet
        return struck[0] if struck else ""


def counts(steps: Iterable[Step]) -> dict[str, int]:
    """How many steps of each kind of change, the most dangerous first; nothing for what stays."""
    found = Counter(step.op for step in steps)
    return {op: found[op] for op in CHANGES if found[op]}


def in_words(counted: Mapping[str, int]) -> str:
    """12 to create, 1 to replace."""
    return ", ".join(f"{number} to {op}" for op, number in counted.items()) or "no changes"


def new_perils(confirmed: StackPlan, now: StackPlan) -> tuple[Step, ...]:
    """What `now` would replace or delete, that is protected and was not in the plan a person said yes to."""
    agreed = {(step.urn, step.op) for step in confirmed.perils}
    return tuple(step for step in now.perils if (step.urn, step.op) not in agreed)


def data(plan: FleetPlan) -> dict[str, Any]:
    """The plan as JSON values."""
    total = counts(step for stack in plan.stacks for step in stack.steps)
    place = {"fleet": plan.fleet, "environment": plan.environment, "region": plan.region}
    head = {"operation": plan.operation, **place, "subscription": plan.subscription, "emulated": plan.emulated}
    return {**head, "changes": total, "stacks": [_stack(stack) for stack in plan.stacks]}


def _stack(stack: StackPlan) -> dict[str, Any]:
    place = {"kind": stack.kind, "stack": stack.name, "region": stack.region, "foreseen": stack.foreseen}
    told = {"changes": counts(stack.steps), "outputs": list(stack.telling)}
    return {**place, **told, "steps": [_step(step) for step in stack.changing]}


def _step(step: Step) -> dict[str, Any]:
    what = {"op": step.op, "type": step.type, "name": step.name, "protected": step.protected, "urn": step.urn}
    what["retained"] = step.retained
    return {**what, "changes": list(step.changes), "replaces": list(step.replaces)}
