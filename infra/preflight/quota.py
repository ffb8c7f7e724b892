"""Quota: what a fleet's machines take of it, what is left, and which of them do not get what they may scale to. Pure.

Quota is counted in vCPUs, per family and region, with a total per region and one for spot machines. It is allotted in
the order of the fleet file, so that the same file and limits always blame the same pool. What an upgrade adds is kept
free once for all pools of a region, since they are upgraded one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from infra.azure.facts import family_key
from infra.preflight.demand import Demand
from infra.preflight.limits import REGIONAL, SPOT, Limits, Quota

NAMES = {REGIONAL: "Total Regional vCPUs", SPOT: "Total Regional Spot vCPUs"}
"""What the two that count all families are called by Azure."""

Key = tuple[str, str]
"""Azure region and quota family."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one pool gets: machines that fit, the quotas that nobody knows, and the one that binds where some do not."""

    demand: Demand
    machines: int  # that fit, of `demand.most`
    spare: int  # vCPUs kept free beside them, for the largest upgrade so far
    unknown: tuple[str, ...]  # quotas
    binding: str = ""  # quota; empty where all machines fit
    left: int = 0  # vCPUs of it when it was this pool's turn

    @property
    def missing(self) -> int:
        """Machines that do not fit."""
        return self.demand.most - self.machines


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of the pools with their shares, and what is left of each known quota when each has got its own."""

    shares: tuple[Share, ...]
    left: dict[Key, int]  # with what is kept free for upgrades taken off


def allot(demands: Iterable[Demand], limits: Limits) -> Ledger:
    """The quota that is known, shared out in the order of the demands."""
    left: dict[Key, int] = {}
    spare: dict[Key, int] = {}
    shares = []
    for demand in demands:
        keys = {key: (demand.location, key) for key in demand.quotas}
        spare.update({at: max(spare.get(at, 0), demand.surge * demand.vcpus) for at in keys.values()})
        known = {key: _known(left, limits, *at) for key, at in keys.items()}
        share = _share(demand, known, {key: spare[at] for key, at in keys.items()})
        taken = share.machines * demand.vcpus
        left.update({keys[key]: have - taken for key, have in known.items() if have is not None})
        shares.append(share)
    return Ledger(tuple(shares), {at: max(0, have - spare[at]) for at, have in left.items()})


def needed(takers: Sequence[Demand]) -> tuple[int, int]:
    """vCPUs that machines of one quota need at least and at most, with one upgrade at a time."""
    least = sum(demand.floor * demand.vcpus for demand in takers)
    most = sum(demand.most * demand.vcpus for demand in takers)
    return least, most + max(demand.surge * demand.vcpus for demand in takers)


def unused(limits: Limits, ledger: Ledger, location: str, family: str) -> int | None:
    """vCPUs of a quota that the fleet does not take; None: unknown."""
    return _known(ledger.left, limits, location, family_key(family))


def label(key: str, family: str) -> str:
    """A quota as Azure calls it: by its family's name, or as one of the two totals."""
    return NAMES.get(key, family)


def describe(quota: Quota | None) -> str:
    """Limit and use of a quota."""
    if quota is None:
        return "unknown"
    ours = f", {quota.ours:,} of them by this fleet" if quota.ours else ""
    return f"limit {quota.limit:,}, used {quota.used:,}{ours}"


def _known(left: Mapping[Key, int], limits: Limits, location: str, key: str) -> int | None:
    quota = limits.quota(location, key)
    return left.get((location, key), quota.left) if quota else None


def _share(demand: Demand, known: dict[str, int | None], spare: dict[str, int]) -> Share:
    unknown = tuple(key for key, have in known.items() if have is None)
    room = {key: (have - spare[key]) // demand.vcpus for key, have in known.items() if have is not None}
    binding = min(room, key=lambda key: room[key], default="")
    machines = max(0, min([demand.most, *room.values()]))
    if machines == demand.most:
        return Share(demand, machines, 0, unknown)
    return Share(demand, machines, spare[binding], unknown, binding, known[binding] or 0)
