"""Abort: weight 0 first, whatever else is broken, then the rollback; what could not be done is told after that."""

from __future__ import annotations

import time

from cli.adapters.local_region import LocalTraffic
from cli.adapters.run_files import Run
from cli.rollouts.drive import TICK
from cli.rollouts.ports import Fenced
from cli.rollouts.procedure import Shift
from cli.rollouts.state import State
from cli.steering import NotOpen, attend, command
from cli.wiring import Place
from infra.errors import OpsError, Unavailable

PATIENCE = 120.0  # seconds that `abort` sees to the rollback before it only reports; the traffic is at 0 at once
ORPHAN = 60.0  # seconds until a canary without a rollout expires


def abort(place: Place, reason: str) -> tuple[Run, State] | None:
    """Weight 0 at once, with a newer token than the driver has; then see the rollback to its end.

    Depends neither on the judge nor on Prometheus nor on the journal nor on the lease: what cannot be read there is
    told after the traffic is safe. None where no rollout was open; a canary that was there has weight 0 then.
    """
    run, problem = _told(place, reason)
    traffic = place.traffic()
    moved = _zero(place, traffic, run.plan.expiry if run else ORPHAN)
    if problem:
        raise _unjournalled(place, problem, _retired(place, traffic) if moved else "it had no canary")
    if run is None:
        return None
    if not traffic.supervised():
        raise _out_of_reach(place)
    return run, attend(place, run, PATIENCE)


def _out_of_reach(place: Place) -> OpsError:
    """Without its supervisor nobody turns the wish into weights: an Envoy that is left goes on as it was."""
    return Unavailable(
        f"weight 0 is wished and the abort is in the journal, but the local region {place.region} is not up: "
        "if its Envoy is left running, it still sends the canary what it did",
        not_done="the rollback has not ended",
        next=f"ops local up, then ops rollout resume {place.service.name}; or ops local down, which ends all of it",
    )


def _told(place: Place, reason: str) -> tuple[Run | None, OpsError | None]:
    """The open run with the command in its journal; where that cannot be done, what went wrong."""
    try:
        return command(place, "abort", reason), None
    except NotOpen:
        return None, None
    except OpsError as error:
        return None, error


def _zero(place: Place, traffic: LocalTraffic, expiry: float) -> bool:
    """Wish weight 0 for whatever canary there is; False where there is none."""
    while True:
        wish = traffic.wished()
        if wish is None or wish.release is None:
            return False
        try:
            return traffic.zero(_newest(place, wish.token), expiry)
        except Fenced:
            continue  # somebody took a newer token in this moment: ours must be newer than that


def _newest(place: Place, floor: int) -> int:
    """A token newer than all others; from the region alone where the lease cannot be read."""
    try:
        return place.lease("abort").bump(floor)
    except Unavailable:
        return floor + 1


def _retired(place: Place, traffic: LocalTraffic) -> str:
    """Without a journal nobody can drive the rollback: wait for Envoy, let streams end, and take the slices away."""
    until = time.monotonic() + place.service.rollout.drain
    try:
        while (world := traffic.observe()).canary or world.open_requests:
            if time.monotonic() > until:
                break
            time.sleep(TICK)
        if world.canary:
            return f"weight 0 is wished, and Envoy still gives it {world.canary:g} %"
        wish = traffic.wished()
        traffic.wish(Shift(None, 0.0, 0.0), wish.token if wish else 0, ORPHAN)
    except OpsError as error:
        return f"weight 0 is wished, whether it is in force is not known: {error.what}"
    return "its canary has no traffic any more and its slices are retired"


def _unjournalled(place: Place, problem: OpsError, done: str) -> OpsError:
    """What an abort did and what it leaves, where the journal could not be told."""
    try:
        runs = f"; the release of record is {place.record.read()}"
    except OpsError as error:
        runs = f"; the release of record is not known: {error.what}"
    return Unavailable(
        f"{place.service.name} in {place.region}: {done}{runs}\nbut the rollout could not be told: {problem.what}",
        not_done="that rollout has no end in its journal, so it still counts as open",
        next=problem.next.rpartition("then: ")[2],
    )
