"""A rollout as a person reads it: ladder, weights, evidence, why it waits, what comes next. Pure: values to text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from cli.rollouts.decision import remaining
from cli.rollouts.plan import BAKE, Plan, Signal
from cli.rollouts.procedure import Load
from cli.rollouts.state import State
from cli.rollouts.verdict import BAKE_SHARE, Evidence, Verdict

HEADER = ("signal", "canary", "baseline", "e-value", "not excluded", "needed")


def title(plan: Plan) -> str:
    """One line: what, where, from which release to which."""
    verb = "undo" if plan.kind == "undo" else "rollout"
    return f"{verb} of {plan.service} in {plan.region}, fleet {plan.fleet}: {plan.stable} -> {plan.canary}"


def plan_lines(plan: Plan) -> list[str]:
    """What a plan will do, for the question before it starts. The first line names fleet and region."""
    if plan.kind == "undo":
        return [
            title(plan),
            f"  the stable arm goes back to {plan.canary} at once; nothing is judged",
            f"  run        {plan.run}",
        ]
    weights = ", ".join(f"{weight:g} %" for weight in plan.weights)
    return [
        title(plan),
        *_stage_lines(plan),
        f"  ladder     {weights} (the baseline slice gets the same), then {BAKE:g} % for {plan.bake:g} s",
        f"  assigned   by {plan.assignment}",
        *(f"  must pass  {signal.name}: {_tolerance(signal)}" for signal in plan.signals if signal.gate),
        f"  watched    {', '.join(signal.name for signal in plan.signals)}",
        f"  rollback   at an e-value of {threshold(plan):.0f} (false alarm {plan.alpha:.0%}) or in {plan.deadline:g} s",
        f"  budget     {plan.budget} bad responses; looks every {plan.look:g} s in blocks of {plan.block:g} s",
        f"  run        {plan.run}, plan {plan.digest()[:12]}",
    ]


def _stage_lines(plan: Plan) -> list[str]:
    if plan.load is None:
        return []
    load, name = plan.load, plan.load.profile["name"]
    return [
        f"  load       {load.rate:g}/s of {name} to the canary alone, before users, for {load.seconds:g} s",
        *(f"  must keep  {criterion}" for criterion in load.slo),
    ]


def threshold(plan: Plan) -> float:
    """The e-value at which the ladder is rolled back."""
    return 1.0 / (plan.alpha * (1.0 - BAKE_SHARE))


def readable(e_value: float) -> str:
    """An e-value in figures that can be compared at a glance: 0.25, 12.6, 1560, >1e6."""
    if e_value > 1e6:
        return ">1e6"
    return f"{float(f'{e_value:.3g}'):.0f}" if e_value >= 1000 else f"{e_value:.3g}"


def phase(state: State) -> str:
    """Where it stands in one or two words; an undo is told from a promotion."""
    undone = {"promoting": "undoing", "promoted": "undone"} if state.plan.kind == "undo" else {}
    return undone.get(state.phase, state.phase)


def ladder(state: State) -> str:
    """The steps with the current one marked: `[25 %] -> 50 % -> bake -> v2`."""
    plan = state.plan
    names = ["load"] * bool(plan.load) + [f"{weight:g} %" for weight in plan.weights]
    names += ["bake"] * bool(plan.bake) + [plan.canary]
    marked = [f"[{name}]" if index == _position(state) else name for index, name in enumerate(names)]
    line = " -> ".join(marked)
    return f"{line}   {phase(state)}" + (", paused" if state.paused_since is not None else "")


def _position(state: State) -> int:
    plan = state.plan
    first = bool(plan.load)
    match state.phase:
        case "pressing":
            return 0
        case "judging":
            return first + (plan.weights.index(state.weight) if state.weight in plan.weights else 0)
        case "baking":
            return first + len(plan.weights)
        case "promoting" | "promoted":
            return first + len(plan.weights) + bool(plan.bake)
        case _:
            return -1


def lines(state: State, verdict: Verdict, hold: str, now: float) -> list[str]:
    """The whole live view; at most 80 columns wide but for long reasons."""
    plan = state.plan
    spent = f"{plan.budget - remaining(state):.0f} of {plan.budget} bad responses spent"
    shift = state.shift
    weights = f"canary {shift.canary:g} %, baseline {shift.baseline:g} %" if shift else "no traffic yet"
    return [
        title(plan),
        f"  ladder   {ladder(state)}",
        f"  weights  {weights}",
        *_load_line(state),
        f"  time     {state.elapsed(now):.0f} s of {plan.deadline:g} s; {spent}",
        f"  e-value  {readable(verdict.e_value)}; rolls back at {threshold(plan):.0f}",
        *("  " + line for line in table(verdict.evidence)),
        f"  {'ended' if state.ended else 'waits'}    {hold or state.reason or phase(state)}",
        f"  next     {following(state)}",
    ]


def _load_line(state: State) -> list[str]:
    """What the load stage is at, or what it came to."""
    last = f"{state.ruling.verdict}: {state.ruling.why}" if state.ruling else "nothing is known yet"
    if isinstance(state.decision, Load) and state.plan.load:
        seconds = state.plan.load.lasting(state.decision.attempt)
        return [f"  load     attempt {state.decision.attempt}, {state.plan.load.rate:g}/s for {seconds:g} s; {last}"]
    return [f"  load     {last}"] if state.ruling else []


def table(evidence: Sequence[Evidence]) -> list[str]:
    """The evidence per signal, aligned."""
    return align([HEADER, *(_row(one) for one in evidence)]) if evidence else []


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as text with columns aligned left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(one: Evidence) -> tuple[str, ...]:
    needed = _tolerance(one.signal) + (" ok" if one.passed else "") if one.signal.gate else "-"
    return (
        one.signal.name,
        _share(one.canary.bad, one.canary.total),
        _share(one.baseline.bad, one.baseline.total),
        readable(one.harm),
        not_excluded(one),
        needed,
    )


def not_excluded(one: Evidence) -> str:
    """The largest effect that is not excluded, as a ratio and as the canary's own rate."""
    ratio = f"x{one.ratio_bound:.3g}" if math.isfinite(one.ratio_bound) else "any ratio"
    return f"{ratio}, {one.rate_bound:.2%}" if one.rate_bound < 1 else ratio


