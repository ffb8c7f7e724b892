"""The loop over the stacks: intent before effect, outcome after it, and an end for whatever happens."""

from __future__ import annotations

import pytest

from cli.provision.drive import PAUSE, Broke, Done, End, Moved, Ports, Stopped, Work, drive
from cli.provision.plan import StackPlan
from infra.blueprint.stack import Stack, stacks
from infra.errors import Locked
from tests.fakes_fleet import DEMO, FakeEngine, FakeJournal, FakeLocks, FakeStage, Killed, Waits, engine
from tests.fakes_fleet import standing_fleet as standing

STACKS = stacks(DEMO)
BASE, REGION, PLATFORM, EDGE = STACKS


def planned(made: FakeEngine, stacks: tuple[Stack, ...] = STACKS, foreseen: bool = True) -> list[Work]:
    """A plan for stacks, as the engine sees them now."""
    return [
        (one, StackPlan(one.kind, one.name, one.region, made.preview(one), foreseen and one.kind != "base"))
        for one in stacks
    ]


class Bench:
    """One run of the loop, with all that it was given."""

    def __init__(self, made: FakeEngine, stop_after: int = 10**6) -> None:
        self.engine, self.journal, self.locks = made, FakeJournal(), FakeLocks()
        self.clock, self.stage = Waits(), FakeStage()
        self._left = stop_after

    def stop(self) -> bool:
        self._left -= 1
        return self._left < 0

    def run(self, work: list[Work], operation: str = "up") -> End:
        ports = Ports("run-1", self.engine, self.journal, self.locks, self.clock, self.stage, self.stop)
        return drive(work, operation, ports)

    def told(self) -> list[str]:
        """The journal in short."""
        return [
            " ".join([kind, *(str(payload[key]) for key in ("stack", "do", "result") if key in payload)])
            for kind, payload in self.journal.lines
        ]


def test_every_stack_has_its_intent_before_and_its_outcome_after() -> None:
    """In order, each under its lock, and the run has an end."""
    bench = Bench(engine())
    end = bench.run(planned(bench.engine, (BASE, PLATFORM)))
    assert isinstance(end, Done)
    assert end.changes == {BASE.reference: {"create": 2}, PLATFORM.reference: {"create": 1}}
    assert bench.told() == [
        f"intent {BASE.reference} up",
        f"outcome {BASE.reference} done",
        f"intent {PLATFORM.reference} up",
        f"outcome {PLATFORM.reference} done",
        "end done",
    ]
    assert bench.locks.held_now == []


def test_what_needs_nothing_is_not_touched_unless_something_before_it_changed() -> None:
    """A stack that would stay is run again where what it refers to has changed."""
    made = standing(STACKS)
    made.wanted["region"]["cluster"] = 2
    bench = Bench(made)
    bench.run(planned(made, foreseen=False))
    assert [name for what, name in made.calls if what == "up"] == [
        REGION.reference,
        PLATFORM.reference,
        EDGE.reference,
    ]
    assert bench.told()[0] == f"outcome {BASE.reference} unchanged"


def test_a_stack_that_only_tells_others_something_new_is_run() -> None:
    """Else the stacks above it would go on with what it told before."""
    made = standing(STACKS)
    made.telling[REGION.reference] = ("traffic",)
    Bench(made).run(planned(made, foreseen=False))
    assert [name for what, name in made.calls if what == "up"] == [REGION.reference]


@pytest.mark.parametrize("fault", ["busy", "unanswered"])
def test_what_trying_again_mends_is_tried_again_after_a_look(fault: str) -> None:
    """Busy or no answer: a pause, a look, and the same again; the second try does not repeat what was done."""
    made = engine(faults=[("region", "cluster", fault)])
    bench = Bench(made)
    assert isinstance(bench.run(planned(made)), Done)
    assert [what for what, name in made.calls if name == REGION.reference] == ["preview", "keep", "up", "settle", "up"]
    assert bench.clock.waited == PAUSE
    assert made.azure[REGION.reference] == made.wanted["region"]


def test_the_changes_of_all_tries_are_counted() -> None:
    """What the first try made is no less made when a second one was needed."""
    made = engine(faults=[("region", "cluster", "busy")])
    bench = Bench(made)
    end = bench.run(planned(made))
    assert isinstance(end, Done)
    assert end.changes[REGION.reference] == {"create": len(made.wanted["region"])}
    assert bench.journal.lines[-1] == ("end", {"result": "done", "changes": end.changes})


def test_a_third_failure_is_the_last_one() -> None:
    """What does not converge in two re-runs is for a person."""
    made = engine(faults=[("region", "cluster", "busy")] * 3)
    bench = Bench(made)
    end = bench.run(planned(made))
    assert isinstance(end, Broke)
    assert [what for what, name in made.calls if name == REGION.reference].count("up") == 3


