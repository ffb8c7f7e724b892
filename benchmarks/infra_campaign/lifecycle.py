"""Every stack of demo and atlas: planned, made, run again, destroyed, under the real engine."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from campaign.report import Report

from infra.blueprint.stack import KINDS, Stack
from infra.blueprint.stack import stacks as of_fleet
from infra.engine.event import tally
from infra_campaign.part import TWO, Job, title, world
from tests.infra.faultpoints import Place

FLEETS = ("demo", "atlas")


def lifecycle(job: Job) -> Report:
    """What was planned is what is done, a second run does nothing, and nothing is left."""
    report = Report()
    for name in FLEETS:
        _of(world(job.folder / name, name), report)
    return report


def _of(place: Place, report: Report) -> None:
    name, began = place.fleet.name, time.monotonic()
    levels = [[one for one in of_fleet(place.fleet, str(place.file)) if one.kind == kind] for kind in KINDS]
    everything = [stack for level in levels for stack in level]
    with ThreadPoolExecutor(TWO) as pool:
        rows = [row for level in levels for row in pool.map(lambda stack: _made(place, stack), level)]
        made, ups = len(place.there()), time.monotonic() - began
        again = list(pool.map(lambda stack: place.engine.up(stack).changed, everything))
        gone = [row for level in levels[::-1] for row in pool.map(lambda stack: _destroyed(place, stack), level)]
    equal = sum(planned == done for planned, done, _ in rows)
    operations = sum(sum(done.values()) for _, done, _ in rows)
    said = ", ".join(what for planned, done, what in rows if planned != done)
    report.say(f"{name}: {len(rows)} stacks, {operations} operations, {made} resources in Azure")
    report.say(f"{name}: {equal} of {len(rows)} plans are what was done {said}".rstrip(), equal == len(rows))
    report.say(f"{name}: a second up changed {sum(again)} of {len(again)} stacks", not any(again))
    left, broken = place.there(), [why for why in gone if why]
    report.say(f"{name}: {len(left)} resources left after destroy {' '.join([*left, *broken])}".rstrip(), not left)
    report.say(f"{name}: {ups:.0f} s to plan and make, {time.monotonic() - began:.0f} s in all")


def _made(place: Place, stack: Stack) -> tuple[dict[str, int], dict[str, int], str]:
    planned = dict(tally(place.engine.preview(stack)))
    done = dict(place.engine.up(stack).counts)
    return planned, done, f"{title(stack)}: planned {planned}, done {done}"


def _destroyed(place: Place, stack: Stack) -> str:
    """Why it was not; nothing where it was."""
    outcome = place.command.destroy(stack, lambda _: None)
    return "; ".join(f"{title(stack)}: {one.title}: {one.message}" for one in outcome.failed)
