"""State + verdict -> decision. Pure: no clock, no network, no journal."""

from __future__ import annotations

from cli.rollouts.evidence import COMPARED, NOTHING, total
from cli.rollouts.procedure import Advance, Bake, Decision, Hold, Load, Press, Promote, Rollback, Start
from cli.rollouts.state import State
from cli.rollouts.verdict import Evidence, Fail, Inconclusive, Pass, Verdict


def decide(state: State, verdict: Verdict, now: float, record: str = "") -> Decision | Hold:
    """The next decision at `now` (Unix seconds), or why to hold. `record` is the release of record, where it is known.

    Where somebody else set the record, the rollout ends and leaves it alone. Else abort always wins, a failed verdict
    comes next, of the judge or of the load stage; missing evidence never promotes, and a person's `promote` overrides
    missing evidence but never a failed verdict.
    """
    if not state.ended and record and record not in (*state.expected, state.moved):
        reason = f"the release of record moved to {record} in the middle"
        return Rollback(reason, slices=state.phase != "planned", moved=record)
    if state.ended or state.phase == "rolling back":
        return Hold(state.reason)
    if state.abort:
        return Rollback(f"aborted by {state.abort}", slices=state.phase != "planned")
    if isinstance(verdict, Fail):
        return Rollback(verdict.reason)
    if _overburdened(state):
        return Rollback(f"the load stage failed, before any user: {_last_ruling(state)}")
    if state.phase == "promoting":
        return _settling(state, now)
    if state.paused_since is not None:
        return Hold("paused by a person; `ops rollout resume` goes on")
    if state.override:
        return Promote(f"by {state.override}")
    if state.elapsed(now) > state.plan.deadline:
        return Rollback(f"no proof within the deadline of {state.plan.deadline:g} s: {_unproven(state, verdict)}")
    return _proceed(state, verdict, now)


def _settling(state: State, now: float) -> Decision | Hold:
    waits_for_stable = state.done < 2  # SetRecord and the wait for the stable arm come first in every promotion
    if waits_for_stable and now - state.since > state.plan.deadline:
        return Rollback(f"the stable arm did not come up on {state.plan.canary} within {state.plan.deadline:g} s")
    return Hold(state.reason)


def _proceed(state: State, verdict: Verdict, now: float) -> Decision | Hold:
    if state.phase == "planned":
        return Promote("undone by a person") if state.plan.kind == "undo" else Start()
    if state.pending:
        return Hold(f"waiting: {waiting_for(state, now)}")
    match state.phase:
        case "preparing" if state.plan.load:
            return Load(1)
        case "preparing":
            return Advance(state.plan.weights[0])
        case "pressing":
            return _pressed(state, now)
        case "judging":
            return _climb(state, verdict)
        case _:
            return _baked(state, verdict, now)


def _overburdened(state: State) -> bool:
    """Whether the load stage has shown that the canary does not carry its load."""
    return state.phase == "pressing" and state.ruling is not None and state.ruling.verdict == "fail"


def _pressed(state: State, now: float) -> Decision | Hold:
    """What follows an attempt of the load stage. One that ended early, as its client died, is not repeated at once."""
    assert state.plan.load is not None and isinstance(state.decision, Load), "no other decision leads to this phase"
    if state.ruling is not None and state.ruling.verdict == "pass":
        return Advance(state.plan.weights[0])
    attempt = state.decision.attempt
    left = state.plan.load.lasting(attempt) - (now - state.since)
    if left > 0:
        return Hold(f"the load could not tell ({_last_ruling(state)}); it is sent again in {left:.0f} s")
    return Load(attempt + 1)


def _last_ruling(state: State) -> str:
    return state.ruling.why if state.ruling else "nothing is known of it yet"


def _unproven(state: State, verdict: Verdict) -> str:
    """What was missing. A load that was not even begun is not to blame, but what it waited for."""
    if state.phase == "pressing" and (state.ruling or state.pressing):
        return f"the load stage could not tell: {_last_ruling(state)}"
    return _why(verdict)


def waiting_for(state: State, now: float) -> str:
    """The step that a decision waits for, in words."""
    step = state.pending[0]
    if isinstance(step, Press):
        since = state.intent.at.timestamp() if state.intent else now
        return f"the load on the canary, {max(0.0, step.seconds - (now - since)):.0f} s more"
    return str(getattr(step, "condition", type(step).__name__.lower()))


def _climb(state: State, verdict: Verdict) -> Decision | Hold:
    if isinstance(verdict, Inconclusive) and verdict.blind:
        return Hold(verdict.reason)  # what was seen before does not carry a step that nobody would see
    if state.weight < state.plan.last_weight:
        return _next_weight(state, verdict)
    if isinstance(verdict, Pass):
        return Bake() if state.plan.bake > 0 else Promote(_proof(verdict.evidence))
    return Hold(_why(verdict))


def _next_weight(state: State, verdict: Verdict) -> Decision | Hold:
    if not state.looks or state.looks[-1].weight != state.weight:
        return Hold(f"no look at {state.weight:g} % yet")
    weight = state.plan.after(state.weight)
    cost, left = exposure(state, verdict, weight), remaining(state)
    if cost is None:
        return Hold(_why(verdict))
    if cost <= left:
        return Advance(weight)
    return Hold(
        f"{weight:g} % could cost {cost:.0f} bad responses before the next look, {left:.0f} of the budget are left"
    )


def _baked(state: State, verdict: Verdict, now: float) -> Decision | Hold:
    left = state.plan.bake - (now - state.since)
    if left > 0:
        return Hold(f"baking at 100 % for {left:.0f} s more")
    if isinstance(verdict, Pass):
        return Promote("the ladder proved the tolerance and the bake held")
    return Hold(_why(verdict))


def exposure(state: State, verdict: Verdict, weight: float) -> float | None:
    """Bad responses beyond the baseline's that `weight` can cost before anyone could know, None while nothing is known.

    It takes one block and one look to know; until then the worst rate that is not excluded may hold.
    """
    errors = _errors(verdict)
    per_percent = _answers_per_percent(state)
    if errors is None or errors.canary.total == 0 or per_percent == 0.0:
        return None
    excess = max(0.0, errors.rate_bound - errors.baseline.rate)
    return excess * per_percent * weight * (state.plan.block + state.plan.look)


def remaining(state: State) -> float:
    """What is left of the budget: bad responses of the canary beyond what the baseline had on the same traffic.

    All looks count, also those that were not judged: what was served was spent.
    """
    canary, baseline = (total(state.looks, arm).get("errors", NOTHING) for arm in COMPARED)
    return state.plan.budget - max(0.0, canary.bad - baseline.rate * canary.total)


def _errors(verdict: Verdict) -> Evidence | None:
    return next((one for one in verdict.evidence if one.signal.metric == "errors"), None)


def _answers_per_percent(state: State) -> float:
    """Canary responses per second and percent of weight, over the last ten sound looks; 0 where there are none."""
    recent = [look for look in state.looks if look.weight > 0 and not look.problem and "canary" in look.arms][-10:]
    seen = total(recent, "canary").get("errors", NOTHING).total
    return seen / (sum(look.weight for look in recent) * state.plan.look) if recent else 0.0


def _why(verdict: Verdict) -> str:
    return verdict.reason if isinstance(verdict, Fail | Inconclusive) else "the evidence is there"


def _proof(evidence: tuple[Evidence, ...]) -> str:
    return "; ".join(f"{one.excluded} excluded" for one in evidence if one.signal.gate)
