"""Pulumi's engine in the words of the loop: what stands, what is in peril, what a dead engine left, how it failed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from cli.adapters.pulumi_engine import NotKept, NotPending, PulumiEngine
from cli.provision.plan import Step as Replaced
from cli.provision.progress import Event
from infra.blueprint.stack import stacks
from infra.engine.deploy import Engine, Outcome, Pending, ProgramFailed, ResourceFailed, RunCancelled, StackLocked, Step
from infra.engine.event import Failure, Progress
from infra.errors import OpsError
from infra.store import CorruptFile
from tests.fakes_fleet import DEMO

BASE, REGION, *_ = stacks(DEMO)
VAULT = "azure-native:keyvault:Vault"
URN = f"urn:pulumi:demo-demo::fleet-base::pulumi:pulumi:Stack$bellwether:Vault${VAULT}::vault"
OURS: dict[str, Any] = {"tags": {"fleet": "demo", "managed-by": "bellwether"}}
STACK = {"type": "pulumi:pulumi:Stack", "urn": "urn::stack", "outputs": {"contract": 1}}


def resource(**more: Any) -> dict[str, Any]:
    return {"type": VAULT, "urn": URN, "inputs": {}, **more}


def step(op: str, type: str = VAULT) -> Step:
    return Step(op, URN, type, "vault", True, ("sku",), ())


@dataclass
class FakePulumi:
    """The engine of infra/engine/deploy.py: states by stack, and what a run meets (`says`: an outcome, or an error)."""

    states: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    says: Outcome | OpsError = field(default_factory=lambda: Outcome((step("create"), step("same")), {"create": 1}))
    open: tuple[Pending, ...] = ()
    locks: list[str] = field(default_factory=list)  # who holds the lock, met one after the other
    calls: list[Any] = field(default_factory=list)

    def exists(self, stack: Any) -> bool:
        return stack.reference in self.states

    def export(self, stack: Any) -> dict[str, Any]:
        return {"version": 3, "deployment": {"resources": self.states[stack.reference]}}

    def restore(self, stack: Any, deployment: Mapping[str, Any]) -> None:
        self.calls.append("restore")
        self.states[stack.reference] = deployment["deployment"]["resources"]

    def preview(self, stack: Any, refresh: bool) -> tuple[Step, ...]:
        assert refresh, "what others changed is part of what `up` does"
        return (step("update"), step("create", "pulumi:pulumi:Stack"), step("refresh"), step("same"))

    def up(self, stack: Any, on_event: Any, refresh: bool, but: tuple[str, ...]) -> Outcome:
        assert refresh
        return self._run(on_event)

    def destroy(self, stack: Any, on_event: Any) -> Outcome:
        self.calls.append("destroy")
        return self._run(on_event)

    def _run(self, on_event: Any) -> Outcome:
        on_event(Progress("started", step("create")))
        on_event(Progress("started", step("create", "bellwether:Vault")))
        if isinstance(self.says, OpsError):
            raise self.says
        return self.says

    def pending(self, stack: Any) -> tuple[Pending, ...]:
        return self.open

    def refresh(self, stack: Any, made: Sequence[Pending] = ()) -> None:
        if self.locks:
            raise StackLocked(f"the stack is locked by {self.locks[0]}")
        self.calls.append({one.urn: one.id for one in made})

    def cancel(self, stack: Any) -> None:
        self.calls.append("cancel")
        self.locks.pop(0)


def engine(fake: FakePulumi, folder: Path, there: Mapping[str, Any] | None = OURS) -> PulumiEngine:
    return PulumiEngine(cast("Engine", fake), DEMO, folder / "demo.yaml", lambda id, api: there, folder / "states")


@pytest.mark.parametrize(
    ("state", "how"),
    [(None, "absent"), ([], "absent"), ([STACK], "absent"), ([resource()], "partial"), ([STACK, resource()], "whole")],
)
def test_a_stack_stands_when_others_can_refer_to_it(tmp_path: Path, state: Any, how: str) -> None:
    """It holds something, and its program came to the end, where it exports."""
    fake = FakePulumi({} if state is None else {BASE.reference: state})
    assert engine(fake, tmp_path).standing([BASE]) == {BASE: how}


def test_a_plan_has_only_what_is_in_azure_or_in_a_cluster(tmp_path: Path) -> None:
    """What groups resources is nothing to say yes to."""
    assert [one.op for one in engine(FakePulumi(), tmp_path).preview(BASE)] == ["update", "same"]


def test_progress_is_told_of_real_resources_only(tmp_path: Path) -> None:
    """With type, name and operation."""
    heard: list[Event] = []
    outcome = engine(FakePulumi(), tmp_path).up(BASE, heard.append)
    assert [(one.phase, one.op, one.name) for one in heard] == [("started", "create", "vault")]
    assert outcome.ok and outcome.changes == {"create": 1}


FAILED = ResourceFailed(BASE, (Failure(URN, "Status=409 Code=QuotaExceeded", 409),), Outcome((step("create"),), {}))


@pytest.mark.parametrize(
    ("error", "kind", "title"),
    [
        (FAILED, "elsewhere", "Vault vault"),
        (ProgramFailed("demo.yaml:3:1: QuotaExceeded"), "gate", "the stack"),
        (RunCancelled("stopped"), "interrupted", "the stack"),
        (StackLocked("by ben"), "cancel", "the stack"),
    ],
)
def test_a_failure_has_its_class_and_names_the_resource(tmp_path: Path, error: OpsError, kind: str, title: str) -> None:
    """What the engine knows by itself is not guessed from words."""
    outcome = engine(FakePulumi(says=error), tmp_path).up(BASE, lambda event: None)
    assert [(one.kind, one.title) for one in outcome.failed] == [(kind, title)]
    assert outcome.changes == ({"create": 1} if error is FAILED else {})


def test_destroy_lets_go_of_what_is_protected_or_would_outlive_its_stack(tmp_path: Path) -> None:
    """In the state; the program is not asked."""
    fake = FakePulumi({BASE.reference: [STACK, resource(protect=True, retainOnDelete=True)]})
    assert [one.protected for one in engine(fake, tmp_path).leftover(BASE)] == [True]
    engine(fake, tmp_path).destroy(BASE, lambda event: None)
    assert fake.calls == ["restore", "destroy"]
    assert not any(one.get("protect") or one.get("retainOnDelete") for one in fake.states[BASE.reference])


def test_what_is_in_peril_is_let_go_and_can_be_guarded_again(tmp_path: Path) -> None:
    """What is replaced must not stay beside its successor; what only leaves the stack stays in Azure."""
    guard = {"protect": True, "retainOnDelete": True}
    fake = FakePulumi({BASE.reference: [STACK, *(resource(urn=urn, **guard) for urn in ("old", "gone", "other"))]})
    perils = [Replaced("replace", VAULT, "old", "old", True), Replaced("delete", VAULT, "gone", "gone", True)]
    undo = engine(fake, tmp_path).let_go(BASE, perils)
    kept = {one["urn"]: (one.get("protect"), one.get("retainOnDelete")) for one in fake.states[BASE.reference][1:]}
    assert kept == {"old": (False, False), "gone": (False, True), "other": (True, True)}
    undo()
    assert all(one["protect"] and one["retainOnDelete"] for one in fake.states[BASE.reference][1:])


THERE = Failure(URN, 'Status=409 Code="AlreadyExists" Message="cannot create already existing resource"', 409)


@pytest.mark.parametrize(
    ("tags", "kind", "taken"),
    [
        (OURS["tags"], "converge", True),
        ({"fleet": "atlas", "managed-by": "bellwether"}, "import", False),
        ({}, "import", False),
    ],
    ids=["ours", "another fleet's", "nobody's"],
)
def test_what_a_try_made_unheard_is_taken_in_where_it_is_ours(
    tmp_path: Path, tags: dict[str, str], kind: str, taken: bool
) -> None:
    """Another fleet's resource of that name is never touched: a person must look."""
    begun = Pending("creating", URN, "/subscriptions/s/vault", {"inputs": OURS})
    failed = ResourceFailed(BASE, (THERE,), Outcome((), {}), (begun,))
    fake = FakePulumi({BASE.reference: []}, says=failed)
    made = engine(fake, tmp_path, {"tags": tags})
    assert [one.kind for one in made.up(BASE, lambda event: None).failed] == [kind]
    made.settle(BASE)
    assert fake.calls == ([{URN: begun.id}, {}] if taken else [{}])


