"""Wish + record + what is there -> what to do next, for one service. Pure: no clock, no process, no file.

Every call returns only what is safe now; the next call, on what is there then, does the rest. So a stable roll is:
start, wait, swap endpoints, see Envoy confirm the swap, drain - and a crash at any point of it is just another start.

  - an arm gets traffic only when enough of its replicas are ready and Envoy has confirmed that it knows them;
  - lowering a weight never waits; a slice is never made smaller, only retired as a whole;
  - a replica is stopped only when Envoy has confirmed that nothing new goes to it;
  - without a record nothing that runs is changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from infra.local.routing import TOTAL, Weights

Arm = Literal["stable", "canary", "baseline"]
Phase = Literal["starting", "ready", "draining", "crashed"]
SLICES: tuple[Arm, Arm] = ("canary", "baseline")
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Replica:
    """A model server. `pair` is the canary's release, for both slices: so a slice of an earlier rollout is known."""

    name: str
    arm: Arm
    release: str
    state: Phase
    pair: str | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """What a service should be: its release of record (None: it cannot be read) and the wish, as percent."""

    replicas: int
    record: str | None
    release: str | None = None
    canary: float = 0.0
    baseline: float = 0.0

    @property
    def weights(self) -> Weights:
        """The wish in Envoy's points."""
        points = TOTAL // 100
        return Weights(round(self.canary * points), round(self.baseline * points))

    def size(self, arm: Arm) -> int:
        """Replicas an arm needs: its share of the stable ones, at least one."""
        share = {"stable": 100.0, "canary": self.canary, "baseline": self.baseline}[arm]
        return max(1, math.ceil(round(share * self.replicas / 100, 6)))


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there: replicas, the weights that Envoy applies, and the replicas it sends requests to."""

    replicas: tuple[Replica, ...] = ()
    applied: Weights = field(default_factory=Weights)
    serving: dict[Arm, frozenset[str]] = field(default_factory=dict)

    def of(self, arm: Arm) -> tuple[Replica, ...]:
        """The replicas of an arm that are not on their way out."""
        return tuple(replica for replica in self.replicas if replica.arm == arm and replica.state != "draining")

    def served(self, arm: Arm) -> frozenset[str]:
        """Names of the replicas that Envoy sends requests of an arm to."""
        return self.serving.get(arm, NOBODY)


@dataclass(frozen=True, slots=True)
class Start:
    """Start one replica."""

    arm: Arm
    release: str
    pair: str | None = None


@dataclass(frozen=True, slots=True)
class Drain:
    """No traffic goes there any more: let it finish what is open, until its deadline."""

    name: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """No traffic goes there any more: end what is still open, with a typed error."""

    name: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Make these the replicas of an arm."""

    arm: Arm
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Weigh:
    """Make these the weights."""

    weights: Weights


Action = Start | Drain | Withdraw | Publish | Weigh


def reconcile(goal: Goal, observed: Observed) -> tuple[Action, ...]:
    """The next actions, in the order in which they are safe."""
    return (*_weigh(goal, observed), *_publish(goal, observed), *_start(goal, observed), *_stop(goal, observed))


def _weigh(goal: Goal, observed: Observed) -> Iterator[Action]:
    wished = goal.weights if goal.release else Weights()
    weights = wished if _ready_for(goal, observed) else wished.lowered_to(_bearable(goal, observed))
    if weights != observed.applied:
        yield Weigh(weights)


def _ready_for(goal: Goal, observed: Observed) -> bool:
    """Whether each slice has as many replicas in rotation as its wished weight needs."""
    return all(len(_in_rotation(goal, observed, arm)) >= goal.size(arm) for arm in SLICES)


def _in_rotation(goal: Goal, observed: Observed, arm: Arm) -> frozenset[str]:
    return observed.served(arm) & {replica.name for replica in _wanted(goal, observed, arm) if replica.state == "ready"}


def _bearable(goal: Goal, observed: Observed) -> Weights:
    """What may stay while a slice is not ready: what it has - unless what serves there is of another rollout.

    A slice whose replicas have all crashed keeps its weight: its failures are the evidence that ends the rollout.
    """
    wanted = {replica.name for arm in SLICES for replica in _wanted(goal, observed, arm)}
    foreign = any(observed.served(arm) - wanted for arm in SLICES)
    return Weights() if foreign or not wanted else observed.applied


def _wanted(goal: Goal, observed: Observed, arm: Arm) -> tuple[Replica, ...]:
    """The replicas of an arm that belong to the goal; without a record, all stable ones do."""
    if arm == "stable":
        return tuple(r for r in observed.of(arm) if goal.record is None or r.release == goal.record)
    return tuple(r for r in observed.of(arm) if goal.release is not None and r.pair == goal.release)


def _publish(goal: Goal, observed: Observed) -> Iterator[Action]:
    for arm, names in (("stable", _stable_hosts(goal, observed)), *_slice_hosts(goal, observed)):
        if names != observed.served(arm):
            yield Publish(arm, names)


def _stable_hosts(goal: Goal, observed: Observed) -> frozenset[str]:
    """All of the new release when it is complete, or once it serves; else what is left of the old one."""
    new = {replica.name for replica in _wanted(goal, observed, "stable") if replica.state == "ready"}
    old = {replica.name for replica in observed.of("stable") if replica.state == "ready"} - new
    swapped = bool(new & observed.served("stable")) and not old & observed.served("stable")
    return frozenset(new if len(new) >= goal.replicas or swapped or not old else old)


def _slice_hosts(goal: Goal, observed: Observed) -> Iterator[tuple[Arm, frozenset[str]]]:
    """Ready replicas of the rollout; those of an earlier one stay in until Envoy gives their arm no weight."""
    for arm in SLICES:
        members = _wanted(goal, observed, arm) if not observed.applied.of(arm) else observed.of(arm)
        yield arm, frozenset(replica.name for replica in members if replica.state == "ready")


def _start(goal: Goal, observed: Observed) -> Iterator[Action]:
    if goal.record is None:
        return
    yield from [Start("stable", goal.record)] * _missing(goal, observed, "stable")
    if goal.release is None:
        return
    yield from [Start("canary", goal.release, goal.release)] * _missing(goal, observed, "canary")
    release = next((replica.release for replica in _wanted(goal, observed, "baseline")), goal.record)
    yield from [Start("baseline", release, goal.release)] * _missing(goal, observed, "baseline")


def _missing(goal: Goal, observed: Observed, arm: Arm) -> int:
    return max(0, goal.size(arm) - len(_wanted(goal, observed, arm)))


def _stop(goal: Goal, observed: Observed) -> Iterator[Action]:
    """Stop what the goal does not name and Envoy does not know. A roll lets streams finish, a retirement not."""
    for arm in ("stable", *SLICES):
        wanted = {replica.name for replica in _wanted(goal, observed, arm)}
        for replica in observed.of(arm):
            if replica.name not in wanted | observed.served(arm):
                yield Drain(replica.name) if arm == "stable" else Withdraw(replica.name)
