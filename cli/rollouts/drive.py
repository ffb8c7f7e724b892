"""The rollout loop: gather, decide, act, journal. The only place of the rollout engine that has effects."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from cli.rollouts.decision import decide
from cli.rollouts.evidence import look_lines
from cli.rollouts.judge import Fail, Inconclusive, Verdict, judge, judge_bake
from cli.rollouts.ports import Clock, Fenced, Lease, Metrics, Record, Traffic, World
from cli.rollouts.procedure import Await, Effect, Hold, SetRecord, Shift, parse_effect, to_json
from cli.rollouts.state import State, replay
from infra.errors import Unavailable
from runbooks.journal import Journal

TICK = 0.5  # seconds between ticks: how soon a command from another terminal is obeyed
LAG = 0.7  # seconds after a grid time before it is looked at: one scrape must have arrived


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a tick saw and why it holds, for whoever watches."""

    state: State
    verdict: Verdict
    hold: str
    now: float
    judged: Verdict  # before what blinds it now


@dataclass(frozen=True, slots=True)
class Ports:
    """The world of one rollout."""

    traffic: Traffic
    metrics: Metrics
    record: Record
    lease: Lease
    clock: Clock


class RolloutError(Unavailable):
    """A journal that holds no plan cannot be driven."""


def drive(
    journal: Journal, ports: Ports, watch: Callable[[Snapshot], None], stop: Callable[[], bool] = lambda: False
) -> State:
    """Drive the rollout in `journal` until it ended or `stop()` says so between two ticks. Resumes after any crash.

    Raises Locked when another driver took over; nothing is changed then.
    """
    snapshot = None
    while True:
        with suppress(Fenced):  # the next turn renews the lease and reads why: an abort, or another driver
            snapshot = tick(journal, ports, snapshot)
            watch(snapshot)
            if snapshot.state.ended or stop():
                return snapshot.state
        ports.clock.wait(TICK)


def tick(journal: Journal, ports: Ports, before: Snapshot | None = None) -> Snapshot:
    """One turn: keep the lease, settle what is unknown, look, judge, decide, act.

    The judgement of the turn `before` stands while there is no new look.
    """
    token = ports.lease.renew()  # before the journal is read: an abort writes its command first, then takes its token
    state = _settle(journal, ports, _state(journal))
    state, blind = _look(journal, ports, state)
    crashes, unready = _health(ports, state)
    same = before is not None and (before.state.phase, before.state.looks) == (state.phase, state.looks)
    judged = before.judged if before is not None and same else verdict_of(state)
    verdict = _blinded(judged, blind or unready)
    if crashes:
        verdict = Fail(crashes, (), verdict.e_value)
    now = ports.clock.now()
    decision = decide(state, verdict, now)
    if not isinstance(decision, Hold):
        journal.append("decision", decision=to_json(decision), weight=state.weight, **_grounds(verdict))
        state = _state(journal)
    state, problem = _act(journal, ports, state, token)
    why = unready or decision.reason if isinstance(decision, Hold) else ""
    return Snapshot(state, verdict, problem or why, now, judged)


def verdict_of(state: State) -> Verdict:
    """What the judge says of the looks so far."""
    if state.phase == "baking":
        return judge_bake(state.plan, state.looks)
    return judge(state.plan, state.looks, state.origin if state.origin is not None else state.started)


def _blinded(verdict: Verdict, why: str) -> Verdict:
    """A verdict while there is no fresh look, for the reason `why`: only a failed one stands."""
    if why and not isinstance(verdict, Fail):
        return Inconclusive(why, verdict.evidence, verdict.e_value, blind=True)
    return verdict


def _state(journal: Journal) -> State:
    state = replay(journal.events())
    if state is None:
        raise RolloutError(f"{journal.path} holds no rollout plan", not_done="nothing was changed")
    return state


def _grounds(verdict: Verdict) -> dict[str, Any]:
    """What a decision rested on: enough for `explain`, without the looks themselves."""
    return {
        "verdict": type(verdict).__name__.lower(),
        "e_value": verdict.e_value,
        "evidence": {
            one.signal.name: {
                "canary": [one.canary.bad, one.canary.total],
                "baseline": [one.baseline.bad, one.baseline.total],
                "e_value": one.harm,
                "ratio_bound": one.ratio_bound if one.ratio_bound < float("inf") else None,
                "rate_bound": one.rate_bound,
                "passed": one.passed,
            }
            for one in verdict.evidence
        },
    }


def _settle(journal: Journal, ports: Ports, state: State) -> State:
    """An intent without an outcome: look whether it happened. It is absolute, so where it did not it is done again."""
    if state.intent is None:
        return state
    effect = parse_effect(state.intent.payload["effect"])
    try:
        found = _holds(effect, ports)
    except Unavailable:
        return state
    result = "applied" if found else "not applied"
    journal.append("outcome", intent=state.intent.seq, result=result, note="found by looking at the world")
    return _state(journal)