CREATING = Pending("creating", URN, "/subscriptions/s/vault")


@pytest.mark.parametrize(("there", "looks"), [(OURS, [{URN: CREATING.id}, {}]), (None, [{}])])
def test_what_a_killed_engine_made_is_imported_and_what_it_did_not_is_forgotten(
    tmp_path: Path, there: Mapping[str, Any] | None, looks: list[dict[str, str]]
) -> None:
    """Azure is asked which of the two it is."""
    fake = FakePulumi({BASE.reference: []}, open=(CREATING, Pending("updating", "other", "")))
    assert "2 operations were under way" in engine(fake, tmp_path, there).settle(BASE)
    assert fake.calls == looks


def test_a_stack_that_was_not_begun_has_nothing_to_settle(tmp_path: Path) -> None:
    """Looking at it makes none."""
    fake = FakePulumi()
    assert engine(fake, tmp_path).settle(BASE) == "it was not begun"
    assert fake.calls == []


def dead() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_lock_of_a_dead_engine_is_taken_away(tmp_path: Path) -> None:
    """Its process is gone from this machine."""
    fake = FakePulumi({BASE.reference: []}, locks=[f"ana@{socket.gethostname()} (pid {dead()}) at 2026-11-28"])
    assert "its lock is gone" in engine(fake, tmp_path).settle(BASE)
    assert fake.calls == ["cancel", {}]


