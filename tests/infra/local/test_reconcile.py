"""What the supervisor decides: tables of single decisions, and a small world in which all of them must add up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.reconcile import (
    SLICES,
    Action,
    Arm,
    Drain,
    Goal,
    Observed,
    Phase,
    Publish,
    Replica,
    Start,
    Weigh,
    Withdraw,
    reconcile,
)
from infra.local.routing import Weights

CALM = Goal(2, "v1")
ROLLOUT = Goal(2, "v1", "v2", 25, 25)


def replica(name: str, state: Phase = "ready", release: str = "", pair: str | None = None) -> Replica:
    """A replica whose arm is told by the first letter of its name."""
    arm: Arm = {"s": "stable", "c": "canary", "b": "baseline"}[name[0]]  # type: ignore[assignment]
    release = release or ("v2" if arm == "canary" else "v1")
    return Replica(name, arm, release, state, None if arm == "stable" else pair or "v2")


def seen(*replicas: Replica, applied: Weights | None = None, serving: str = "") -> Observed:
    """What is there; `serving` names replicas that Envoy knows."""
    names = serving.split()
    arms: dict[Arm, frozenset[str]] = {
        arm: frozenset(name for name in names if name[0] == arm[0]) for arm in ("stable", *SLICES)
    }
    return Observed(replicas, applied or Weights(), arms)


STABLE = (replica("s1"), replica("s2"))
PAIR = (replica("c1"), replica("b1"))
QUARTER = Weights(2_500, 2_500)

CASES: dict[str, tuple[Goal, Observed, tuple[Action, ...]]] = {
    "an empty region starts its stable replicas": (CALM, seen(), (Start("stable", "v1"),) * 2),
    "without a record nothing is started": (Goal(2, None), seen(), ()),
    "without a record nothing is stopped": (Goal(2, None), seen(*STABLE, serving="s1 s2"), ()),
    "a content region is left alone": (CALM, seen(*STABLE, serving="s1 s2"), ()),
    "a rollout starts both slices and moves no traffic": (
        ROLLOUT,
        seen(*STABLE, serving="s1 s2"),
        (Start("canary", "v2", "v2"), Start("baseline", "v1", "v2")),
    ),
    "ready slices are published before they get a weight": (
        ROLLOUT,
        seen(*STABLE, *PAIR, serving="s1 s2"),
        (Publish("canary", frozenset({"c1"})), Publish("baseline", frozenset({"b1"}))),
    ),
    "half a pair gets nothing": (
        ROLLOUT,
        seen(*STABLE, replica("c1"), replica("b1", "starting"), serving="s1 s2 c1"),
        (),
    ),
    "a confirmed pair gets its weight": (
        ROLLOUT,
        seen(*STABLE, *PAIR, serving="s1 s2 c1 b1"),
        (Weigh(QUARTER),),
    ),
    "a canary that has crashed keeps its weight, for its failures are evidence": (
        ROLLOUT,
        seen(*STABLE, replica("c1", "crashed"), replica("b1"), applied=QUARTER, serving="s1 s2 c1 b1"),
        (Publish("canary", frozenset()),),
    ),
    "weights go down at once even if the slice is not ready": (
        replace(ROLLOUT, canary=1, baseline=1),
        seen(*STABLE, replica("c1", "crashed"), replica("b1"), applied=QUARTER, serving="s1 s2 b1"),
        (Weigh(Weights(100, 100)),),
    ),
    "growth waits for the replicas it needs": (
        replace(ROLLOUT, canary=100, baseline=0),
        seen(*STABLE, *PAIR, applied=QUARTER, serving="s1 s2 c1 b1"),
        (Weigh(Weights(2_500, 0)), Start("canary", "v2", "v2")),
    ),
    "the end of a rollout takes the traffic first": (
        CALM,
        seen(*STABLE, *PAIR, applied=QUARTER, serving="s1 s2 c1 b1"),
        (Weigh(Weights()),),
    ),
    "then the rotation": (
        CALM,
        seen(*STABLE, *PAIR, serving="s1 s2 c1 b1"),
        (Publish("canary", frozenset()), Publish("baseline", frozenset())),
    ),
    "then the processes": (CALM, seen(*STABLE, *PAIR, serving="s1 s2"), (Withdraw("c1"), Withdraw("b1"))),
    "a slice of another rollout is not given this one's traffic": (
        replace(ROLLOUT, release="v3"),
        seen(*STABLE, *PAIR, applied=QUARTER, serving="s1 s2 c1 b1"),
        (Weigh(Weights()), Start("canary", "v3", "v3"), Start("baseline", "v1", "v3")),
    ),
    "a new record starts its replicas beside the old ones": (
        Goal(2, "v2"),
        seen(*STABLE, serving="s1 s2"),
        (Start("stable", "v2"),) * 2,
    ),
    "half of the new replicas take nothing over": (
        Goal(2, "v2"),
        seen(*STABLE, replica("s3", release="v2"), replica("s4", "starting", "v2"), serving="s1 s2"),
        (),
    ),
    "all of the new replicas take over together": (
        Goal(2, "v2"),
        seen(*STABLE, replica("s3", release="v2"), replica("s4", release="v2"), serving="s1 s2"),
        (Publish("stable", frozenset({"s3", "s4"})),),
    ),
    "and then the old ones are drained": (
        Goal(2, "v2"),
        seen(*STABLE, replica("s3", release="v2"), replica("s4", release="v2"), serving="s3 s4"),
        (Drain("s1"), Drain("s2")),
    ),
    "a crash after the swap does not bring the old release back": (
        Goal(2, "v2"),
        seen(replica("s1"), replica("s3", release="v2"), replica("s4", "crashed", "v2"), serving="s3 s4"),
        (Publish("stable", frozenset({"s3"})), Drain("s1")),
    ),
    "a record set back in the middle of a roll stops the new replicas": (
        CALM,
        seen(*STABLE, replica("s3", "starting", "v2"), serving="s1 s2"),
        (Drain("s3"),),
    ),
    "a crashed stable replica leaves the rotation": (
        CALM,
        seen(replica("s1"), replica("s2", "crashed"), serving="s1 s2"),
        (Publish("stable", frozenset({"s1"})),),
    ),
    "the baseline keeps its release when the record moves on": (
        Goal(2, "v2", "v2", 100, 0),
        seen(
            *(replica(f"s{n}", release="v2") for n in (1, 2)),
            replica("c1"),
            replica("c2"),
            replica("b1"),
            applied=Weights(10_000, 0),
            serving="s1 s2 c1 c2 b1",
        ),
        (),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_decision(case: str) -> None:
    """The next actions, exactly."""
    goal, observed, actions = CASES[case]
    assert reconcile(goal, observed) == actions


@pytest.mark.parametrize(
    ("weight", "replicas", "size"),
    [(0, 3, 1), (0.01, 3, 1), (25, 3, 1), (33.34, 3, 2), (50, 3, 2), (100, 3, 3), (50, 4, 2)],
)
def test_a_slice_is_as_large_as_its_share(weight: float, replicas: int, size: int) -> None:
    """At least one replica, and never a share of one too few."""
    assert Goal(replicas, "v1", "v2", weight).size("canary") == size


class World:
    """Does what it is told at once, but for starts and drains, which take a step; Envoy is always right."""

    def __init__(self) -> None:
        self.observed = Observed()
        self.serial = 0

    def step(self, goal: Goal) -> tuple[Action, ...]:
        actions = reconcile(goal, self.observed)
        replicas = [r for r in self.observed.replicas if r.state != "draining"]
        replicas = [replace(r, state="ready") if r.state in ("starting", "crashed") else r for r in replicas]
        applied, serving = self.observed.applied, dict(self.observed.serving)
        for action in actions:
            match action:
                case Start(arm, release, pair):
                    self.serial += 1
                    replicas.append(Replica(f"{arm}-{self.serial}", arm, release, "starting", pair))
                case Drain(name) | Withdraw(name):
                    assert not any(name in names for names in self.observed.serving.values()), "stopped under traffic"
                    replicas = [replace(r, state="draining") if r.name == name else r for r in replicas]
                case Publish(arm, names):
                    serving[arm] = names
                case Weigh(weights):
                    applied = weights
        self.observed = Observed(tuple(replicas), applied, serving)
        return actions

    def crash(self, index: int) -> None:
        replicas = list(self.observed.replicas)
        if replicas:
            index %= len(replicas)
            replicas[index] = replace(replicas[index], state="crashed")
        self.observed = replace(self.observed, replicas=tuple(replicas))

    def check(self, goal: Goal) -> None:
        """What must hold whenever nobody has just crashed: an arm with weight has replicas, of one rollout."""
        for arm in SLICES:
            if self.observed.applied.of(arm):
                members = [r for r in self.observed.of(arm) if r.name in self.observed.served(arm)]
                assert members and len({r.pair for r in members}) == 1


goals = st.one_of(
    st.builds(Goal, st.just(3), st.sampled_from(["v1", "v2", None])),
    st.builds(
        lambda record, release, weight: Goal(3, record, release, weight, weight),
        st.sampled_from(["v1", "v2", None]),
        st.sampled_from(["v2", "v3"]),
        st.sampled_from([0.0, 0.05, 25.0, 50.0]),
    ),
    st.builds(lambda record: Goal(3, record, "v2", 100.0, 0.0), st.sampled_from(["v1", "v2"])),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(goals, st.integers(1, 6)), max_size=6), goals.filter(lambda goal: goal.record is not None))
def test_whatever_happened_before_the_goal_is_reached_and_kept(history: list[tuple[Goal, int]], goal: Goal) -> None:
    """Goals change at any step; nothing is ever stopped under traffic, and no arm has weight without replicas."""
    world = World()
    for earlier, steps in history:
        for _ in range(steps):
            world.step(earlier)
            world.check(earlier)
    for _ in range(12):
        world.step(goal)
        world.check(goal)
    assert world.step(goal) == ()
    assert world.observed.applied == (goal.weights if goal.release else Weights())
    assert len(world.observed.served("stable")) == 3


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(goals, st.integers(0, 9)), max_size=8), goals.filter(lambda goal: goal.record is not None))
def test_crashes_at_any_time_do_not_keep_the_goal_from_being_reached(
    history: list[tuple[Goal, int]], goal: Goal
) -> None:
    """A crash at every step, then peace."""
    world = World()
    for earlier, victim in history:
        world.step(earlier)
        world.crash(victim)
    for _ in range(15):
        world.step(goal)
    assert world.step(goal) == ()
    assert world.observed.applied == (goal.weights if goal.release else Weights())
