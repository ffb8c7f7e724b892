"""Progress counts what is done and names what takes long."""

from __future__ import annotations

from typing import Literal

from cli.provision.progress import Event, Progress, clock


def event(phase: Literal["started", "done", "failed"], name: str, at: float = 0.0, op: str = "create") -> Event:
    return Event(phase, op, "azure-native:containerservice:AgentPool", name, f"urn::{name}", at)


def test_a_line_says_how_far_a_stack_is() -> None:
    """Done of expected, by kind, and for how long."""
    one = Progress("region eastus2", 3, 0.0)
    for name, op in (("a", "create"), ("b", "create"), ("c", "update")):
        one.hear(event("started", name, op=op))
    one.hear(event("done", "a"))
    one.hear(event("done", "c", op="update"))
    assert one.line(75.0).split() == ["region", "eastus2", "2/3", "created", "1,", "updated", "1", "1:15"]


def test_what_stays_as_it_is_counts_nothing_and_what_failed_is_said() -> None:
    """A failure closes its operation."""
    one = Progress("base", 1, 0.0)
    one.hear(event("done", "a", op="same"))
    one.hear(event("started", "b"))
    one.hear(event("failed", "b"))
    assert one.line(0.0).split() == ["base", "0/1", "-,", "1", "failed", "0:00"]
    assert list(one.slow(1000.0)) == []


def test_more_than_was_expected_is_not_more_than_all() -> None:
    """A plan that was foreseen may have missed one."""
    one = Progress("base", 0, 0.0)
    one.hear(event("done", "a"))
    assert "1/1" in one.line(0.0)


def test_slow_operations_are_named_the_longest_first() -> None:
    """With what is usual; only the first three, and how many more there are."""
    one = Progress("region eastus2", 9, 0.0)
    for number in range(5):
        one.hear(event("started", f"p{number}", float(number)))
    told = list(one.slow(24.0))
    assert told[0] == "  create AgentPool p0: 0:24 (usually 3-10 min)"
    assert told[-1] == "  and 2 more"
    assert list(one.slow(19.0)) == []


def test_minutes_are_written_as_on_a_clock() -> None:
    """3725 seconds are 62:05."""
    assert clock(3725) == "62:05"
