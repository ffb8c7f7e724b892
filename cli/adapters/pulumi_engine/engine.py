"""Pulumi's engine, one stack at a time: how far it is, what would be done, and the doing. Prints nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from cli.adapters.pulumi_engine.remains import Remains, There
from cli.adapters.pulumi_engine.state import States
from cli.adapters.pulumi_engine.telling import REAL, both, foreseen, heard, name_of, outcome, refused, steps, type_of
from cli.provision.plan import Step
from cli.provision.ports import Hear, Outcome, Standing
from infra.blueprint.stack import Stack
from infra.engine.deploy import Engine, ResourceFailed
from infra.errors import OpsError
from infra.fleet import Fleet
from infra.rendering.render import render

STACK = "pulumi:pulumi:Stack"


class PulumiEngine:
    """The stacks of one fleet under Pulumi.

    `there` is what Azure has of a resource (id, API version); `kept` is where states of before a run are put.
    """

    def __init__(self, engine: Engine, fleet: Fleet, file: Path, there: There, kept: Path) -> None:
        self._engine = engine
        self._fleet = fleet
        self._file = file
        self._remains = Remains(engine, there)
        self._kept = States(engine, kept)

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
        return steps(self._engine.preview(stack, refresh=True))

    def foresee(self, stacks: Iterable[Stack]) -> dict[Stack, tuple[Step, ...]]:
        """What the programs would register, had what they refer to been made: all of it is created."""
        rendered = {one.stack.reference: one for one in render(self._fleet, self._file)}
        return {stack: tuple(foreseen(rendered[stack.reference])) for stack in stacks}

    def drift(self, stack: Stack) -> tuple[Step, ...]:
        """What somebody else changed or deleted."""
        return steps(self._engine.drift(stack))

    def leftover(self, stack: Stack) -> tuple[Step, ...]:
        """All that the state holds, to be deleted."""
        held = self._engine.export(stack)["deployment"].get("resources") or []
        real = [one for one in held if one["type"].startswith(REAL) and not one.get("external")]
        return tuple(
            Step("delete", one["type"], name_of(one["urn"]), one["urn"], bool(one.get("protect"))) for one in real
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
        came, error = self._up(stack, hear)
        but: tuple[str, ...] = ()
        while past_failures and (again := refused(error)):  # never the same twice: it is left out
            but += again
            more, error = self._up(stack, hear, but)
            came = both(came, more)
        self._remains.unmade[stack] = error.unmade if isinstance(error, ResourceFailed) else ()
        made = self._remains.made(stack) if any(one.kind == "import" for one in came.failed) else ()
        ours = {(type_of(one.urn), name_of(one.urn)) for one in made}
        failed = tuple(
            replace(one, given="converge") if one.kind == "import" and (one.type, one.name) in ours else one
            for one in came.failed
        )
        return replace(came, failed=failed)

    def _up(self, stack: Stack, hear: Hear, but: tuple[str, ...] = ()) -> tuple[Outcome, OpsError | None]:
        work = partial(self._engine.up, stack, heard(hear), refresh=True, but=but)
        return outcome(lambda: self._remains.freed(stack, work))

    def destroy(self, stack: Stack, hear: Hear) -> Outcome:
        """Take all of it away; what is protected, or would outlive its stack, is let go first."""
        self._let_all_go(stack)
        return outcome(lambda: self._remains.freed(stack, lambda: self._engine.destroy(stack, heard(hear))))[0]

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
        return self._remains.settle(stack)

    def adopt(self, stack: Stack, urn: str, id: str) -> None:
        """Take a resource into the state whose creation began. Raises NotPending where none of that urn did."""
        self._remains.adopt(stack, urn, id)

    def cancel(self, stack: Stack) -> None:
        """Take a lock away, whoever holds it."""
        self._engine.cancel(stack)

    def keep(self, stack: Stack, run: str) -> None:
        """Put the state aside as it is before the run."""
        self._kept.keep(stack, run)

    def versions(self, stack: Stack) -> list[str]:
        """The runs before which the state was kept, the newest first."""
        return self._kept.versions(stack)

    def restore(self, stack: Stack, run: str) -> None:
        """Put the state of before a run in place of the one that is there. Raises NotKept, CorruptFile."""
        self._kept.restore(stack, run)