def test_a_quota_failure_ends_the_run_and_says_what_was_done_and_what_not() -> None:
    """No second try; the stacks after it were not touched."""
    made = engine(faults=[("region", "cluster", "quota")])
    bench = Bench(made)
    end = bench.run(planned(made))
    assert isinstance(end, Broke)
    assert ([one.kind for one in end.done], end.stack.kind) == (["base"], "region")
    assert [one.kind for one in end.left] == ["platform", "edge"]
    assert end.failed[0].kind == "elsewhere"
    assert bench.told()[-2:] == [f"outcome {REGION.reference} failed", "end failed"]
    assert bench.journal.lines[-2][1]["failed"][0]["class"] == "elsewhere"
    assert PLATFORM.reference not in made.azure
    assert "failed: Cluster cluster: the subscription's quota" in bench.stage.said[-1]


def test_a_stop_between_two_stacks_leaves_the_rest_untouched() -> None:
    """The stack under way is finished."""
    made = engine()
    bench = Bench(made, stop_after=1)
    end = bench.run(planned(made))
    assert isinstance(end, Stopped)
    assert ([one.kind for one in end.done], [one.kind for one in end.left]) == (
        ["base"],
        ["region", "platform", "edge"],
    )
    assert bench.told()[-1] == "end interrupted"


def test_a_stop_inside_a_stack_is_not_a_failure() -> None:
    """The engine ends what is open and says that it was cancelled; there is no second try."""
    made = engine(faults=[("region", "cluster", "stopped")])
    bench = Bench(made)
    end = bench.run(planned(made))
    assert isinstance(end, Stopped)
    assert [one.kind for one in end.left] == ["region", "platform", "edge"]
    assert bench.told()[-1] == "end interrupted"


def test_a_plan_that_got_worse_since_it_was_confirmed_is_not_carried_out() -> None:
    """A change of an earlier stack would now replace a protected thing that nobody said yes to."""
    made = standing(STACKS)
    made.wanted["base"]["group"] = 2
    bench = Bench(made)
    work = planned(made, foreseen=False)
    made.wanted["region"]["fixedvault"] = 2
    end = bench.run(work)
    assert isinstance(end, Moved)
    assert [step.name for step in end.perils] == ["fixedvault"]
    assert made.azure[REGION.reference]["fixedvault"] == 1
    assert bench.told()[-1] == "end failed"


def test_what_was_let_go_is_guarded_again_where_more_would_be_lost_than_was_confirmed() -> None:
    """The engine may only find out after the first guard is off."""
    made = standing(STACKS)
    made.wanted["base"] = {"group": 1, "fixedkey": 2, "registry": 1}
    made.known[BASE.reference]["fixedkey"] = made.azure[BASE.reference]["fixedkey"] = 1
    made.protected |= {"fixedkey"}
    bench = Bench(made)
    work = planned(made, (BASE,), foreseen=False)
    del made.wanted["base"]["registry"]
    end = bench.run(work)
    assert isinstance(end, Moved)
    assert [step.name for step in end.perils] == ["registry"]
    assert (made.gone, made.azure[BASE.reference]["fixedkey"]) == (set(), 1)


def test_a_replace_that_was_confirmed_is_carried_out() -> None:
    """The same peril as in the plan is no news."""
    made = standing(STACKS)
    made.wanted["base"]["group"] = made.wanted["region"]["fixedvault"] = 2
    bench = Bench(made)
    assert isinstance(bench.run(planned(made, foreseen=False)), Done)
    assert made.azure[REGION.reference]["fixedvault"] == 2


def test_past_a_failure_nothing_is_lost() -> None:
    """A stack with losses stops at the first failure: no pool goes where its successor did not come."""
    made = standing(STACKS)
    made.wanted["base"]["group"] = made.wanted["region"]["fixedvault"] = 2
    Bench(made).run(planned(made, foreseen=False))
    assert (made.past_failures[BASE.reference], made.past_failures[REGION.reference]) == (True, False)


def test_a_stack_that_somebody_else_works_on_is_left_alone() -> None:
    """Nothing of it is in the journal."""
    made = engine()
    bench = Bench(made)
    bench.locks.taken = frozenset({REGION.reference})
    with pytest.raises(Locked):
        bench.run(planned(made))
    assert bench.told()[-1] == f"outcome {BASE.reference} done"


def test_a_kill_leaves_an_intent_without_an_outcome() -> None:
    """That is how the next run knows where to look."""
    made = engine(faults=[("region", "cluster", "killed")])
    bench = Bench(made)
    with pytest.raises(Killed):
        bench.run(planned(made))
    assert bench.told()[-1] == f"intent {REGION.reference} up"


def test_destroy_takes_every_stack_away_and_never_looks_for_perils() -> None:
    """Whoever confirmed a destroy has confirmed all of it."""
    made = standing(STACKS)
    work = [(one, StackPlan(one.kind, one.name, one.region, made.leftover(one))) for one in reversed(STACKS)]
    bench = Bench(made)
    assert isinstance(bench.run(work, "destroy"), Done)
    assert all(not resources for resources in made.azure.values())
    assert ("preview", REGION.reference) not in made.calls
