"""How far the stacks are: what is done, what is under way and for how long. Pure: events and a time in, lines out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

SLOW = 20.0  # seconds after which an operation that is under way is named
NAMED = 3  # operations that are named at once
USUAL = {  # minutes that Azure usually takes; learn.microsoft.com names none, these are seen by many: be patient
    "ManagedCluster": "5-10 min",
    "AgentPool": "3-10 min",
    "AzureFirewall": "5-15 min",
    "Firewall": "5-15 min",
    "Profile": "1-5 min",
    "Registry": "1-3 min",
    "PrivateEndpoint": "1-3 min",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing the engine said of a resource. `at`: seconds of any clock that only goes forward."""

    phase: Literal["started", "done", "failed"]
    op: str
    type: str
    name: str
    urn: str
    at: float
    message: str = ""


@dataclass
class Progress:
    """One stack under way: `expected` steps, told events, and what is open. Folds events in as they come."""

    title: str
    expected: int
    began: float
    done: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    open: dict[str, Event] = field(default_factory=dict)
    state: str = "working"

    def hear(self, event: Event) -> None:
        """Take one event in. A resource that stays as it is does not count."""
        match event.phase:
            case "started":
                self.open[event.urn] = event
            case "done":
                self.open.pop(event.urn, None)
                self.done[event.op] += event.op not in ("same", "read", "refresh")
            case "failed":
                self.open.pop(event.urn, None)
                self.failed += 1

    @property
    def finished(self) -> int:
        """How many changes are done."""
        return sum(self.done.values())

    def line(self, now: float) -> str:
        """region eastus2   17/43  created 15, updated 2   1:02"""
        told = ", ".join(f"{_past(op)} {number}" for op, number in sorted(self.done.items()) if number)
        wrong = f", {self.failed} failed" if self.failed else ""
        total = max(self.expected, self.finished)
        return f"{self.title:<24} {self.finished:>4}/{total:<4} {told or '-'}{wrong}  {clock(now - self.began)}"

    def slow(self, now: float) -> Iterator[str]:
        """What is under way for long, the longest first."""
        waiting = sorted((event for event in self.open.values() if now - event.at >= SLOW), key=lambda one: one.at)
        for event in waiting[:NAMED]:
            kind = event.type.rpartition(":")[2]
            usual = f" (usually {USUAL[kind]})" if kind in USUAL else ""
            yield f"  {event.op} {kind} {event.name}: {clock(now - event.at)}{usual}"
        if len(waiting) > NAMED:
            yield f"  and {len(waiting) - NAMED} more"


def clock(seconds: float) -> str:
    """75 -> 1:15"""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _past(op: str) -> str:
    return {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}.get(op, op)
