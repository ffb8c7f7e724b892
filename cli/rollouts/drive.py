"""The rollout loop: gather, decide, write down, act. It reads the world here and changes it in act.py."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cli.rollouts import stage
from cli.rollouts.act import act, said, settle
from cli.rollouts.course import Course
from cli.rollouts.decision import decide
from cli.rollouts.evidence import look_lines
from cli.rollouts.ports import Fenced, Ports
from cli.rollouts.procedure import Decision, Hold, Promote, Rollback, to_json
from cli.rollouts.state import State
from cli.rollouts.verdict import Fail, Inconclusive, Verdict
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


def drive(
    journal: Journal, ports: Ports, watch: Callable[[Snapshot], None], stop: Callable[[], bool] = lambda: False
) -> State:
    """Drive the rollout in `journal` until it ended or `stop()` says so between two ticks. Resumes after any crash.

    Raises Locked when another driver took over, JournalError when nothing can be written down: nothing is changed then.
    """
    try:
        return _drive(Course(journal), ports, watch, stop)
    finally:
        ports.loads.stop()


def _drive(course: Course, ports: Ports, watch: Callable[[Snapshot], None], stop: Callable[[], bool]) -> State:
    snapshot, stood = None, ("", 0.0, 0)
    while True:
        with suppress(Fenced):  # the next turn renews the lease and reads why: an abort, or another driver
            snapshot = tick(course, ports, snapshot)
            watch(snapshot)
            if snapshot.state.ended or stop():
                return snapshot.state
            before, stood = stood, (snapshot.state.phase, snapshot.state.weight, snapshot.state.done)
            if stood != before:
                continue  # it went on: the next step waits for nothing
        ports.clock.wait(TICK)


def tick(course: Course, ports: Ports, before: Snapshot | None = None) -> Snapshot:
    """One turn: keep the lease, settle what is unknown, look, judge, decide, act.

    The judgement of the turn `before` stands while there is no new look.
    """
    token = ports.lease.renew()  # before the journal is read: an abort writes its command first, then takes its token
    state = settle(course, ports, course.state())
    state, blind = _look(course, ports, state)
    crashes, unready = _health(ports, state)
    same = before is not None and (before.state.phase, before.state.looks) == (state.phase, state.looks)
    judged = before.judged if before is not None and same else verdict_of(state)
    verdict = _blinded(judged, blind or unready)
    if crashes:
        verdict = Fail(crashes, (), verdict.e_value)
    now = ports.clock.now()
    decision = decide(state, verdict, now, _record(ports))
    state = _written(course, ports, state, decision, verdict)
    state, problem = act(course, ports, state, token)
    why = unready or decision.reason if isinstance(decision, Hold) else ""
    return Snapshot(state, verdict, problem or why, now, judged)


def _written(course: Course, ports: Ports, state: State, decision: Decision | Hold, verdict: Verdict) -> State:
    """The decision in the journal. It cuts off a load that is under way, and so does a pause."""
    if state.paused_since is not None or not isinstance(decision, Hold):
        why = decision.reason if isinstance(decision, Hold | Promote | Rollback) else ""
        state = stage.cut_off(course, ports, state, why)
    if isinstance(decision, Hold):
        return state
    course.append("decision", decision=to_json(decision), weight=state.weight, **_grounds(verdict))
    return course.state()


def verdict_of(state: State) -> Verdict:
    """What the judge says of the looks so far."""
    from cli.rollouts.judge import judge, judge_bake  # the mathematics takes half a second to import

    if state.phase == "baking":
        return judge_bake(state.plan, state.looks)
    return judge(state.plan, state.looks, state.origin if state.origin is not None else state.started)


def _blinded(verdict: Verdict, why: str) -> Verdict:
    """A verdict while there is no fresh look, for the reason `why`: only a failed one stands."""
    if why and not isinstance(verdict, Fail):
        return Inconclusive(why, verdict.evidence, verdict.e_value, blind=True)
    return verdict


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


def _look(course: Course, ports: Ports, state: State) -> tuple[State, str]:
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
        return state, said(error)
    course.extend([("look", line) for look in found for line in look_lines(look)])
    return course.state(), ""


def _record(ports: Ports) -> str:
    """The release of record, empty while it cannot be read: what is not known ends nothing."""
    try:
        return ports.record.read()
    except Unavailable:
        return ""


def _health(ports: Ports, state: State) -> tuple[str, str]:
    """Why the canary counts as crashing, and what keeps the slices that the rollout waits for from being ready.

    Both empty where that is not so, or not known: then nothing is decided by it.
    """
    if state.phase not in ("preparing", "pressing", "judging", "baking"):
        return "", ""
    try:
        world = ports.traffic.observe()
    except Unavailable as error:
        return "", said(error) if state.phase == "preparing" else ""
    begins = state.phase in ("preparing", "pressing") and bool(state.pending) and state.pressing is None
    waits = begins and not world.slices_ready
    return world.crashes, f"the slices are not ready: {world.unready or 'none is there yet'}" if waits else ""
