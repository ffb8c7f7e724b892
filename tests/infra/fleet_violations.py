"""Slips in a fleet file, and in what the programs would place, that make data leave their group; each with its words.

A slip of the file is an edit of its plain data; it must be refused when the file is read or by the proof. A slip of the
placements stands for an edit of infra/blueprint/placement.py; only the proof can see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from infra.blueprint.placement import Placement, placements
from infra.fleet import Fleet

Slip = Callable[[Random, dict[str, Any]], str]
Misplacing = Callable[[Random, Fleet], tuple[tuple[Placement, ...], str]]

ABROAD = ("brazilsouth", "uksouth", "switzerlandnorth", "centralindia", "australiaeast")
"""Azure regions under laws that no group of atlas allows."""


def _fails_over(random: Random, data: dict[str, Any]) -> str:
    region = random.choice(data["regions"])
    others = [one["name"] for one in data["regions"] if one["residency"] != region["residency"]]
    region["failover"] = [random.choice(others)]
    return "stays inside"


def _moves(random: Random, data: dict[str, Any]) -> str:
    region = random.choice(data["regions"])
    region["location"] = random.choice(ABROAD)
    return f"{region['location']} lies under"


def _changes_group(random: Random, data: dict[str, Any]) -> str:
    region = random.choice(data["regions"])
    region["residency"] = random.choice([name for name in data["residency"] if name != region["residency"]])
    return f"{region['location']} lies under"


def _loses(kind: str, what: str) -> Slip:
    """A group stops allowing a class of data that its regions keep."""

    def slip(random: Random, data: dict[str, Any]) -> str:
        group = random.choice(list(data["residency"]))
        data["residency"][group]["data"].remove(kind)
        return what.format(region=next(one for one in data["regions"] if one["residency"] == group)["name"])

    return slip


def _loses_home(kind: str, what: str) -> Slip:
    def slip(random: Random, data: dict[str, Any]) -> str:
        data["residency"][data["regions"][0]["residency"]]["data"].remove(kind)
        return what

    return slip


def _trains(random: Random, data: dict[str, Any]) -> str:
    """A training pool where no training data may be."""
    region = random.choice([one for one in data["regions"] if one["residency"] != "us"])
    pool = {"name": "train", "sku": "Standard_ND96isr_H200_v5", "nodes": {"min": 0, "max": 8}, "purpose": "training"}
    region["pools"].append(pool)
    return f"disks of train in {region['name']} -> training"


def _law_narrows(random: Random, data: dict[str, Any]) -> str:
    """The contracts of a group allow less than before."""
    law = random.choice(("JP", "SG"))
    data["residency"]["apac"]["jurisdictions"].remove(law)
    return f"lies under {law}"


def _alone(location: str, law: str, copy: str) -> Slip:
    """A region whose law no other region of Azure on that continent shares: Key Vault copies its vault abroad."""

    def slip(random: Random, data: dict[str, Any]) -> str:
        group = {"description": "Alone", "jurisdictions": [law], "data": ["prompts", "completions", "weights"]}
        data["residency"]["alone"] = {**group, "data": [*group["data"], "telemetry", "backups"]}
        region = random.choice([one for one in data["regions"] if not one["failover"] or one["residency"] == "apac"])
        region |= {"location": location, "residency": "alone", "failover": []}
        for other in data["regions"]:
            other["failover"] = [name for name in other["failover"] if name != region["name"]]
        return f"key vault of {region['name']} -> Key Vault's own copy in the paired region -> {copy}"

    return slip


def _falls_back(random: Random, data: dict[str, Any]) -> str:
    """A fallback that does not run where its service does would answer from another region."""
    region = random.choice(data["regions"])
    region["pools"] = [pool for pool in region["pools"] if pool["name"] != "a100"]
    return f"chat-mini does not run in {region['name']}"


SLIPS: dict[str, Slip] = {
    "failover to another group": _fails_over,
    "a region under another law": _moves,
    "a region in another group": _changes_group,
    "a group without prompts": _loses("prompts", "chat in {region} -> prompts"),
    "a group without completions": _loses("completions", "chat in {region} -> completions"),
    "a group without weights": _loses("weights", "chat in {region} -> weights"),
    "a group without telemetry": _loses("telemetry", "logs and metrics of {region} -> telemetry"),
    "a group without backups": _loses("backups", "backups of {region} -> backups"),
    "a registry where no weights may be": _loses_home("weights", "registry -> weights"),
    "edge logs where no telemetry may be": _loses_home("telemetry", "access logs of the edge -> telemetry"),
    "training in a group without it": _trains,
    "a narrower law": _law_narrows,
    "Singapore alone": _alone("southeastasia", "SG", "eastasia (HK)"),
    "Hong Kong alone": _alone("eastasia", "HK", "southeastasia (SG)"),
    "a fallback that is elsewhere": _falls_back,
}


def _misplaced(kind: str) -> Misplacing:
    """Something is placed in a region of another law."""

    def slip(random: Random, fleet: Fleet) -> tuple[tuple[Placement, ...], str]:
        all_of = placements(fleet)
        found = random.choice([one for one in all_of if one.kind == kind])
        place = random.choice(ABROAD)
        changed = tuple(replace(one, location=place) if one is found else one for one in all_of)
        return changed, f"{found.name} -> location -> {place}"

    return slip


def _copied(kind: str, via: str, places: tuple[str, ...] = ABROAD) -> Misplacing:
    """Something is copied to a region of another law."""

    def slip(random: Random, fleet: Fleet) -> tuple[tuple[Placement, ...], str]:
        all_of = placements(fleet)
        found = random.choice([one for one in all_of if one.kind == kind])
        place = random.choice(places)
        changed = tuple(replace(one, copies=(place,), via=via) if one is found else one for one in all_of)
        return changed, f"{found.name} -> {via} -> {place}"

    return slip


def _served_elsewhere(random: Random, fleet: Fleet) -> tuple[tuple[Placement, ...], str]:
    """A service falls back to a region of its law that is no region of its group."""
    return _copied("service", "fallback chat-mini", ("northeurope", "francecentral", "westus3"))(random, fleet)


MISPLACINGS: dict[str, Misplacing] = {
    "logs abroad": _misplaced("logs"),
    "a vault abroad": _misplaced("key vault"),
    "backups abroad": _misplaced("backup vault"),
    "training abroad": _misplaced("pool"),
    "a service abroad": _misplaced("service"),
    "the registry abroad": _misplaced("registry"),
    "a replica of the registry": _copied("registry", "registry replication", (*ABROAD, "eastus", "northeurope")),
    "geo-redundant backups": _copied("backup vault", "GeoRedundant"),
    "cross-region restore": _copied("backup vault", "cross-region restore"),
    "replicated logs": _copied("logs", "workspace replication"),
    "a replicated vault": _copied("key vault", "Key Vault's own copy"),
    "failover abroad": _copied("service", "failover"),
    "a fallback outside the fleet": _served_elsewhere,
}
