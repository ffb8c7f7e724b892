"""Every kind of drift on all stacks of the demo: found by `drift`, said as loud as it is, put back by `up`."""

from __future__ import annotations

from campaign.report import Report

from infra_campaign.part import Job, all_stacks, world
from tests.infra.drifting import Seen, drift, rounds
from tests.infra.drifts import KINDS


def drifted(job: Job) -> Report:
    """Brought up once; the kinds are changed together where they do not meet, and counted apart."""
    report, place = Report(), world(job.folder / "drift")
    everything = all_stacks(place)
    for stack in everything:
        place.engine.up(stack)
    seen: list[Seen] = []
    plan = rounds(place, everything, KINDS)
    for changes in plan:
        seen += drift(place, changes)
    hidden = [kind.name for kind in KINDS if not kind.seen]
    for what, number in (("found", _many(seen, "found")), ("said as loud as they are", _many(seen, "loud"))):
        report.say(f"{number} of {len(KINDS)} kinds {what}", number == len(KINDS))
    number, refused = _many(seen, "repaired"), [one for one in seen if one.refused]
    whole = number + len(refused) == len(KINDS)
    report.say(f"{number} of {len(KINDS)} kinds put back by up (or left, as is wanted), in {len(plan)} rounds", whole)
    for one in refused:
        report.say(f"not put back, as drift says before: {one.name}: {one.said}"[:700])
    report.say(f"told by nobody, as is wanted: {', '.join(hidden)}")
    for one in seen:
        if not one.good:
            flags = f"found {one.found}, loud {one.loud}, repaired {one.repaired}"
            report.say(f"  {one.name}: {flags}: {one.said}"[:900], False)
    return report


def _many(seen: list[Seen], what: str) -> int:
    return sum(bool(getattr(one, what)) for one in seen)
