"""The proof that data stay in their residency group: resources, replicas, backups, failover paths, log sinks. Pure.

`prove` is about the fleet file and the placements it comes to; `audit` (audit.py) is the same question about the
requests that the programs render.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infra.blueprint.placement import Placement, placements
from infra.errors import GateFailed
from infra.fleet import Fleet
from infra.residency.audit import audit
from infra.residency.law import keep, lawful, shown, stay, takes_weights
from infra.residency.violation import Violation
from infra.yamlfile.source import Source

__all__ = ["ResidencyViolated", "Violation", "audit", "prove", "require"]


class ResidencyViolated(GateFailed):
    """Data would leave their residency group. Lists every path."""


def require(fleet: Fleet, source: Source) -> None:
    """Raises ResidencyViolated with file and line of every violation in a fleet file."""
    if found := prove(fleet):
        lines = "\n".join(str(violation.problem(source)) for violation in found)
        again = f"ops fleet residency --fleet {source.file}"
        raise ResidencyViolated(lines, not_done="nothing was changed", next=again)


def prove(fleet: Fleet, placed: Iterable[Placement] | None = None) -> tuple[Violation, ...]:
    """Every violation among a fleet's placements, or among those given."""
    found = placements(fleet) if placed is None else placed
    return tuple(violation for placement in found for violation in _of_placement(fleet, placement))


def _of_placement(fleet: Fleet, placement: Placement) -> Iterator[Violation]:
    group = fleet.residency[placement.group]
    for kind in placement.data:
        if kind not in (*group.data, "secrets", "configuration"):
            path = f"{placement.name} -> {kind} -> {shown(placement.location)}"
            yield Violation(path, keep(fleet, placement.group, kind), placement.place)
    if not lawful(fleet, placement.group, placement.location):
        path = f"{placement.name} -> location -> {shown(placement.location)}"
        yield Violation(path, stay(fleet, placement.group), placement.place)
    for copy in placement.copies:
        if kinds := [kind for kind in placement.data if not _may_go(fleet, placement, kind, copy)]:
            path = f"{placement.name} -> {placement.via} -> {shown(copy)}"
            yield Violation(path, f"{', '.join(kinds)}: {stay(fleet, placement.group)}", placement.place)


def _may_go(fleet: Fleet, placement: Placement, kind: str, location: str) -> bool:
    """Whether a copy of one class of data may lie in an Azure region."""
    if kind == "configuration":
        return True
    if kind == "weights" and placement.kind == "registry":
        return takes_weights(fleet, location)
    there = [region.residency for region in fleet.regions if region.location == location]
    ours = placement.kind != "service" or placement.group in there  # a service goes where regions are, not just any law
    return ours and lawful(fleet, placement.group, location)
