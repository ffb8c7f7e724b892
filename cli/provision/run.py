"""A run over the stacks as its journal tells it: planned, done, left unknown. Pure: events in, state out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cli.provision.plan import FleetPlan, data

RESULTS = ("done", "failed", "interrupted", "settled")
"""How a run ends; `settled`: it was killed, and a later run has looked at what it left."""


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run stands. `unknown`: the stack that was being changed and whose outcome nobody wrote down."""

    name: str
    operation: str
    region: str | None
    emulated: bool
    actor: str
    at: str
    stacks: tuple[str, ...]
    results: Mapping[str, str] = field(default_factory=dict)
    unknown: str | None = None
    ended: str | None = None
    why: str = ""

    @property
    def left(self) -> tuple[str, ...]:
        """The stacks it has not come to."""
        return tuple(stack for stack in self.stacks if stack not in self.results and stack != self.unknown)


def opening(plan: FleetPlan, idents: Iterable[str]) -> dict[str, Any]:
    """The payload of a run's first line: what was planned, in counts, and for which stacks."""
    told = data(plan)
    told["stacks"] = [
        {"stack": ident, "changes": one["changes"]} for ident, one in zip(idents, told["stacks"], strict=True)
    ]
    return told


def replay(name: str, events: Iterable[Any]) -> Run | None:
    """The run that a journal tells of (events have kind, payload, actor, at); None while it has no plan."""
    run: Run | None = None
    for event in events:
        run = _begun(name, event) if event.kind == "plan" else _after(run, event)
    return run


def _begun(name: str, event: Any) -> Run:
    plan = event.payload
    stacks = tuple(one["stack"] for one in plan["stacks"])
    at = event.at.isoformat().replace("+00:00", "Z")
    return Run(name, plan["operation"], plan["region"], plan["emulated"], event.actor, at, stacks)


def _after(run: Run | None, event: Any) -> Run | None:
    if run is None:
        return None
    payload = event.payload
    match event.kind:
        case "intent":
            return replace(run, unknown=payload["stack"])
        case "outcome" | "settled":
            known = {**run.results, payload["stack"]: payload["result"]}
            return replace(run, results=known, unknown=None if run.unknown == payload["stack"] else run.unknown)
        case "end":
            return replace(run, ended=payload["result"], why=payload.get("why", ""))
        case _:
            return run
