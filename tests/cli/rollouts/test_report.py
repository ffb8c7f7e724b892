"""What is told after the fact, from the journal alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cli.rollouts import report
from cli.rollouts.drive import drive
from cli.rollouts.plan import Plan
from cli.rollouts.ports import Ports
from cli.rollouts.state import State, replay
from runbooks.journal import Event, Journal
from tests.fakes import (
    PASSED,
    PLAN,
    STAGED,
    UNTOLD,
    FakeClock,
    FakeLease,
    FakeLoads,
    FakeMetrics,
    FakeRecord,
    FakeTraffic,
    rates,
)


@dataclass(frozen=True)
class Run:
    """A rollout that was driven to its end on virtual time."""

    state: State
    events: Sequence[Event]


def says(journal: Journal, command: str) -> None:
    journal.append("command", command=command, reason="I know why")


def run(folder: Path, plan: Plan = PLAN, problem: str = "", command: str = "", **bad: float) -> Run:
    """With a load stage, where the plan has one, that can tell at its second attempt."""
    clock, record, metrics = FakeClock(), FakeRecord(), FakeMetrics(rates(**bad), rates())
    metrics.problem = problem
    journal = Journal(folder / "run.jsonl", "ana", clock.utc)
    journal.append("plan", plan=plan.to_json(), digest=plan.digest())
    if command:
        clock.at(6, lambda: says(journal, command))
    drive(
        journal,
        Ports(FakeTraffic(clock, record), metrics, record, FakeLease(), clock, FakeLoads(clock, UNTOLD, PASSED)),
        lambda _: None,
    )
    state = replay(journal.events())
    assert state is not None
    return Run(state, journal.events())


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("slow"), ttft=0.2)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("wrong"), errors=0.2)


def test_a_promotion_says_what_it_proved_and_what_it_cost(good: Run) -> None:
    said = report.outcome(good.state, good.events, "j.jsonl")
    assert said[0] == "promoted: chat in eastus2 runs v2"
    assert said[1] == "  why      the ladder proved the tolerance and the bake held"
    assert said[2].startswith("  proof    errors above ")
    assert said[2].endswith("excluded at 95%; smaller effects not tested")
    assert said[3].startswith(f"  cost     {report.cost(good.state).bad} bad of ")
    assert said[4] == "  journal  j.jsonl"
    assert report.because(good.state) == said[2].removeprefix("  proof    ")


def test_a_rollback_says_why_and_who_keeps_the_traffic(wrong: Run) -> None:
    said = report.outcome(wrong.state, wrong.events, "j.jsonl")
    assert said[0] == "rolled back: chat in eastus2 runs v1"
    assert said[1].startswith("  why      errors: ")
    assert len(said) == 4
    assert report.because(wrong.state) == wrong.state.reason


def test_slow_responses_are_counted_where_they_were_the_harm(slow: Run) -> None:
    name, one = report.blamed(slow.events)
    assert name == "ttft>0.25s"
    assert slow.state.reason.startswith(name)  # the sentence and the numbers blame the same signal
    bad, total = one["canary"]
    assert f"           {bad} of {total} with ttft>0.25s" in report.outcome(slow.state, slow.events, "j")


def test_a_rollback_that_nobody_proved_blames_nothing(tmp_path: Path) -> None:
    late = run(tmp_path, problem="no fresh sample")
    assert report.blamed(late.events) == ("", {})
    assert "no proof within the deadline" in report.because(late.state)


def test_a_promotion_by_a_person_does_not_claim_a_proof(tmp_path: Path) -> None:
    forced = run(tmp_path, problem="no fresh sample", command="promote")
    assert forced.state.phase == "promoted"
    assert "  proof    nothing was tested" in report.outcome(forced.state, forced.events, "j")


def test_an_undo_has_neither_proof_nor_verdict(tmp_path: Path) -> None:
    undone = run(tmp_path, replace(PLAN, kind="undo", canary="v0", weights=(), signals=(), bake=0.0))
    said = report.outcome(undone.state, undone.events, "j")
    assert said[:2] == ["undone: chat in eastus2 runs v0", "  why      undone by a person"]
    assert not any("proof" in line for line in said)
    assert report.because(undone.state) == "undone by a person"


def test_the_summary_is_json(good: Run) -> None:
    found = json.loads(json.dumps(report.summary(good.state)))
    assert {name: found[name] for name in ("run", "service", "region", "from", "to", "phase", "by")} == {
        "run": PLAN.run,
        "service": "chat",
        "region": "eastus2",
        "from": "v1",
        "to": "v2",
        "phase": "promoted",
        "by": "ana",
    }
    assert found["started"] == "2026-09-21T14:13:20Z"
    assert (found["plan"], found["load"]) == (PLAN.digest(), None)
    assert 0 < found["badResponses"] < found["responses"]


def test_the_explanation_names_every_decision_with_its_line_look_and_evidence(good: Run) -> None:
    said = report.explanation(good.state, good.events, "j.jsonl")
    assert said[0] == "rollout of chat in eastus2, fleet demo: v1 -> v2"
    heads = [line for line in said[4:] if not line.startswith(" ")]
    assert [head.split("  ", 2)[2] for head in heads] == [
        "bring up the canary and its baseline slice",
        "give the canary 25 % of the traffic",
        "give the canary 50 % of the traffic",
        "every gate is proven: give the canary all traffic and bake",
        "promote: the ladder proved the tolerance and the bake held",
        "promoted: the ladder proved the tolerance and the bake held",
    ]
    for head in heads:
        line = int(head.split("line ")[1].split()[0])
        assert good.events[line - 1].kind in ("decision", "end")
    baking = said.index(heads[3])
    assert "verdict pass, e-value " in said[baking + 1]
    assert said[baking + 1].startswith("    look of 14:13:")
    assert said[baking + 2].split() == ["signal", "canary", "baseline", "e-value", "not", "excluded"]
    assert said[baking + 3].startswith("    errors ")


def test_the_explanation_tells_what_the_load_stage_came_to(tmp_path: Path) -> None:
    staged = run(tmp_path, STAGED)
    told = [report.in_words(event) for event in report.decisions(staged.events)]
    assert told[:5] == [
        "bring up the canary and its baseline slice",
        "press the canary, which has no users yet: attempt 1",
        "the load on the canary: cannot tell: the client was INVALID: busy",
        "press the canary, which has no users yet: attempt 2",
        "the load on the canary: pass: ttft p99 < 250ms: 100.00% of 200",
    ]
    assert report.summary(staged.state)["load"] == {"verdict": "pass", "reasons": list(PASSED.reasons)}
    assert "  load     pass: ttft p99 < 250ms: 100.00% of 200" in report.outcome(staged.state, staged.events, "j")
    said = report.explanation(staged.state, staged.events, "j")
    assert any(line.endswith("the load on the canary: cannot tell: the client was INVALID: busy") for line in said)


def test_a_decision_taken_before_any_count_shows_no_evidence(good: Run) -> None:
    said = report.explanation(good.state, good.events, "j")
    assert said[4].endswith("bring up the canary and its baseline slice")
    assert not said[5].startswith(" ")


def test_commands_and_rollbacks_are_told_in_words(tmp_path: Path) -> None:
    stopped = run(tmp_path, command="abort")
    told = [report.in_words(event) for event in report.decisions(stopped.events)]
    assert "ana said abort: I know why" in told
    assert told[-2:] == ["roll back: aborted by ana: I know why", "rolled back: aborted by ana: I know why"]


def test_bounds_and_counts_that_are_not_there_are_said_so() -> None:
    event = Event(
        1,
        FakeClock().utc(),
        "ana",
        "decision",
        {"evidence": {"errors": {"canary": [0, 0], "baseline": [1, 4], "e_value": 1.0, "ratio_bound": None}}},
    )
    assert report.grounds(event) == [("errors", "0/0", "1/4 25.0%", "1", "any ratio")]
