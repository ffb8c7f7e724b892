"""What a fleet's residency groups allow: which data may be where, by the law of the place. Pure."""

from __future__ import annotations

from infra.azure.facts import regions
from infra.fleet import Fleet


def lawful(fleet: Fleet, group: str, location: str) -> bool:
    """Whether data of a residency group may lie in an Azure region, by the law of that region."""
    return location in regions() and regions()[location].residency in fleet.residency[group].jurisdictions


def takes_weights(fleet: Fleet, location: str) -> bool:
    """Whether a region of the fleet is there whose group keeps weights: the one kind of data that groups share."""
    groups = [fleet.residency[region.residency] for region in fleet.regions if region.location == location]
    return any("weights" in group.data for group in groups)


def stay(fleet: Fleet, *groups: str) -> str:
    """The rule of groups about places, in words: data of eu stay under EU."""
    return "; ".join(f"data of {name} stay under {', '.join(fleet.residency[name].jurisdictions)}" for name in groups)


def keep(fleet: Fleet, group: str, kind: str) -> str:
    """The rule of a group about classes of data, in words: the group eu keeps prompts, completions, and no training."""
    return f"the group {group} keeps {', '.join(fleet.residency[group].data)}, and no {kind}"


def shown(location: str) -> str:
    """An Azure region with its law, as a message shows it: eastus2 (US)."""
    return f"{location} ({regions()[location].residency})" if location in regions() else location
