"""Who wins: abort > failed verdict > a promotion under way > pause > a person's promote > deadline > evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cli.rollouts.decision import decide, exposure, remaining
from cli.rollouts.evidence import Count, Look
from cli.rollouts.procedure import Advance, Bake, Decision, Hold, Load, Press, Promote, Rollback, Start, to_json
from cli.rollouts.state import Phase, State
from cli.rollouts.verdict import Evidence, Fail, Inconclusive, Pass, Verdict
from runbooks.journal import Event
from tests.fakes import BROKEN, EPOCH, PASSED, PLAN, SIGNALS, STAGED, UNTOLD

NOW = EPOCH + 30


def evidence(rate_bound: float = 0.02, bad: int = 5, total: int = 1000, baseline: int = 5) -> tuple[Evidence, ...]:
    one = Evidence(SIGNALS[0], Count(total, bad), Count(1000, baseline), 1.0, 4.0, rate_bound, True)
    return (one,)


PASS = Pass(evidence(), 1.0)
FAIL = Fail("errors: too many", evidence(), 1e6)
OPEN = Inconclusive("more looks are needed", evidence(), 1.0)
VERDICTS: tuple[Verdict, ...] = (PASS, FAIL, OPEN)


NONE_BAD = Count(50, 0)


def look(at: float, canary: Count, baseline: Count = NONE_BAD, weight: float = 25.0) -> Look:
    return Look(at, weight, {"canary": {"errors": canary}, "baseline": {"errors": baseline}})


LOOKS = tuple(look(EPOCH + at, Count(25, 0)) for at in range(1, 11))


def standing(phase: Phase = "judging", **changes: object) -> State:
    """A rollout that has nothing left to wait for."""
    decisions: dict[Phase, Decision] = {
        "preparing": Start(),
        "pressing": Load(2),
        "judging": Advance(25.0),
        "baking": Bake(),
        "promoting": Promote("so"),
        "rolling back": Rollback("so"),
    }
    known = State(
        PLAN,
        EPOCH,
        phase=phase,
        since=EPOCH,
        decision=decisions.get(phase),
        done=9,
        weight=25.0,
        origin=EPOCH,
        reason="so",
        looks=LOOKS,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


WISHES: list[tuple[str, Callable[[State], State], Verdict, type]] = [
    ("abort", lambda s: replace(s, abort="ana: hot"), OPEN, Rollback),
    ("fail", lambda s: s, FAIL, Rollback),
    ("promoting", lambda s: replace(s, phase="promoting", decision=Promote("so")), OPEN, Hold),
    ("pause", lambda s: replace(s, paused_since=EPOCH + 1), OPEN, Hold),
    ("override", lambda s: replace(s, override="ana: sure"), OPEN, Promote),
    ("deadline", lambda s: replace(s, started=EPOCH - 1000), OPEN, Rollback),
    ("evidence", lambda s: s, OPEN, Advance),
]
SAID = {
    "abort": "aborted by ana: hot",
    "fail": "errors: too many",
    "promoting": "so",
    "pause": "paused by a person",
    "override": "by ana: sure",
    "deadline": "no proof within the deadline of 90 s: more looks are needed",
}
PAIRS = [(a, b) for index, a in enumerate(WISHES) for b in WISHES[index:]]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{a[0]} over {b[0]}" for a, b in PAIRS])
def test_of_two_that_want_something_the_first_in_the_table_wins(
    first: tuple[str, Callable[[State], State], Verdict, type],
    second: tuple[str, Callable[[State], State], Verdict, type],
) -> None:
    name, change, verdict, kind = first
    worst = FAIL if FAIL in (verdict, second[2]) else OPEN
    found = decide(change(second[1](standing())), worst, NOW)
    assert isinstance(found, kind)
    assert SAID.get(name, "") in getattr(found, "reason", "")


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("phase", ["promoted", "rolled back", "rolling back"])
def test_what_has_ended_or_is_on_its_way_back_stays_so(phase: Phase, verdict: Verdict) -> None:
    """Not even an abort changes it: it goes there anyway."""
    assert decide(standing(phase, abort="ana: hot", override="ben: go"), verdict, NOW) == Hold("so")


@pytest.mark.parametrize("phase", ["planned", "preparing", "pressing", "judging", "baking", "promoting"])
def test_abort_and_a_failed_verdict_roll_back_from_every_phase(phase: Phase) -> None:
    assert isinstance(decide(standing(phase, abort="ana: hot"), PASS, NOW), Rollback)
    assert isinstance(decide(standing(phase), FAIL, NOW), Rollback)


@pytest.mark.parametrize(
    "changes", [{}, {"paused_since": EPOCH + 1}, {"override": "ana: sure"}], ids=["alone", "in a pause", "overridden"]
)
def test_a_failed_load_rolls_back_whatever_else_is_wished(changes: dict[str, object]) -> None:
    """As a failed verdict does."""
    found = decide(standing("pressing", plan=STAGED, ruling=BROKEN, **changes), PASS, NOW)
    assert found == Rollback("the load stage failed, before any user: ttft p99 < 250ms: 12.00% of 200")


def test_a_load_that_failed_in_a_phase_before_does_not_come_back() -> None:
    """It cannot have: but only the load stage reads its ruling."""
    assert isinstance(decide(standing(plan=STAGED, ruling=BROKEN), OPEN, NOW), Advance)


UNSURE = "the load could not tell (the client was INVALID: busy); it is sent again in 5 s"
BEGUN = Event(3, datetime.fromtimestamp(NOW - 5, UTC), "ana", "intent", {"effect": to_json(Press(2, 20.0))})
STAGES: list[tuple[dict[str, object], Decision | Hold]] = [
    ({"phase": "preparing"}, Load(1)),
    ({"phase": "preparing", "done": 1}, Hold("waiting: slices ready")),
    ({"done": 0}, Hold("waiting: the load on the canary, 20 s more")),
    ({"done": 0, "intent": BEGUN}, Hold("waiting: the load on the canary, 15 s more")),
    ({"done": 1, "ruling": PASSED}, Hold("waiting: counters settled")),
    ({"ruling": PASSED}, Advance(25.0)),
    ({"ruling": UNTOLD, "since": NOW - 20}, Load(3)),
    ({"ruling": UNTOLD, "since": NOW - 15}, Hold(UNSURE)),
    (
        {"ruling": UNTOLD, "started": NOW - 91},
        Rollback("no proof within the deadline of 90 s: the load stage could not tell: the client was INVALID: busy"),
    ),
    (
        {"done": 0, "started": NOW - 91, "intent": BEGUN},
        Rollback("no proof within the deadline of 90 s: the load stage could not tell: nothing is known of it yet"),
    ),
]


@pytest.mark.parametrize(("changes", "found"), STAGES)
def test_a_load_stage_comes_between_the_slices_and_the_first_weight(
    changes: dict[str, object], found: Decision | Hold
) -> None:
    """Only a load that is shown to be carried leads on."""
    phase = changes.pop("phase", "pressing")
    assert decide(standing(phase, plan=STAGED, **changes), OPEN, NOW) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phase", "verdict", "changes", "found"),
    [
        ("planned", OPEN, {}, Start()),
        ("planned", OPEN, {"plan": replace(PLAN, kind="undo")}, Promote("undone by a person")),
        ("preparing", OPEN, {}, Advance(25.0)),
        ("preparing", OPEN, {"done": 1}, Hold("waiting: slices ready")),
        ("preparing", OPEN, {"done": 0}, Hold("waiting: shift")),
        ("judging", OPEN, {}, Advance(50.0)),
        ("judging", PASS, {}, Advance(50.0)),  # the whole ladder is climbed, proof or not
        ("judging", OPEN, {"weight": 50.0}, Hold("more looks are needed")),
        ("judging", PASS, {"weight": 50.0}, Bake()),
        (
            "judging",
            PASS,
            {"weight": 50.0, "plan": replace(PLAN, bake=0.0)},
            Promote("errors above x4 excluded"),
        ),
        ("baking", PASS, {"since": NOW - 2}, Hold("baking at 100 % for 3 s more")),
        ("baking", PASS, {"since": NOW - 5}, Promote("the ladder proved the tolerance and the bake held")),
        ("baking", OPEN, {"since": NOW - 5}, Hold("more looks are needed")),
        ("promoting", OPEN, {"done": 1, "since": NOW - 90}, Hold("so")),
        (
            "promoting",
            OPEN,
            {"done": 1, "since": NOW - 91},
            Rollback("the stable arm did not come up on v2 within 90 s"),
        ),
        ("promoting", OPEN, {"done": 2, "since": NOW - 1000}, Hold("so")),  # it runs: the rest is tidying up
    ],
)
def test_evidence_moves_a_rollout_step_by_step(
    phase: Phase, verdict: Verdict, changes: dict[str, object], found: Decision | Hold
) -> None:
    assert decide(standing(phase, **changes), verdict, NOW) == found


def test_the_deadline_does_not_run_in_a_pause() -> None:
    assert isinstance(decide(standing(paused=60.0), OPEN, EPOCH + 140), Advance)
    assert isinstance(decide(standing(paused=60.0), OPEN, EPOCH + 151), Rollback)


# The budget: 25 responses a second at 25 %, so 50 at 50 %; a block and a look are 3 s.


@pytest.mark.parametrize(
    ("verdict", "cost"),
    [
        (OPEN, 150 * (0.02 - 0.005)),
        (Inconclusive("", evidence(rate_bound=1.0), 1.0), 150 * 0.995),
        (Inconclusive("", evidence(rate_bound=0.02, baseline=500), 1.0), 0.0),  # no worse than the baseline anyway
        (Inconclusive("", evidence(total=0, bad=0), 1.0), None),
        (Inconclusive("", (), 1.0), None),
    ],
)
def test_a_weight_is_priced_at_the_worst_excess_that_is_not_excluded(verdict: Verdict, cost: float | None) -> None:
    assert exposure(standing(), verdict, 50.0) == (pytest.approx(cost) if cost is not None else None)


def test_nothing_is_priced_before_anything_was_seen() -> None:
    assert exposure(standing(looks=()), OPEN, 50.0) is None
    assert exposure(standing(looks=(Look(EPOCH, 25.0, {}, "stale"),)), OPEN, 50.0) is None
    assert exposure(standing(looks=(look(EPOCH, Count(0, 0)),)), OPEN, 50.0) is None


def test_one_look_is_enough_to_know_the_traffic_and_gaps_do_not_thin_it() -> None:
    one = (look(EPOCH + 1, Count(25, 0)),)
    gap = (*one, Look(EPOCH + 2, 25.0, {}, "stale"), look(EPOCH + 9, Count(50, 0), weight=50.0))
    assert exposure(standing(looks=one), OPEN, 50.0) == exposure(standing(looks=gap), OPEN, 50.0)


def test_the_budget_pays_what_the_baseline_would_not_have_cost() -> None:
    spent = (look(EPOCH + 1, Count(100, 30), Count(100, 10)), look(EPOCH + 2, Count(100, 20), Count(100, 10)))
    assert remaining(standing(looks=spent)) == PLAN.budget - 30
    assert remaining(standing(looks=())) == PLAN.budget
    better = (look(EPOCH + 1, Count(100, 0), Count(100, 10)),)
    assert remaining(standing(looks=better)) == PLAN.budget


def test_a_weight_that_could_cost_more_than_is_left_waits_and_says_so() -> None:
    wild = Inconclusive("more looks are needed", evidence(rate_bound=1.0), 1.0)
    assert decide(standing(), wild, NOW) == Hold(
        "50 % could cost 149 bad responses before the next look, 40 of the budget are left"
    )
    assert decide(standing(plan=replace(PLAN, budget=150)), wild, NOW) == Advance(50.0)


def test_a_weight_waits_while_nothing_is_known() -> None:
    assert decide(standing(looks=()), OPEN, NOW) == Hold("no look at 25 % yet")
    assert decide(standing(looks=()), PASS, NOW) == Hold("no look at 25 % yet")
