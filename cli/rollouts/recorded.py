"""Ended rollouts -> the release of record, for when its file is lost. Pure: no clock, no network, no file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cli.rollouts.state import State


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the last rollout of a service in a region left behind."""

    service: str
    region: str
    release: str
    run: str


def recorded(states: Iterable[State]) -> list[Recorded]:
    """The release of record of every service and region that was ever rolled out, from runs in the order of time.

    A run that has not ended counts as not promoted: its canary was never the release of record for good.
    """
    last: dict[tuple[str, str], Recorded] = {}
    for state in states:
        plan = state.plan
        last[plan.service, plan.region] = Recorded(plan.service, plan.region, state.release, plan.run)
    return list(last.values())
