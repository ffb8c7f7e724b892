"""Plan + looks -> verdict, with the evidence that it rests on. Pure: no clock, no network, no journal.

The judge may be asked any number of times and recomputes everything from the counts since the rollout began.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cli.rollouts import evalue
from cli.rollouts.evidence import COMPARED, NOTHING, Block, Count, Look, blocks, total
from cli.rollouts.plan import BAKE, Plan, Signal
from cli.rollouts.verdict import BAKE_SHARE, Evidence, Fail, Inconclusive, Pass, Verdict

ERRORS_WEIGHT = 0.5  # errors get half of alpha, the latency signals share the rest
BOUNDS = 2.0  # two bounds per signal share its error, so both hold together and either may prove the tolerance
RATIOS = np.geomspace(0.05, 100.0, 80)  # of canary/baseline, where the bound is looked for: steps of 10 %
RATES = np.geomspace(1e-6, 1.0, 240)  # the canary's own rate, where the bound is looked for: steps of 6 %


def judge(plan: Plan, looks: Sequence[Look], start: float) -> Verdict:
    """The verdict on the ladder: canary against the matched baseline slice, since `start` (Unix seconds)."""
    judged = [look for look in looks if 0 < look.weight < BAKE]
    begin = plan.begin(start + plan.warmup)
    merged = blocks(judged, begin, plan.look, plan.block)
    paths = {signal.name: _harm(signal, merged, plan.noise) for signal in plan.signals}
    evidence = tuple(_evidence(plan, signal, merged, evalue.running_max(paths[signal.name])) for signal in plan.signals)
    e_value = _combined(plan, paths)
    if e_value >= 1.0 / (plan.alpha * (1.0 - BAKE_SHARE)):
        return Fail(_blame(evidence), evidence, e_value)
    if missing := _missing(judged, merged):
        return Inconclusive(missing, evidence, e_value, blind=True)
    unproven = _unproven(plan, evidence)
    return Inconclusive(unproven, evidence, e_value) if unproven else Pass(evidence, e_value)


def judge_bake(plan: Plan, looks: Sequence[Look]) -> Verdict:
    """The verdict on the bake, where nothing is left to compare with: the canary's own rates against what the ladder
    accepts, the floor or `ratio` times the rate that the baseline had there.

    An incident of the whole region looks like harm here.
    """
    baked = [look for look in looks if look.weight >= BAKE]
    limits = _limits(plan, looks)
    gates = [signal for signal in plan.signals if signal.name in limits]
    merged = blocks(baked, baked[0].at - plan.look, plan.look, plan.block, ("canary",)) if baked else ()
    evidence = tuple(_bake_evidence(signal, merged, limits[signal.name], plan.noise) for signal in gates)
    worst = max((one.harm for one in evidence), default=1.0)
    if worst >= max(1, len(gates)) / (plan.alpha * BAKE_SHARE):
        return Fail(_blame_bake(evidence, limits), evidence, worst)
    if not baked or baked[-1].problem:
        return Inconclusive(baked[-1].problem if baked else "no look at the bake yet", evidence, worst, blind=True)
    return Pass(evidence, worst)


def _limits(plan: Plan, looks: Sequence[Look]) -> dict[str, float]:
    """The rate that the ladder accepts of each gate, where that is known."""
    before = total((look for look in looks if look.weight < BAKE), "baseline")
    found = {
        signal.name: max(signal.floor or 0.0, signal.ratio * before.get(signal.name, NOTHING).rate)
        for signal in plan.signals
        if signal.gate
    }
    return {name: limit for name, limit in found.items() if limit > 0.0}


def _column(merged: Sequence[Block], pick: Callable[[Block], Count]) -> tuple[evalue.Floats, evalue.Floats]:
    counts = [pick(block) for block in merged]
    return evalue.array([c.bad for c in counts]), evalue.array([c.total for c in counts])


def _arms(signal: Signal, merged: Sequence[Block]) -> tuple[evalue.Floats, evalue.Floats, evalue.Floats, evalue.Floats]:
    canary = _column(merged, lambda block: block.canary.get(signal.name, NOTHING))
    baseline = _column(merged, lambda block: block.baseline.get(signal.name, NOTHING))
    return (*canary, *baseline)


def _harm(signal: Signal, merged: Sequence[Block], noise: float) -> evalue.Floats:
    return evalue.harm(*_arms(signal, merged), noise)


def shares(plan: Plan) -> dict[str, float]:
    """The part of alpha that each signal gets, by name: errors half, the latencies the rest; together 1."""
    latencies = [signal.name for signal in plan.signals if signal.metric != "errors"]
    errors = [signal.name for signal in plan.signals if signal.metric == "errors"]
    whole = 1.0 if not (errors and latencies) else ERRORS_WEIGHT
    return {name: whole / len(errors) for name in errors} | {
        name: (whole if not errors else 1.0 - whole) / len(latencies) for name in latencies
    }


def _combined(plan: Plan, paths: dict[str, evalue.Floats]) -> float:
    """The largest value so far of the weighted average over signals: one alpha for the whole rollout."""
    rows = [paths[name] + math.log(share) for name, share in shares(plan).items()]
    return _exp(evalue.running_max(np.logaddexp.reduce(rows, axis=0))) if rows else 1.0


def _evidence(plan: Plan, signal: Signal, merged: Sequence[Block], harm: float) -> Evidence:
    bad_c, total_c, bad_b, total_b = _arms(signal, merged)
    need = math.log(BOUNDS / (1.0 - plan.confidence))
    ratios, rates = _with(RATIOS, signal.ratio), _with(RATES, signal.floor)
    by_ratio = evalue.ratio_likelihood(bad_c, total_c, bad_b, total_b, plan.noise, ratios)
    by_rate = evalue.rate_likelihood(bad_c, total_c, plan.noise, rates)
    ratio = evalue.excluded_above(ratios, by_ratio, need, math.inf)
    rate = evalue.excluded_above(rates, by_rate, need, 1.0)
    passed = ratio <= signal.ratio or (signal.floor is not None and rate <= signal.floor)
    return Evidence(signal, _sum(bad_c, total_c), _sum(bad_b, total_b), _exp(harm), ratio, rate, passed)


def _with(grid: evalue.Floats, value: float | None) -> evalue.Floats:
    """The grid with the tolerance in it, so that what is needed is asked exactly."""
    return np.unique(np.append(grid, value)) if value else grid


def _sum(bad: evalue.Floats, whole: evalue.Floats) -> Count:
    return Count(int(whole.sum()), int(bad.sum()))


def _bake_evidence(signal: Signal, merged: Sequence[Block], limit: float, noise: float) -> Evidence:
    bad, whole = _column(merged, lambda block: block.canary.get(signal.name, NOTHING))
    harm = evalue.running_max(evalue.rate_test(bad, whole, noise, limit, limit * evalue.EFFECTS))
    return Evidence(signal, _sum(bad, whole), NOTHING, _exp(harm), math.inf, 1.0, True)


def _exp(log_e: float) -> float:
    return math.exp(min(log_e, 700.0))  # the largest double is about e^709


def _blame(evidence: Sequence[Evidence]) -> str:
    worst = max(evidence, key=lambda one: one.harm)
    return (
        f"{worst.signal.name}: {worst.canary.rate:.1%} of canary responses against {worst.baseline.rate:.1%} of "
        f"baseline ({worst.canary.bad} of {worst.canary.total} against {worst.baseline.bad} of {worst.baseline.total})"
    )


def _blame_bake(evidence: Sequence[Evidence], limits: Mapping[str, float]) -> str:
    worst = max(evidence, key=lambda one: one.harm)
    return (
        f"{worst.signal.name} in the bake: {worst.canary.rate:.1%} of responses ({worst.canary.bad} of "
        f"{worst.canary.total}), above the {limits[worst.signal.name]:.2%} that the ladder accepts"
    )


def _missing(judged: Sequence[Look], merged: Sequence[Block]) -> str:
    last = judged[-1] if judged else None
    if last and last.problem:
        return last.problem
    gone = [arm for arm in COMPARED if last and arm not in last.arms]
    if gone:
        return f"no counts of the {' and the '.join(gone)} in the last look"
    return "" if merged else "no whole block of looks yet"


def _unproven(plan: Plan, evidence: Sequence[Evidence]) -> str:
    open_gates = [one for one in evidence if one.signal.gate and not one.passed]
    if open_gates and not any(one.canary.total for one in open_gates):
        return "the canary has answered nothing yet: is there traffic?"
    return "; ".join(f"{one.signal.name}: {_bound(one)}, must be below x{one.signal.ratio:g}" for one in open_gates)


def _bound(one: Evidence) -> str:
    return f"x{one.ratio_bound:.3g} not yet excluded" if math.isfinite(one.ratio_bound) else "no bound yet"
