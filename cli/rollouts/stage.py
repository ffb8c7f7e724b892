"""The load stage as the driver carries it out: begun, followed, cut off, and its end written down. Decides nothing.

A load lasts for many turns of the driver. Its intent stands open in the journal meanwhile, so that a driver that takes
over knows that one was under way; what that one had measured is gone, and it is sent anew.
"""

from __future__ import annotations

from dataclasses import asdict

from cli.rollouts.course import Course
from cli.rollouts.ports import Ports
from cli.rollouts.procedure import Press, to_json
from cli.rollouts.state import State


def press(course: Course, ports: Ports, state: State, load: Press, token: int) -> State:
    """Begin the load where none is under way, and write down what came of it once it has ended.

    Raises Unavailable where the region does not say whether the canary is there.
    """
    if state.paused_since is not None:
        return state
    if state.intent is None:
        if not ports.traffic.observe().slices_ready:  # the region came up anew, and so do they
            return state
        course.append("intent", effect=to_json(load), token=token)
        ports.loads.begin(state.plan, load)
        return course.state()
    if (found := ports.loads.ended()) is None:
        return state
    outcome = {"result": "applied", "ruling": asdict(found.ruling), "facts": dict(found.facts)}
    course.append("outcome", intent=state.intent.seq, **outcome)
    return course.state()


def lost(course: Course, ports: Ports, state: State) -> State:
    """Close the intent of a load that another driver had begun: it died with it."""
    if ports.loads.under_way or state.intent is None:
        return state
    note = "its driver is gone, and with it what it had measured"
    course.append("outcome", intent=state.intent.seq, result="not applied", note=note)
    return course.state()


def cut_off(course: Course, ports: Ports, state: State, why: str) -> State:
    """End a load that is under way, for another decision or a pause."""
    if state.pressing is None or state.intent is None:
        return state
    ports.loads.stop()
    course.append("outcome", intent=state.intent.seq, result="stopped", note=why)
    return course.state()
