"""What must be true before a program registers anything: valid files, a stack that fits them, a readable record.

Reads the fleet file, the release of record and the release manifests. Knows nothing of Pulumi, asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from infra import state
from infra.blueprint.stack import Kind, Stack, stacks
from infra.errors import GateFailed, InvalidInput, Refused
from infra.fleet import Fleet, FleetError, load_fleet, locate
from infra.preflight.capacity import preflight
from infra.preflight.finding import Finding
from infra.preflight.limits import Limits, NoLimits, limits_file, load_limits
from infra.record import Record, RecordStore
from infra.release import Release, load_release
from infra.residency import proof as residency
from infra.yamlfile.source import Source, read

NOTHING = "nothing was registered"
MAX_WARNINGS = 10  # lines of warnings; the rest are counted


class StaleStack(InvalidInput):
    """A stack's configuration does not fit its name or the fleet file any more."""


class DoesNotFit(GateFailed):
    """The fleet, as far as the stack is about it, is known not to fit its limits."""


class ForeignSubscription(Refused):
    """The login is for another subscription than the fleet's."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the engine told a program."""

    kind: Kind
    project: str
    stack: str
    fleet: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class Cleared:
    """A stack that may go on, with what it may be made of."""

    stack: Stack
    fleet: Fleet
    record: Record
    warnings: tuple[str, ...] = ()


def clear(told: Told) -> Cleared:
    """The stack, if nothing forbids to go on. Raises OpsError that says what does, with file and line."""
    if told.fleet is None:
        raise _stale(told, f"the stack {told.stack} has no configuration {told.project}:fleet")
    fleet, source = load_fleet(told.fleet), read(locate(told.fleet))
    stack = _fitting(told, fleet, source)
    record = RecordStore(state.record_path(fleet.name)).read(fleet)
    releases = _releases(stack, fleet, record)
    residency.require(fleet, source)
    return Cleared(stack, fleet, record, _fits(stack, fleet, source, releases))


def same_subscription(fleet: Fleet, subscription: str) -> None:
    """Raises ForeignSubscription where the login is for another subscription than the fleet file names."""
    if fleet.azure and subscription != fleet.azure.subscription:
        raise ForeignSubscription(
            f"the login is for subscription {subscription}, the fleet {fleet.name} is in {fleet.azure.subscription}",
            not_done=NOTHING,
            next=f"az account set --subscription {fleet.azure.subscription}",
        )


def _fitting(told: Told, fleet: Fleet, source: Source) -> Stack:
    """The stack that the configuration names. It must be the one that runs: a copied file must not aim elsewhere."""
    if fleet.azure is None:
        problem = source.problem((), "this key is missing, and without it a fleet only runs locally: azure")
        raise FleetError([problem], not_done=NOTHING)
    known = stacks(fleet, told.fleet or "")
    for stack in known:
        if (stack.kind, stack.name, stack.region) == (told.kind, told.stack, told.region):
            return stack
    names = ", ".join(stack.name for stack in known if stack.kind == told.kind)
    place = source.problem(("regions",), f"for fleet-{told.kind} this file makes the stacks {names}")
    raise _stale(told, f"the stack {told.stack} (region {told.region or 'none'}) is not one of this fleet\n{place}")


def _releases(stack: Stack, fleet: Fleet, record: Record) -> Mapping[str, Release]:
    """The releases of record in the stack's region (or the first one). Raises OpsError where one has no manifest."""
    found = {}
    for service in fleet.services:
        runs_in = [region.name for region in fleet.regions_of(service.name)]
        place = stack.region if stack.region in runs_in else runs_in[0]
        found[service.name] = load_release(service.name, record.release(service.name, place))
    return found


def _fits(stack: Stack, fleet: Fleet, source: Source, releases: Mapping[str, Release]) -> tuple[str, ...]:
    """What to mind. Raises DoesNotFit with what is known not to fit; capacity is nothing to the edge, so not for it."""
    found = preflight(fleet, _limits(source), source, releases, date.today()).findings
    near = [finding for finding in found if _concerns(stack, fleet, finding)]
    wrong = [str(finding) for finding in near if finding.kind == "violation"]
    if wrong and stack.kind != "edge":
        again = f"ops fleet preflight --fleet {stack.source}"
        raise DoesNotFit("\n".join(wrong), not_done=NOTHING, next=again)
    lines = [str(finding) if finding.kind == "warning" else f"{finding.kind}: {finding}" for finding in near]
    more = len(lines) - MAX_WARNINGS
    return (*lines[:MAX_WARNINGS], *([f"... and {more} more: ops fleet preflight"] * (more > 0)))


def _limits(source: Source) -> Limits | None:
    try:
        return load_limits(limits_file(Path(source.file)))
    except NoLimits:
        return None  # nothing of Azure is known, and preflight says so


def _concerns(stack: Stack, fleet: Fleet, finding: Finding) -> bool:
    """Whether a finding is about the stack: one region's trouble never stops the work on another."""
    number = re.search(r"\bregions\[(\d+)\]", finding.where)
    return stack.region is None or number is None or fleet.regions[int(number[1])].name == stack.region


def _stale(told: Told, what: str) -> StaleStack:
    return StaleStack(what, not_done=NOTHING, next=f"ops fleet stacks write --fleet {told.fleet or 'NAME'}")
