"""A lost release of record comes back from the journals, and only what was promoted for good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cli.recovery import record_store
from cli.rollouts.procedure import Rollback, to_json
from infra import state
from infra.fleet import load_fleet
from infra.record import RecordError
from runbooks.journal import Journal, JournalError
from tests.fakes import PLAN

DEMO = load_fleet("demo")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a state directory of its own."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))


def run(name: str, stable: str, canary: str, result: str = "", service: str = "chat") -> Journal:
    """The journal of a rollout that ended with `result`, or not at all."""
    plan = replace(PLAN, run=name, stable=stable, canary=canary, service=service)
    journal = Journal(state.journal_dir("demo") / f"{name}.jsonl", "tester")
    journal.append("plan", plan=plan.to_json(), digest=plan.digest())
    if result:
        journal.append("end", result=result, reason="because")
    return journal


def current(service: str = "chat") -> str:
    return record_store(DEMO).read(DEMO).release(service, "eastus2")


def test_without_journals_the_fleet_file_says() -> None:
    """The first release."""
    assert current() == "v1"
    assert not state.record_path("demo").exists()


def test_a_lost_record_is_what_the_last_rollout_left() -> None:
    """Promoted, then a canary that was rolled back: the promoted one."""
    run("rollout-a", "v1", "v2", "promoted")
    run("rollout-b", "v2", "v3", "rolled back")
    run("rollout-c", "v1", "v4", "promoted", service="chat-mini")
    assert (current(), current("chat-mini")) == ("v2", "v4")
    assert state.record_path("demo").exists()


def test_a_rollout_that_has_not_ended_counts_as_not_promoted() -> None:
    """Its release was never the one of record for good."""
    run("rollout-a", "v1", "v2")
    assert current() == "v1"


def test_what_somebody_else_set_in_the_middle_of_a_rollout_is_what_it_left() -> None:
    """That is why it ended, and the last that is known of the record."""
    moved = run("rollout-a", "v1", "v2")
    moved.append("decision", decision=to_json(Rollback("the release of record moved", moved="v3")))
    moved.append("end", result="rolled back", reason="the release of record moved")
    assert current() == "v3"


def test_a_record_that_is_there_is_never_replaced() -> None:
    """Not even one that cannot be read: that is refused."""
    run("rollout-a", "v1", "v2", "promoted")
    state.record_path("demo").write_text("{")
    with pytest.raises(RecordError):
        current()


def test_a_corrupt_journal_stops_the_replay() -> None:
    """Nothing is guessed."""
    journal = run("rollout-a", "v1", "v2", "promoted")
    journal.path.write_bytes(b"{}\n")
    with pytest.raises(JournalError):
        current()
    assert not state.record_path("demo").exists()
