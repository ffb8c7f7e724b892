"""Journal events -> where a rollout stands. Pure: state is replay(events), nothing else is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cli.rollouts.evidence import Look, parse_looks
from cli.rollouts.plan import BAKE, Plan, parse_plan
from cli.rollouts.procedure import (
    Advance,
    Bake,
    Decision,
    Load,
    Press,
    Promote,
    Rollback,
    SetRecord,
    Shift,
    Start,
    Step,
    parse_decision,
    parse_effect,
    steps,
)
from cli.rollouts.ruling import Ruling
from runbooks.journal import Event

Phase = Literal[
    "planned", "preparing", "pressing", "judging", "baking", "promoting", "rolling back", "promoted", "rolled back"
]
ENDED: tuple[Phase, ...] = ("promoted", "rolled back")


@dataclass(frozen=True, slots=True)
class State:
    """Where a rollout stands. Times are Unix seconds."""

    plan: Plan
    started: float
    phase: Phase = "planned"
    since: float = 0.0  # when the phase's last decision was taken
    decision: Decision | None = None
    done: int = 0  # steps of the decision's procedure that are behind us
    step_since: float = 0.0
    weight: float = 0.0
    origin: float | None = None  # when the first judged weight was in force: the grid of looks begins here
    reason: str = ""
    paused_since: float | None = None
    paused: float = 0.0  # seconds of ended pauses
    abort: str = ""
    override: str = ""
    intent: Event | None = None  # an effect whose outcome is not known
    shift: Shift | None = None  # the last wish that was applied
    ruling: Ruling | None = None  # what the last attempt of the load stage came to
    recorded: bool = False  # this rollout has set, or tried to set, the release of record
    by: str = ""  # who started it
    last: float = 0.0  # when the last line was written
    looks: tuple[Look, ...] = field(default=(), repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.phase in ENDED

    @property
    def pending(self) -> tuple[Step, ...]:
        """The steps that the last decision still needs."""
        return steps(self.plan, self.decision)[self.done :] if self.decision else ()

    @property
    def pressing(self) -> Press | None:
        """The load that is under way, or was when its driver died."""
        effect = parse_effect(self.intent.payload["effect"]) if self.intent else None
        return effect if isinstance(effect, Press) else None

    @property
    def expected(self) -> tuple[str, ...]:
        """What the release of record may be while nobody else sets it."""
        return (self.plan.stable, self.plan.canary) if self.recorded else (self.plan.stable,)

    @property
    def moved(self) -> str:
        """What somebody else made the release of record meanwhile, where that ends the rollout."""
        return self.decision.moved if isinstance(self.decision, Rollback) else ""

    @property
    def release(self) -> str:
        """The release that the service has when nothing but this rollout happens; its canary only once promoted."""
        return self.plan.canary if self.phase == "promoted" else self.moved or self.plan.stable

    def elapsed(self, now: float) -> float:
        """Seconds since the start, pauses not counted."""
        pausing = now - self.paused_since if self.paused_since is not None else 0.0
        return now - self.started - self.paused - pausing


def replay(events: Sequence[Event], before: State | None = None) -> State | None:
    """The state after `events`, which follow on what led to `before`; None before there is a plan."""
    if not events:
        return before
    if before is None and events[0].kind != "plan":
        return None
    state = before or _begun(events[0])
    for event in events:
        state = _apply(state, event)
    looks = parse_looks((event.payload for event in events if event.kind == "look"), state.looks)
    return replace(state, looks=looks, last=events[-1].at.timestamp())


def _begun(plan: Event) -> State:
    at = plan.at.timestamp()
    return State(parse_plan(plan.payload["plan"]), at, since=at, by=plan.actor)


def _apply(state: State, event: Event) -> State:
    at = event.at.timestamp()
    match event.kind:
        case "decision":
            return _decided(state, parse_decision(event.payload["decision"]), at)
        case "intent":
            return replace(state, intent=event, recorded=state.recorded or _records(state.plan, event))
        case "outcome":
            return _settled(state, event, at)
        case "reached":
            return _stepped(state, at)
        case "command":
            return _commanded(state, event, at)
        case "end":
            return replace(state, phase=event.payload["result"], reason=event.payload["reason"])
        case _:
            return state


def _decided(state: State, decision: Decision, at: float) -> State:
    fresh = replace(state, decision=decision, done=0, since=at, step_since=at, intent=None)
    match decision:
        case Start():
            return replace(fresh, phase="preparing")
        case Load():
            return replace(fresh, phase="pressing")
        case Advance(weight):
            return replace(fresh, phase="judging", weight=weight)
        case Bake():
            return replace(fresh, phase="baking", weight=BAKE)
        case Promote(reason):
            return replace(fresh, phase="promoting", reason=reason)
        case Rollback(reason):
            return replace(fresh, phase="rolling back", weight=0.0, reason=reason)


def _records(plan: Plan, intent: Event) -> bool:
    return parse_effect(intent.payload["effect"]) == SetRecord(plan.canary)


def _settled(state: State, outcome: Event, at: float) -> State:
    intent, closed = state.intent, replace(state, intent=None)
    if outcome.payload["result"] != "applied" or intent is None:
        return closed
    match parse_effect(intent.payload["effect"]):
        case Shift() as shift:
            closed = replace(closed, shift=shift)
        case Press():
            ruling = outcome.payload["ruling"]
            closed = replace(closed, ruling=Ruling(ruling["verdict"], tuple(ruling["reasons"])))
    return _stepped(closed, at)


def _stepped(state: State, at: float) -> State:
    origin = state.origin
    if origin is None and state.phase == "judging" and state.done == 1:
        origin = state.plan.begin(at)
    return replace(state, done=state.done + 1, step_since=at, origin=origin)


def _commanded(state: State, event: Event, at: float) -> State:
    said = f"{event.actor}: {event.payload.get('reason') or 'no reason given'}"
    match event.payload["command"]:
        case "pause" if state.paused_since is None:
            return replace(state, paused_since=at)
        case "resume" if state.paused_since is not None:
            return replace(state, paused_since=None, paused=state.paused + at - state.paused_since)
        case "abort":
            return replace(state, abort=state.abort or said)
        case "promote":
            return replace(state, override=state.override or said)
        case _:
            return state
