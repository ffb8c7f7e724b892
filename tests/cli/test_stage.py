"""What is shown of stacks under way: a line for each on a terminal, lines in a log elsewhere."""

from __future__ import annotations

import pytest

from cli.provision.progress import Event
from cli.stage import LiveStage
from tests.cli.test_console import on_terminal

Captured = pytest.CaptureFixture[str]
POOL = "azure-native:containerservice:AgentPool"
LIVE = f"""
from cli.provision.progress import Event
from cli.stage import LiveStage
times = iter([0.0] + [90.0] * 1000)
with LiveStage(now=lambda: next(times)) as stage:
    hear = stage.begin("region eastus2", 3)
    hear(Event("started", "create", "{POOL}", "h100g1", "urn", 0.0))
    stage._live.refresh()
    hear(Event("failed", "create", "{POOL}", "h100g1", "urn", 1.0))
    stage.end("region eastus2", "failed: no quota")
"""


def event(phase: str, name: str = "h100g1") -> Event:
    return Event(phase, "create", POOL, name, f"urn::{name}", 0.0)  # type: ignore[arg-type]


def test_in_a_log_a_stack_has_a_line_when_it_begins_and_when_it_ends(capsys: Captured) -> None:
    """With times in UTC, and how long it took."""
    times = iter([0.0, 61.0])
    with LiveStage(live=False, now=lambda: next(times)) as stage:
        hear = stage.begin("region eastus2", 3)
        hear(event("started"))
        hear(event("done"))
        stage.end("region eastus2", "done: 1 create")
    lines = [line.split("Z ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["region eastus2: begun, 3 to change", f"{'region eastus2':<24} done: 1 create in 61 s"]


def test_a_failure_is_told_at_once(capsys: Captured) -> None:
    """Before the stack has ended: others of its resources may take minutes."""
    with LiveStage(live=False) as stage:
        stage.begin("base", 1)(event("failed"))
        assert "base: create AgentPool h100g1 failed" in capsys.readouterr().err


def test_a_stack_that_was_not_begun_may_end(capsys: Captured) -> None:
    """One in which nothing had to change."""
    with LiveStage(live=False) as stage:
        stage.end("base", "no changes")
    assert "no changes\n" in capsys.readouterr().err


def test_on_a_terminal_counts_and_slow_operations_are_repainted(capfd: Captured) -> None:
    """What is under way for long is named, with what is usual; the lines of the end stay."""
    done, shown = on_terminal(LIVE)
    assert done == 0, shown
    assert "region eastus2" in shown and "0/3" in shown
    assert "create AgentPool h100g1: 1:30 (usually 3-10 min)" in shown
    assert "failed: no quota" in shown
