"""What a rollout will do, frozen before it does anything. Pure: no clock, no network, no journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from infra import grid

BAKE = 100.0  # the weight of the bake, percent
Metric = Literal["errors", "ttft", "itl", "e2e", "queue"]


class PlanError(ValueError):
    """A plan in a journal is not one of ours."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One count that is compared between canary and baseline: bad responses, or responses above a latency threshold.

    `threshold` is in seconds, None for errors. The tolerance: the canary passes when its ratio to the baseline is
    proven below `ratio`, or its own rate below `floor`. Only signals with `gate` must pass before promotion; all of
    them are tested for harm.
    """

    metric: Metric
    threshold: float | None
    ratio: float
    floor: float | None
    gate: bool

    @property
    def name(self) -> str:
        """`errors`, or like `ttft>0.25s`."""
        return self.metric if self.threshold is None else f"{self.metric}>{self.threshold:g}s"


@dataclass(frozen=True, slots=True)
class Stage:
    """The load that the canary must carry before it has users: requests a second, seconds of the first attempt.

    `profile` is the load profile as JSON values and `slo` the criteria as people write them: frozen with the plan.
    `traces` is a fingerprint of the trace files that the profile names: with one that was edited it is another load.
    Plans of before have none.
    """

    profile: dict[str, Any]
    rate: float
    seconds: float
    slo: tuple[str, ...]
    traces: str = ""

    def lasting(self, attempt: int) -> float:
        """Seconds of an attempt: one that could not tell was too short, so each lasts longer than the one before."""
        return attempt * self.seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """A rollout of `canary` over `stable` for one service in one region. Durations in seconds, weights in percent."""

    run: str
    fleet: str
    region: str
    service: str
    stable: str
    canary: str
    assignment: str
    weights: tuple[float, ...]
    budget: int
    signals: tuple[Signal, ...]
    alpha: float
    confidence: float
    noise: float
    look: float
    block: float
    warmup: float
    deadline: float
    bake: float
    drain: float
    expiry: float
    kind: Literal["canary", "undo"] = "canary"
    load: Stage | None = None

    @property
    def last_weight(self) -> float:
        """The highest judged weight."""
        return self.weights[-1]

    def begin(self, at: float) -> float:
        """Where looks, or blocks, begin that may begin at `at`: where users are drawn by block, with the next draw."""
        return grid.begin(at, self.block, self.look) if self.assignment == "user" else at

    def after(self, weight: float) -> float:
        """The next judged weight above `weight`."""
        return next(w for w in self.weights if w > weight)

    def to_json(self) -> dict[str, Any]:
        """As the journal keeps it. Without a load stage it is as it was before there were any, and so is its digest."""
        found = asdict(self)
        return found if self.load else {name: value for name, value in found.items() if name != "load"}

    def digest(self) -> str:
        """SHA-256 over the canonical JSON: two plans with the same hash do the same."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()


def parse_plan(raw: Mapping[str, Any]) -> Plan:
    """The inverse of `Plan.to_json`. Raises PlanError for anything else."""
    try:
        signals = tuple(Signal(**signal) for signal in raw["signals"])
        load = Stage(**{**raw["load"], "slo": tuple(raw["load"]["slo"])}) if raw.get("load") else None
        return Plan(**{**raw, "signals": signals, "weights": tuple(raw["weights"]), "load": load})
    except (TypeError, KeyError) as error:
        raise PlanError(f"not a rollout plan: {error}") from error
