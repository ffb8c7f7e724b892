"""The steps of a decision, carried out: intent to the journal, effect, outcome to the journal. Decides nothing."""

from __future__ import annotations

from cli.rollouts import stage
from cli.rollouts.course import Course
from cli.rollouts.evidence import STALE
from cli.rollouts.ports import Ports, World
from cli.rollouts.procedure import Await, Press, SetRecord, Shift, parse_effect, to_json
from cli.rollouts.state import State
from infra.errors import Refused, Unavailable
from runbooks.journal import JournalError


def settle(course: Course, ports: Ports, state: State) -> State:
    """An intent without an outcome: look whether it happened. It is absolute, so where it did not it is done again."""
    if state.intent is None:
        return state
    effect = parse_effect(state.intent.payload["effect"])
    if isinstance(effect, Press):
        return stage.lost(course, ports, state)
    try:
        found = _holds(effect, ports)
    except Unavailable:
        return state
    result = "applied" if found else "not applied"
    course.append("outcome", intent=state.intent.seq, result=result, note="found by looking at the world")
    return course.state()


def _holds(effect: SetRecord | Shift, ports: Ports) -> bool:
    match effect:
        case SetRecord(release):
            return ports.record.read() == release
        case Shift(release, canary, baseline):
            world = ports.traffic.observe()
            return (world.slices, world.canary, world.baseline) == (release, canary, baseline)


def act(course: Course, ports: Ports, state: State, token: int) -> tuple[State, str]:
    """Carry out the pending steps as far as the world allows, then keep the wish from expiring.

    Returns why the world does not answer, where it does not; the next turn tries again.
    """
    try:
        seen = (-1, "")
        while not state.ended and seen != (state.done, state.phase):
            seen = (state.done, state.phase)
            state = _step(course, ports, state, token)
        if not state.ended and state.shift is not None and state.shift.release is not None:
            ports.traffic.wish(state.shift, token, state.plan.expiry)  # one that is not renewed expires: the safe end
    except JournalError:
        raise  # without a journal nothing may be done; the canary expires
    except Unavailable as error:
        return course.state(), said(error)
    return state, ""


def _step(course: Course, ports: Ports, state: State, token: int) -> State:
    if not state.pending:
        return _finish(course, state)
    match state.pending[0]:
        case Await() as condition:
            return _await(course, ports, state, condition)
        case Press() as load:
            return stage.press(course, ports, state, load, token)
        case effect:
            return _perform(course, ports, state, effect, token)


def _finish(course: Course, state: State) -> State:
    results = {"promoting": "promoted", "rolling back": "rolled back"}
    if state.phase not in results:
        return state
    course.append("end", result=results[state.phase], reason=state.reason)
    return course.state()


def _perform(course: Course, ports: Ports, state: State, effect: SetRecord | Shift, token: int) -> State:
    """Intent to disk, effect, outcome to disk. A crash in between is settled by looking."""
    intent = course.append("intent", effect=to_json(effect), token=token)
    try:
        match effect:
            case SetRecord(release):
                expect = state.plan.stable if release == state.plan.canary else state.expected[-1]
                ports.record.set(release, state.plan.run, expect=expect)
            case Shift():
                ports.traffic.wish(effect, token, state.plan.expiry)
    except Refused as error:  # somebody else set the record in this moment: the next turn reads it and ends
        course.append("outcome", intent=intent.seq, result="refused", note=error.what)
        return course.state()
    except Unavailable as error:
        course.append("outcome", intent=intent.seq, result="failed", note=error.what)
        raise
    course.append("outcome", intent=intent.seq, result="applied")
    return course.state()


def _await(course: Course, ports: Ports, state: State, step: Await) -> State:
    note = _reached(step, ports.traffic.observe(), state, ports.clock.now())
    if not note:
        return state
    course.append("reached", condition=step.condition, note=note)
    return course.state()


def _reached(step: Await, world: World, state: State, now: float) -> str:
    """How the condition was met, or nothing where it is not."""
    match step.condition:
        case "slices ready":
            met = world.slices_ready and world.slices == state.plan.canary
        case "counters settled":  # or the first look would begin with a sample that misses the last of the load
            met = now - state.step_since >= STALE
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


def said(error: Unavailable) -> str:
    """What does not answer, and what to do about it: the driver waits, a person may help."""
    return f"{error.what}; next: {error.next}" if error.next else error.what