@pytest.mark.parametrize(
    "who",
    ["ben@elsewhere (pid 1) at x", "somebody", f"me@{socket.gethostname()} (pid {os.getpid()})"],
    ids=["elsewhere", "somebody", "here"],
)
def test_the_lock_of_an_engine_that_may_live_is_left(tmp_path: Path, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine, of nobody knows whom, or of one that works on."""
    monkeypatch.setattr("cli.adapters.pulumi_engine.remains.PATIENCE", 0.01)
    fake = FakePulumi({BASE.reference: []}, locks=[who])
    with pytest.raises(StackLocked):
        engine(fake, tmp_path).settle(BASE)
    assert fake.calls == []


def test_only_a_creation_that_is_open_can_be_adopted(tmp_path: Path) -> None:
    """Which ones are is told."""
    fake = FakePulumi({BASE.reference: []}, open=(CREATING,))
    with pytest.raises(NotPending) as refused:
        engine(fake, tmp_path).adopt(BASE, "urn:other", "/x")
    assert URN in refused.value.what and fake.calls == []
    engine(fake, tmp_path).adopt(BASE, URN, "/subscriptions/s/mine")
    assert fake.calls == [{URN: "/subscriptions/s/mine"}]


def test_a_state_that_was_kept_can_be_put_back(tmp_path: Path) -> None:
    """One file for each run, the newest first; what is no state is refused."""
    fake = FakePulumi({BASE.reference: [STACK]})
    made = engine(fake, tmp_path)
    made.keep(BASE, "provision-1")
    made.keep(BASE, "provision-2")
    made.keep(REGION, "provision-2")
    fake.states[BASE.reference] = []
    assert (made.versions(BASE), made.versions(REGION)) == (["provision-2", "provision-1"], [])
    made.restore(BASE, "provision-1")
    assert fake.states[BASE.reference] == [STACK]
    with pytest.raises(NotKept, match="provision-2, provision-1"):
        made.restore(BASE, "provision-9")
    next(tmp_path.rglob("provision-2.json")).write_text("{}")
    with pytest.raises(CorruptFile):
        made.restore(BASE, "provision-2")
