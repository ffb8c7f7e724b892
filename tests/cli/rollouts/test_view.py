"""What a person reads while it runs, word for word."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cli.rollouts.evidence import NOTHING, Count, Look
from cli.rollouts.plan import Plan
from cli.rollouts.procedure import Load, Shift
from cli.rollouts.state import Phase, State
from cli.rollouts.verdict import Evidence, Inconclusive
from cli.rollouts.view import (
    excluded,
    following,
    ladder,
    lines,
    not_excluded,
    phase,
    plan_lines,
    readable,
    table,
    threshold,
    title,
)
from tests.fakes import EPOCH, PLAN, SIGNALS, STAGED, UNTOLD

UNDO = replace(PLAN, kind="undo", canary="v0", weights=(), signals=(), bake=0.0)
NO_BAKE = replace(PLAN, bake=0.0)


def state(phase: Phase, weight: float = 0.0, plan: Plan = PLAN, **changes: object) -> State:
    return replace(State(plan, EPOCH, phase=phase, weight=weight), **changes)  # type: ignore[arg-type]


ERRORS = Evidence(SIGNALS[0], Count(400, 2), Count(410, 3), 0.25, 3.9, 0.0215, True)
TTFT = Evidence(SIGNALS[1], Count(400, 20), Count(0, 0), 1.5, math.inf, 1.0, False)
ITL = Evidence(SIGNALS[2], NOTHING, NOTHING, 1.0, math.inf, 0.4, False)


def test_a_plan_tells_what_it_will_do_before_it_does_it() -> None:
    assert plan_lines(PLAN) == [
        "rollout of chat in eastus2, fleet demo: v1 -> v2",
        "  ladder     25 %, 50 % (the baseline slice gets the same), then 100 % for 5 s",
        "  assigned   by session",
        "  must pass  errors: < x5 or 2 %",
        "  must pass  ttft>0.25s: < x3 or 5 %",
        "  watched    errors, ttft>0.25s, itl>0.025s",
        "  rollback   at an e-value of 111 (false alarm 1%) or in 90 s",
        "  budget     40 bad responses; looks every 1 s in blocks of 2 s",
        f"  run        rollout-chat-eastus2-test, plan {PLAN.digest()[:12]}",
    ]


def test_a_plan_with_a_load_stage_says_what_is_sent_and_what_must_be_kept() -> None:
    assert plan_lines(STAGED)[1:5] == [
        "  load       20/s of steady to the canary alone, before users, for 10 s",
        "  must keep  ok >= 99%",
        "  must keep  ttft p99 < 250ms",
        "  ladder     25 %, 50 % (the baseline slice gets the same), then 100 % for 5 s",
    ]


def test_the_live_view_tells_of_the_load() -> None:
    """Which attempt it is, and what the one before came to."""
    seen = state("pressing", plan=STAGED, decision=Load(2), ruling=UNTOLD)
    told = lines(seen, Inconclusive("", (), 1.0), "waiting", EPOCH + 3)
    assert "  load     attempt 2, 20/s for 20 s; cannot tell: the client was INVALID: busy" in told
    first = lines(replace(seen, decision=Load(1), ruling=None), Inconclusive("", (), 1.0), "waiting", EPOCH + 3)
    assert "  load     attempt 1, 20/s for 10 s; nothing is known yet" in first
    later = lines(replace(seen, phase="judging", decision=None), Inconclusive("", (), 1.0), "waiting", EPOCH + 3)
    assert "  load     cannot tell: the client was INVALID: busy" in later


def test_an_undo_says_that_nothing_is_judged() -> None:
    assert plan_lines(UNDO)[:2] == [
        "undo of chat in eastus2, fleet demo: v1 -> v0",
        "  the stable arm goes back to v0 at once; nothing is judged",
    ]
    assert title(UNDO) == plan_lines(UNDO)[0]


LADDERS: list[tuple[Phase, float, Plan, str]] = [
    ("planned", 0.0, PLAN, "25 % -> 50 % -> bake -> v2   planned"),
    ("preparing", 0.0, PLAN, "25 % -> 50 % -> bake -> v2   preparing"),
    ("judging", 25.0, PLAN, "[25 %] -> 50 % -> bake -> v2   judging"),
    ("judging", 50.0, PLAN, "25 % -> [50 %] -> bake -> v2   judging"),
    ("baking", 100.0, PLAN, "25 % -> 50 % -> [bake] -> v2   baking"),
    ("promoting", 100.0, PLAN, "25 % -> 50 % -> bake -> [v2]   promoting"),
    ("promoted", 100.0, PLAN, "25 % -> 50 % -> bake -> [v2]   promoted"),
    ("promoting", 50.0, NO_BAKE, "25 % -> 50 % -> [v2]   promoting"),
    ("rolling back", 0.0, PLAN, "25 % -> 50 % -> bake -> v2   rolling back"),
    ("rolled back", 0.0, PLAN, "25 % -> 50 % -> bake -> v2   rolled back"),
    ("promoting", 0.0, UNDO, "[v0]   undoing"),
    ("preparing", 0.0, STAGED, "load -> 25 % -> 50 % -> bake -> v2   preparing"),
    ("pressing", 0.0, STAGED, "[load] -> 25 % -> 50 % -> bake -> v2   pressing"),
    ("judging", 50.0, STAGED, "load -> 25 % -> [50 %] -> bake -> v2   judging"),
    ("baking", 100.0, STAGED, "load -> 25 % -> 50 % -> [bake] -> v2   baking"),
    ("promoted", 100.0, STAGED, "load -> 25 % -> 50 % -> bake -> [v2]   promoted"),
]


@pytest.mark.parametrize(("phase", "weight", "plan", "line"), LADDERS)
def test_the_ladder_marks_where_it_stands(phase: Phase, weight: float, plan: Plan, line: str) -> None:
    assert ladder(state(phase, weight, plan)) == line


def test_a_pause_is_seen_on_the_ladder() -> None:
    assert ladder(state("judging", 25.0, paused_since=EPOCH)).endswith("judging, paused")


NEXT: list[tuple[Phase, float, Plan, str]] = [
    ("planned", 0.0, PLAN, "25 % when the slices are ready"),
    ("planned", 0.0, UNDO, "the stable arm rolls to v0"),
    ("preparing", 0.0, PLAN, "25 % when the slices are ready"),
    ("preparing", 0.0, STAGED, "20/s to the canary alone when the slices are ready"),
    ("pressing", 0.0, STAGED, "25 % when the canary is shown to carry the load"),
    ("judging", 25.0, PLAN, "50 % as soon as the budget allows it"),
    ("judging", 50.0, PLAN, "the bake at 100 % when every gate is proven"),
    ("judging", 50.0, NO_BAKE, "promotion when every gate is proven"),
    ("baking", 100.0, PLAN, "promotion of v2 when the bake is over"),
    ("promoting", 0.0, PLAN, "v2 becomes the stable release, the slices are retired"),
    ("rolling back", 0.0, PLAN, "v1 keeps all traffic, the slices are drained and retired"),
    ("promoted", 0.0, PLAN, "nothing; this rollout has ended"),
    ("rolled back", 0.0, PLAN, "nothing; this rollout has ended"),
]


@pytest.mark.parametrize(("phase", "weight", "plan", "line"), NEXT)
def test_it_says_what_comes_next(phase: Phase, weight: float, plan: Plan, line: str) -> None:
    assert following(state(phase, weight, plan)) == line


def test_the_evidence_is_a_table() -> None:
    assert table([ERRORS, TTFT, ITL]) == [
        "signal      canary       baseline    e-value  not excluded       needed",
        "errors      2/400 0.5%   3/410 0.7%  0.25     x3.9, 2.15%        < x5 or 2 % ok",
        "ttft>0.25s  20/400 5.0%  0/0         1.5      any ratio          < x3 or 5 %",
        "itl>0.025s  0/0          0/0         1        any ratio, 40.00%  -",
    ]


def test_without_evidence_there_is_no_table() -> None:
    assert table([]) == []


def test_the_live_view_says_all_of_it() -> None:
    spent = Look(EPOCH + 9, 25.0, {"canary": {"errors": Count(100, 12)}, "baseline": {"errors": Count(100, 2)}})
    it = state("judging", 25.0, shift=Shift("v2", 25.0, 25.0), looks=(spent,))
    verdict = Inconclusive("errors has no bound yet", (ERRORS,), 2.0)
    assert lines(it, verdict, "waiting: drained", EPOCH + 10) == [
        "rollout of chat in eastus2, fleet demo: v1 -> v2",
        "  ladder   [25 %] -> 50 % -> bake -> v2   judging",
        "  weights  canary 25 %, baseline 25 %",
        "  time     10 s of 90 s; 10 of 40 bad responses spent",
        "  e-value  2; rolls back at 111",
        "  signal  canary      baseline    e-value  not excluded  needed",
        "  errors  2/400 0.5%  3/410 0.7%  0.25     x3.9, 2.15%   < x5 or 2 % ok",
        "  waits    waiting: drained",
        "  next     50 % as soon as the budget allows it",
    ]


def test_an_ended_rollout_says_why_and_waits_for_nothing() -> None:
    shown = lines(state("rolled back", reason="errors: too many"), Inconclusive("", (), 1.0), "", EPOCH)
    assert shown[2] == "  weights  no traffic yet"
    assert shown[-2:] == ["  ended    errors: too many", "  next     nothing; this rollout has ended"]
    assert lines(state("planned"), Inconclusive("", (), 1.0), "", EPOCH)[-2] == "  waits    planned"


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        ((ERRORS,), "errors above x3.9 excluded at 95%; smaller effects not tested"),
        (
            (ERRORS, replace(TTFT, rate_bound=0.041, passed=True)),
            "errors above x3.9, ttft>0.25s above 4.10% of responses excluded at 95%; smaller effects not tested",
        ),
        (
            (replace(ERRORS, ratio_bound=30.0, rate_bound=0.015),),  # passed by its floor, not by its ratio
            "errors above 1.50% of responses excluded at 95%; smaller effects not tested",
        ),
        (
            (replace(ERRORS, ratio_bound=30.0, passed=False),),
            "errors above x30 excluded at 95%; smaller effects not tested",
        ),
        ((TTFT, ITL), "nothing was tested"),  # promoted by a person
        ((), "nothing was tested"),
    ],
)
def test_a_promotion_says_the_largest_effect_that_it_excludes(evidence: tuple[Evidence, ...], text: str) -> None:
    assert excluded(evidence, 0.95) == text


def test_bounds_are_shown_as_ratio_and_as_rate() -> None:
    assert [not_excluded(one) for one in (ERRORS, TTFT, ITL)] == ["x3.9, 2.15%", "any ratio", "any ratio, 40.00%"]


@pytest.mark.parametrize(
    ("e_value", "text"),
    [(1.0, "1"), (0.25, "0.25"), (12.64, "12.6"), (999.4, "999"), (1563.2, "1560"), (9e5, "900000"), (1e7, ">1e6")],
)
def test_evidence_is_told_in_figures_that_can_be_compared(e_value: float, text: str) -> None:
    """No powers of ten below a million, and above it the figure says no more."""
    assert readable(e_value) == text


def test_an_undo_is_told_from_a_promotion() -> None:
    """In the history both end, and only one of them brought something new."""
    assert [phase(state(one, plan=UNDO)) for one in ("promoting", "promoted", "rolled back")] == [
        "undoing",
        "undone",
        "rolled back",
    ]
    assert phase(state("promoted")) == "promoted"


def test_the_ladder_has_nine_tenths_of_alpha() -> None:
    assert threshold(PLAN) == pytest.approx(111.1, abs=0.1)
