"""A run is what its journal tells: also one that was killed at any line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.provision.plan import FleetPlan, StackPlan
from cli.provision.run import Run, opening, replay
from runbooks.journal import Event

AT = datetime(2026, 11, 28, 15, 0, tzinfo=UTC)
PLAN = FleetPlan(
    "up",
    "demo",
    "demo",
    "s",
    None,
    True,
    (StackPlan("base", "demo-demo", None, ()), StackPlan("edge", "demo-demo", None, ())),
)
LINES: list[tuple[str, dict[str, Any]]] = [
    ("plan", opening(PLAN, ["base", "edge"])),
    ("intent", {"stack": "base", "do": "up"}),
    ("outcome", {"stack": "base", "result": "done"}),
    ("intent", {"stack": "edge", "do": "up"}),
    ("outcome", {"stack": "edge", "result": "failed"}),
    ("intent", {"stack": "edge", "do": "settle"}),
    ("settled", {"stack": "edge", "result": "settled"}),
    ("end", {"result": "failed", "why": "edge"}),
]


def after(count: int) -> Run | None:
    """The run as its first lines tell it."""
    return replay(
        "run-1", [Event(seq, AT, "ana@here", kind, payload) for seq, (kind, payload) in enumerate(LINES[:count])]
    )


@pytest.mark.parametrize(
    ("count", "unknown", "left", "ended"),
    [
        (1, None, ("base", "edge"), None),
        (2, "base", ("edge",), None),
        (3, None, ("edge",), None),
        (4, "edge", (), None),
        (5, None, (), None),
        (6, "edge", (), None),
        (7, None, (), None),
        (8, None, (), "failed"),
    ],
)
def test_a_run_that_was_killed_at_a_line_says_what_is_unknown(
    count: int, unknown: str | None, left: tuple[str, ...], ended: str | None
) -> None:
    """An intent without an outcome is unknown; what was not reached is left."""
    run = after(count)
    assert run is not None
    assert (run.unknown, run.ended) == (unknown, ended)
    assert tuple(one for one in run.left if one not in run.results) == left


def test_a_journal_without_a_plan_is_no_run() -> None:
    """One that was killed before its first line, or of another kind."""
    assert after(0) is None
    assert replay("x", [Event(1, AT, "ana", "intent", {"stack": "base"})]) is None


def test_a_run_knows_who_began_what_and_when() -> None:
    """What a later run tells of it."""
    run = after(8)
    assert run is not None
    assert (run.operation, run.actor, run.at, run.emulated) == ("up", "ana@here", "2026-11-28T15:00:00Z", True)
    assert run.why == "edge"


def test_lines_that_a_later_version_writes_change_nothing() -> None:
    """An unknown kind is passed over."""
    known = [Event(seq, AT, "a", kind, payload) for seq, (kind, payload) in enumerate(LINES[:3])]
    assert replay("r", [*known, Event(9, AT, "a", "note", {"text": "x"})]) == replay("r", known)