def excluded(evidence: Iterable[Evidence], confidence: float) -> str:
    """What a promotion rests on: `errors above x4.2 excluded at 95 %; smaller not tested`."""
    parts = [one.excluded for one in evidence if one.signal.gate and one.excluded]
    return (
        f"{', '.join(parts)} excluded at {confidence:.0%}; smaller effects not tested"
        if parts
        else "nothing was tested"
    )


def _share(bad: int, total: int) -> str:
    return f"{bad}/{total} {bad / total:.1%}" if total else "0/0"


def _tolerance(signal: Signal) -> str:
    floor = f" or {100 * signal.floor:.3g} %" if signal.floor is not None else ""
    return f"< x{signal.ratio:g}{floor}"


def following(state: State) -> str:
    """What happens next, in words."""
    plan = state.plan
    match state.phase:
        case "planned" | "preparing" if plan.load:
            return f"{plan.load.rate:g}/s to the canary alone when the slices are ready"
        case "pressing":
            return f"{plan.weights[0]:g} % when the canary is shown to carry the load"
        case "planned" | "preparing":
            return (
                f"{plan.weights[0]:g} % when the slices are ready"
                if plan.weights
                else f"the stable arm rolls to {plan.canary}"
            )
        case "judging" if state.weight < plan.last_weight:
            return f"{plan.after(state.weight):g} % as soon as the budget allows it"
        case "judging":
            return ("the bake at 100 %" if plan.bake else "promotion") + " when every gate is proven"
        case "baking":
            return f"promotion of {plan.canary} when the bake is over"
        case "promoting":
            return f"{plan.canary} becomes the stable release, the slices are retired"
        case "rolling back":
            return f"{plan.stable} keeps all traffic, the slices are drained and retired"
        case _:
            return "nothing; this rollout has ended"
