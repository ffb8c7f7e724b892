"""Pulumi's real engine on one stack at a time: preview, up, drift, refresh, destroy, and the ways out of a failure.

Decides nothing about order, locks between commands or consent, and prints nothing.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra import state, store
from infra.azure import schema
from infra.azure.emulation import ROOT, Emulation
from infra.blueprint.foundation import foundation
from infra.blueprint.stack import Stack, config_file
from infra.engine.command import Command, EngineFailed, NoStack, OnEvent, StackLocked, listening
from infra.engine.event import STACK, Account, Failure, Plan, Progress, Step
from infra.errors import GateFailed, Interrupted, OpsError, Refused, Unavailable
from infra.fleet import Fleet

__all__ = [
    "Engine",
    "EngineFailed",
    "Failure",
    "Outcome",
    "Pending",
    "Plan",
    "ProgramFailed",
    "Progress",
    "Protected",
    "ResourceFailed",
    "RunCancelled",
    "StackLocked",
    "Step",
]


REFRESH = {True: ["--refresh"], False: []}
LOOKS = ("same", "refresh", "read")  # operations that change nothing


def silent(progress: Progress) -> None:
    """Hear nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: the steps that were carried out, and how many of each operation the engine counted."""

    steps: Plan
    counts: Mapping[str, int]
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was made, changed or deleted."""
        return any(op != "same" for op in self.counts)


@dataclass(frozen=True, slots=True)
class Pending:
    """An operation without an outcome: creating, updating, deleting; `id` is where the resource is or would be, `state`
    what the state of the stack would have of it."""

    op: str
    urn: str
    id: str
    state: Mapping[str, Any] = field(default_factory=dict)


class ResourceFailed(Unavailable):
    """Azure refused a resource, or did not answer; the others of the run are as `outcome` says."""

    def __init__(
        self, stack: Stack, failures: tuple[Failure, ...], outcome: Outcome, unmade: tuple[Pending, ...] = ()
    ) -> None:
        lines = [f"{failure.urn.rpartition('::')[2]}: {failure.message}" for failure in failures]
        super().__init__(
            "\n".join([f"{stack.project} {stack.name}: {len(failures)} failed", *lines]),
            not_done="what needs them was not done; what was done before stays",
            next="run the same command again: it goes on from here",
        )
        self.failures = failures
        self.outcome = outcome
        self.unmade = unmade  # creations that failed: some of them may have been made all the same


class ProgramFailed(GateFailed):
    """The program of the stack refused before it registered anything, or has a bug."""


class Protected(Refused):
    """Something of the stack may not be replaced or deleted."""

    def __init__(self, stack: Stack, urns: Sequence[str]) -> None:
        names = ", ".join(urn.rpartition("::")[2] for urn in urns)
        super().__init__(
            f"{stack.project} {stack.name}: {len(urns)} of its resources are protected: {names}",
            not_done="nothing was deleted",
            next="ops fleet up and ops fleet destroy let them go, where their name is typed",
        )


class _Guarded(Protected):
    """What a run would replace or delete is protected; `account` is what it said until then."""

    def __init__(self, stack: Stack, account: Account) -> None:
        super().__init__(stack, [failure.guarded for failure in account.failures if failure.guarded])
        self.account = account


class RunCancelled(Interrupted):
    """Somebody stopped the engine; it finished what it was at and wrote it down."""


