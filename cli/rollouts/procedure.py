"""What a decision means step by step: effects to carry out and conditions to wait for. Pure values, no effects here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cli.rollouts.plan import BAKE, Plan

Condition = Literal["slices ready", "counters settled", "weights in force", "drained", "stable runs it", "slices gone"]


@dataclass(frozen=True, slots=True)
class Shift:
    """Wish these weights (percent) for slices that run `release`; None wishes no slices. Absolute, so repeatable."""

    release: str | None
    canary: float
    baseline: float


@dataclass(frozen=True, slots=True)
class SetRecord:
    """Make `release` the release of record, which the stable arm follows."""

    release: str


@dataclass(frozen=True, slots=True)
class Press:
    """Send the load of the plan to the canary alone for so many seconds, and rule on what its clients saw."""

    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Await:
    """Go on when the world is so. `release` is what the stable arm must run, where that is the condition."""

    condition: Condition
    release: str = ""


Effect = Shift | SetRecord | Press
EFFECTS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in (Shift, SetRecord, Press)}
Step = Effect | Await


@dataclass(frozen=True, slots=True)
class Start:
    """Bring up the canary and its matched baseline slice, without traffic."""


@dataclass(frozen=True, slots=True)
class Load:
    """Press the canary, which has no users yet; again where an attempt could not tell."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Advance:
    """Take the next judged weight, percent."""

    weight: float


@dataclass(frozen=True, slots=True)
class Bake:
    """Give the canary all traffic while the old release stays warm."""


@dataclass(frozen=True, slots=True)
class Promote:
    """Make the canary the release of record."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rollback:
    """Take the canary out and keep the stable release, or what somebody else put in its place."""

    reason: str
    slices: bool = True  # False where none were ever wished
    moved: str = ""  # the release that somebody else made the one of record meanwhile: it is left alone


@dataclass(frozen=True, slots=True)
class Hold:
    """Change nothing, and say why."""

    reason: str


Decision = Start | Load | Advance | Bake | Promote | Rollback
KINDS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in (Start, Load, Advance, Bake, Promote, Rollback)}


def steps(plan: Plan, decision: Decision) -> tuple[Step, ...]:
    """The procedure of a decision. Each step is safe to repeat."""
    match decision:
        case Start():
            return Shift(plan.canary, 0, 0), Await("slices ready")
        case Load(attempt):
            assert plan.load is not None, "only a plan with a load stage decides to press"
            return Press(attempt, plan.load.lasting(attempt)), Await("counters settled")
        case Advance(weight):
            return Shift(plan.canary, weight, weight), Await("weights in force")
        case Bake():
            return Shift(plan.canary, BAKE, 0), Await("weights in force")
        case Promote() if plan.kind == "undo":
            return (*_settle(plan.canary), *_retire())
        case Promote():
            return (*_settle(plan.canary), *_stop(plan), *_retire())
        case Rollback():
            return tuple(_withdraw(plan, decision))


def _withdraw(plan: Plan, rollback: Rollback) -> Iterator[Step]:
    """Traffic first, then the record, then the slices."""
    if rollback.slices and plan.kind == "canary":
        yield from _stop(plan)
    if not rollback.moved:
        yield from _settle(plan.stable)
    if rollback.slices:
        yield from _retire()


def _settle(release: str) -> tuple[Step, ...]:
    return SetRecord(release), Await("stable runs it", release)


def _stop(plan: Plan) -> tuple[Step, ...]:
    return Shift(plan.canary, 0, 0), Await("weights in force"), Await("drained")


def _retire() -> tuple[Step, ...]:
    return Shift(None, 0, 0), Await("slices gone")


def to_json(value: Decision | Effect) -> dict[str, Any]:
    """As the journal keeps a decision or an effect."""
    return {"kind": type(value).__name__.lower(), **asdict(value)}


def parse_effect(raw: dict[str, Any]) -> Effect:
    """The inverse of `to_json` for effects. Raises KeyError or TypeError for anything else."""
    fields = {key: value for key, value in raw.items() if key != "kind"}
    effect: Effect = EFFECTS[raw["kind"]](**fields)
    return effect


def parse_decision(raw: dict[str, Any]) -> Decision:
    """The inverse of `to_json` for decisions. Raises KeyError or TypeError for anything else."""
    fields = {key: value for key, value in raw.items() if key != "kind"}
    decision: Decision = KINDS[raw["kind"]](**fields)
    return decision
