"""Which stacks a command is about, in the order in which they are made, or taken away. Pure: names in, stacks out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from infra.blueprint.stack import KINDS, Stack, needs
from infra.errors import InvalidInput, Refused
from infra.fleet import Fleet
from infra.suggest import hint

LOCAL = ("region", "platform")
"""The kinds that there are one of for each region."""


class UnknownStack(InvalidInput):
    """There is no stack of that kind, or not in that region."""


class NotInAzure(InvalidInput):
    """The fleet file does not say where to provision it."""


class StillNeeded(Refused):
    """Something that stays refers to what would go."""


def provisioned(fleet: Fleet) -> Fleet:
    """The fleet itself. Raises NotInAzure where its file has no section `azure`."""
    if fleet.azure is None:
        raise NotInAzure(
            f"the fleet {fleet.name} has no section `azure`: it only runs locally",
            not_done="nothing was changed",
            next="add azure: {tenant, subscription, admins, domain} to its file; infra/fleets/demo.yaml has one",
        )
    return fleet


def picked(everything: Sequence[Stack], fleet: Fleet, region: str | None, kind: str | None) -> tuple[Stack, ...]:
    """The stacks of a region, of a kind, of both, or `everything`. Raises NotInFleet and UnknownStack."""
    if kind is not None and kind not in KINDS:
        raise UnknownStack(
            f"there is no stack {kind!r}{hint(kind, KINDS)}", not_done="nothing was done", next="ops fleet stacks list"
        )
    if region is not None:
        fleet.region(region)
        if kind is not None and kind not in LOCAL:
            raise UnknownStack(
                f"the stack {kind} is there once for the whole fleet, not for one region",
                not_done="nothing was done",
                next="the same command without --region",
            )
    return tuple(one for one in everything if kind in (None, one.kind) and region in (None, one.region))


def to_make(wanted: Sequence[Stack], everything: tuple[Stack, ...], present: Collection[Stack]) -> tuple[Stack, ...]:
    """`wanted` in the order they are made, with what they refer to where that is not there yet."""
    missing = {one for stack in wanted for one in needs(stack, everything) if one not in present}
    return tuple(stack for stack in everything if stack in wanted or stack in missing)


def to_take(
    wanted: Sequence[Stack], everything: tuple[Stack, ...], present: Collection[Stack], fleet: Fleet
) -> tuple[Stack, ...]:
    """Those of `wanted` that exist, in the order they go. Raises StillNeeded where one that stays refers to them."""
    going = tuple(stack for stack in wanted if stack in present)
    for stack in (one for one in everything if one in present and one not in wanted):
        held = [one for one in needs(stack, everything) if one in going]
        if held and not _closed(stack, held, fleet):
            raise _needed(stack, held[0])
    return tuple(reversed([stack for stack in everything if stack in going]))


def _closed(stack: Stack, held: Sequence[Stack], fleet: Fleet) -> bool:
    """Whether the edge has stopped sending users to the regions that go."""
    return stack.kind == "edge" and all(one.region and fleet.region(one.region).traffic == "closed" for one in held)


def title(stack: Stack) -> str:
    """How people call it: region westeurope."""
    return f"{stack.kind} {stack.region}" if stack.region else stack.kind


def _needed(stack: Stack, held: Stack) -> StillNeeded:
    if stack.kind == "edge" and held.region:
        return StillNeeded(
            f"the edge sends users to {held.region}",
            not_done="nothing was changed",
            next=f"set traffic: closed for {held.region} in the fleet file, then ops fleet up --stack edge",
        )
    return StillNeeded(
        f"{title(stack)} refers to {title(held)}, and it stays",
        not_done="nothing was changed",
        next="ops fleet destroy without --stack takes both away in the right order",
    )