def _holds(effect: Effect, ports: Ports) -> bool:
    match effect:
        case SetRecord(release):
            return ports.record.read() == release
        case Shift(release, canary, baseline):
            world = ports.traffic.observe()
            return (world.slices, world.canary, world.baseline) == (release, canary, baseline)


def _look(journal: Journal, ports: Ports, state: State) -> tuple[State, str]:
    """Take the looks that are due, and journal them. Returns why there are none where the metrics did not answer."""
    if state.origin is None or state.abort or state.phase not in ("judging", "baking"):
        return state, ""  # an abort waits for no Prometheus
    plan, last = state.plan, state.looks[-1].at if state.looks else state.origin
    due = state.origin + int((ports.clock.now() - LAG - state.origin) / plan.look) * plan.look
    if due <= last + plan.look / 2:
        return state, ""
    try:
        found = ports.metrics.looks(plan, last, due, state.weight)
    except Unavailable as error:
        return state, _said(error)
    journal.extend([("look", line) for look in found for line in look_lines(look)])
    return replace(state, looks=state.looks + found), ""


def _health(ports: Ports, state: State) -> tuple[str, str]:
    """Why the canary counts as crashing, and what keeps the slices that the rollout waits for from being ready.

    Both empty where that is not so, or not known: then nothing is decided by it.
    """
    if state.phase not in ("preparing", "judging", "baking"):
        return "", ""
    try:
        world = ports.traffic.observe()
    except Unavailable as error:
        return "", _said(error) if state.phase == "preparing" else ""
    waits = state.phase == "preparing" and bool(state.pending) and not world.slices_ready
    return world.crashes, f"the slices are not ready: {world.unready or 'none is there yet'}" if waits else ""


def _act(journal: Journal, ports: Ports, state: State, token: int) -> tuple[State, str]:
    """Carry out the pending steps as far as the world allows, then keep the wish from expiring.

    Returns why the world does not answer, where it does not; the next turn tries again.
    """
    try:
        seen = (-1, "")
        while not state.ended and seen != (state.done, state.phase):
            seen = (state.done, state.phase)
            state = _step(journal, ports, state, token)
        if not state.ended and state.shift is not None and state.shift.release is not None:
            ports.traffic.wish(state.shift, token, state.plan.expiry)  # one that is not renewed expires: the safe end
    except Unavailable as error:
        return _state(journal), _said(error)
    return state, ""


def _said(error: Unavailable) -> str:
    """What does not answer, and what to do about it: the driver waits, a person may help."""
    return f"{error.what}; next: {error.next}" if error.next else error.what


def _step(journal: Journal, ports: Ports, state: State, token: int) -> State:
    if not state.pending:
        return _finish(journal, state)
    match state.pending[0]:
        case Await() as condition:
            return _await(journal, ports, state, condition)
        case effect:
            return _perform(journal, ports, state, effect, token)


def _finish(journal: Journal, state: State) -> State:
    results = {"promoting": "promoted", "rolling back": "rolled back"}
    if state.phase not in results:
        return state
    journal.append("end", result=results[state.phase], reason=state.reason)
    return _state(journal)


def _perform(journal: Journal, ports: Ports, state: State, effect: Effect, token: int) -> State:
    """Intent to disk, effect, outcome to disk. A crash in between is settled by looking."""
    intent = journal.append("intent", effect=to_json(effect), token=token)
    try:
        match effect:
            case SetRecord(release):
                other = state.plan.canary if release == state.plan.stable else state.plan.stable
                ports.record.set(release, state.plan.run, expect=other)
            case Shift():
                ports.traffic.wish(effect, token, state.plan.expiry)
    except Unavailable as error:
        journal.append("outcome", intent=intent.seq, result="failed", note=error.what)
        raise
    journal.append("outcome", intent=intent.seq, result="applied")
    return _state(journal)


def _await(journal: Journal, ports: Ports, state: State, step: Await) -> State:
    note = _reached(step, ports.traffic.observe(), state, ports.clock.now())
    if not note:
        return state
    journal.append("reached", condition=step.condition, note=note)
    return _state(journal)


def _reached(step: Await, world: World, state: State, now: float) -> str:
    """How the condition was met, or nothing where it is not."""
    match step.condition:
        case "slices ready":
            met = world.slices_ready and world.slices == state.plan.canary
        case "weights in force":
            met = state.shift is not None and (world.canary, world.baseline) == (
                state.shift.canary,
                state.shift.baseline,
            )
        case "drained":
            if now - state.step_since >= state.plan.drain:
                return f"deadline with {world.open_requests} open"
            met = world.open_requests == 0
        case "stable runs it":
            met = world.stable_ready and world.stable == step.release
        case "slices gone":
            met = world.slices is None
    return "seen" if met else ""