class Engine:
    """The stacks of one fleet. Programs read it in `fleet_file`; without an emulation they speak to Azure itself."""

    def __init__(self, fleet: Fleet, fleet_file: Path, emulation: Emulation | None = None) -> None:
        self._file = fleet_file.absolute()
        self._emulation = emulation
        self._subscription = fleet.azure.subscription if fleet.azure else ""
        azure = fleet.azure if emulation is None else None  # an emulation has a passphrase of its own
        self._secrets = ["--secrets-provider", foundation(fleet, azure).secrets] if azure else []
        home = emulation.directory if emulation else state.root(fleet.name) / "engine"
        self._command = Command(home, emulation.environment() if emulation else {})

    def preview(self, stack: Stack, on_event: OnEvent = silent, refresh: bool = False) -> Plan:
        """What `up` would do, were nothing protected; with `refresh`, against what is there now. Changes nothing.

        Where other outputs are all that changes, that is a step `tell` of the stack itself. What would go together with
        something that is replaced is all told that may have to: the engine stops at the first that is protected.
        """
        try:
            account = self._run(stack, ["preview", *REFRESH[refresh]], on_event)
        except _Guarded as guarded:
            return tuple(guarded.account.steps) + self._together(stack, guarded.account)
        return tuple(account.steps) + _telling(stack, account)

    def up(self, stack: Stack, on_event: OnEvent = silent, refresh: bool = False, but: Sequence[str] = ()) -> Outcome:
        """Make the stack what its program says; with `refresh`, look first at what is there, and so repair drift; all
        `but` some urns, which stay as they are. Raises ResourceFailed, ProgramFailed, StackLocked, RunCancelled,
        Protected."""
        excluded = [word for urn in but for word in ("--exclude", urn)]
        words = ["up", "--yes", "--skip-preview", *REFRESH[refresh], *excluded]
        return _outcome(self._run(stack, words, on_event))

    def drift(self, stack: Stack, on_event: OnEvent = silent) -> Plan:
        """What is not as the state remembers it: a step for each resource that somebody else changed or deleted."""
        account = self._run(stack, ["refresh", "--preview-only"], on_event)
        return tuple(one for one in account.done if one.op in ("update", "delete"))

    def refresh(self, stack: Stack, on_event: OnEvent = silent, made: Sequence[Pending] = ()) -> Outcome:
        """Take into the state what is there now. `made`: those of the creations whose outcome is not known that were
        made after all; all others are forgotten."""
        if made:
            self._take_over(stack, made)
        return _outcome(self._run(stack, ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"], on_event))

    def destroy(self, stack: Stack, on_event: OnEvent = silent) -> Outcome:
        """Delete everything of the stack. Raises Protected while something of it is: the engine would find out after it
        had deleted half of the rest."""
        kept = [one["urn"] for one in self._resources(stack) if one.get("protect")]
        if kept:
            raise Protected(stack, kept)
        return _outcome(self._run(stack, ["destroy", "--yes", "--skip-preview"], on_event))

    def unprotect(self, stack: Stack) -> None:
        """Let `destroy` delete what is protected: said in the state, not in the program."""
        self._ask(stack, ["state", "unprotect", "--all", "--yes"])

    def cancel(self, stack: Stack) -> None:
        """Take away the lock of an engine that died. One that still works goes on, and fails when it writes."""
        self._ask(stack, ["cancel", "--yes"])

    def exists(self, stack: Stack) -> bool:
        """Whether the backend knows the stack. Makes none."""
        known = json.loads(self._command.call(self._folder(stack), ["stack", "ls", "--json"]))
        return any(row["name"].rpartition("/")[2] == stack.name for row in known)

    def _resources(self, stack: Stack) -> list[dict[str, Any]]:
        return self.export(stack)["deployment"].get("resources") or []

    def outputs(self, stack: Stack) -> dict[str, Any]:
        """What the stack exports, its secrets hidden."""
        return dict(json.loads(self._ask(stack, ["stack", "output", "--json"])))

    def export(self, stack: Stack) -> dict[str, Any]:
        """The state of the stack; secrets in it stay encrypted."""
        return dict(json.loads(self._ask(stack, ["stack", "export"])))

    def restore(self, stack: Stack, deployment: Mapping[str, Any]) -> None:
        """Put a state that `export` gave in place of the one that is there."""
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(deployment, file)
            file.flush()
            self._ask(stack, ["stack", "import", "--file", file.name])

    def pending(self, stack: Stack) -> tuple[Pending, ...]:
        """Operations that began and whose outcome nobody knows, since their engine died."""
        operations = self.export(stack)["deployment"].get("pending_operations") or []
        return tuple(self._pending(one["resource"], one["type"]) for one in operations)

    def _take_over(self, stack: Stack, made: Sequence[Pending]) -> None:
        """Write what was made into the state, for a refresh to read. The engine's own --import-pending-creates forgets
        it instead: 3.200 has the operation "importing" and nothing that carries it out."""
        whole = self.export(stack)
        state = whole["deployment"]
        known = {one["urn"] for one in state["resources"]}
        state["resources"] += [{**one.state, "id": one.id} for one in made if one.urn not in known]
        state["pending_operations"] = []
        self.restore(stack, whole)

    def _pending(self, resource: Mapping[str, Any], op: str) -> Pending:
        """Names are computed and not drawn, so where a resource would be can be said without having it."""
        known = resource["type"] in schema.tokens() and self._subscription
        asked = schema.request(resource["type"], resource.get("inputs") or {}, self._subscription) if known else None
        return Pending(op, resource["urn"], resource.get("id") or (asked.id if asked else ""), resource)

    def _together(self, stack: Stack, account: Account) -> Plan:
        """What may have to be replaced together with something, where the engine stopped before it could say."""
        causes = {failure.cause for failure in account.failures if failure.cause}
        held = self._resources(stack) if causes else []
        told, goes = {one.urn for one in account.steps if one.op not in LOOKS}, set(causes)
        for one in held:  # in the order they were made: what needs something comes after it
            if goes.intersection(one.get("dependencies") or ()):
                goes.add(one["urn"])
        return tuple(
            Step("replace", one["urn"], one["type"], _name(one["urn"]), bool(one.get("protect")))
            for one in held
            if one["urn"] not in told and (one["urn"] in causes or (one["urn"] in goes and one.get("protect")))
        )

    def _run(self, stack: Stack, words: Sequence[str], on_event: OnEvent) -> Account:
        """Run the engine to its end; raises what went wrong as one of this module's errors."""
        account = Account()
        with listening(account, on_event) as log:
            try:
                self._ask(stack, [*words, "--event-log", str(log), "--suppress-progress", "--suppress-outputs"])
                return account
            except (EngineFailed, KeyboardInterrupt) as error:
                fault = error
        unmade = tuple(self._pending(state, "creating") for state in account.unmade.values())
        raise _explained(stack, account, fault, unmade) from fault

    def _ask(self, stack: Stack, words: Sequence[str]) -> str:
        """One command on a stack, which is made where there is none."""
        folder, arguments = self._folder(stack), [*words, "--stack", stack.name]
        try:
            return self._command.call(folder, arguments)
        except NoStack:
            self._command.call(folder, ["stack", "init", stack.name, "--no-select", *self._secrets])
        return self._command.call(folder, arguments)

    def _folder(self, stack: Stack) -> Path:
        """Where the program of a stack lies, with the configuration of the stack beside it."""
        folder = self._emulation.project(stack) if self._emulation else ROOT / stack.folder
        path = folder / f"Pulumi.{stack.name}.yaml"
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        wanted = replace(stack, source=str(self._file)) if self._emulation else stack
        if self._emulation or not written:
            store.write_atomic(path, config_file(wanted, written))
        return folder


def _outcome(account: Account) -> Outcome:
    done = tuple(one for one in account.done if one.op != "same")
    return Outcome(done, account.counts, tuple(account.warnings))


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _telling(stack: Stack, account: Account) -> Plan:
    """Other outputs for the stacks above, where the engine has nothing else to do."""
    if not account.exports or any(one.op not in LOOKS for one in account.steps):
        return ()
    return (Step("tell", f"{stack.reference}::outputs", STACK, stack.name, changes=account.exports),)


def _explained(stack: Stack, account: Account, error: BaseException, unmade: tuple[Pending, ...]) -> OpsError:
    """What went wrong; what a resource says tells more than what the program says, and that more than the engine."""
    if isinstance(error, KeyboardInterrupt):
        return RunCancelled(f"{stack.name}: the engine was stopped", next="run the same command again: it goes on")
    resources = tuple(failure for failure in account.failures if failure.of_resource)
    if resources and all(failure.guarded for failure in resources):
        return _Guarded(stack, account)
    if resources:
        return ResourceFailed(stack, resources, _outcome(account), unmade)
    if account.failures:
        what = "\n".join(failure.message for failure in account.failures)
        missing = "ops fleet up makes the stack that this one refers to" if "unknown stack" in what else ""
        return ProgramFailed(what, not_done="nothing was changed", next=missing)
    assert isinstance(error, OpsError)
    return error
