"""Fleets and limits to check against each other: the ones that ship, with parts of them changed."""

from __future__ import annotations

from typing import Any

from infra.fleet import FLEETS, Fleet, read_fleet
from infra.preflight.limits import Limits, Offer, Quota, RegionLimits, limits_file, load_limits
from infra.yamlfile.source import Source, parse

Text = tuple[str, str]


def source(name: str, *edits: Text) -> Source:
    """A fleet file with the first occurrence of each `old` replaced; an edit that changes nothing is a wrong test."""
    content = (FLEETS / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in edits:
        assert old in content, old
        content = content.replace(old, new, 1)
    return parse(f"{name}.yaml", content)


def fleet(name: str, *edits: Text) -> Fleet:
    """The fleet of an edited file."""
    return read_fleet(source(name, *edits))


def limits(name: str) -> Limits:
    """The limits that ship with a fleet."""
    return load_limits(limits_file(FLEETS / f"{name}.yaml"))


def granting(known: Limits, location: str, **vcpus: int | None) -> Limits:
    """The limits with other quotas in a region; None takes one out."""
    quota = {key: one for key, one in known.regions[location].quota.items() if vcpus.get(key, 0) is not None}
    quota |= {key: Quota(limit=limit, used=0) for key, limit in vcpus.items() if limit is not None}
    return changed(known, location, quota=quota)


def offering(known: Limits, location: str, **offers: Offer | None) -> Limits:
    """The limits with other offers of sizes in a region; None takes one out."""
    skus = {sku: one for sku, one in known.regions[location].skus.items() if offers.get(sku, 0) is not None}
    return changed(known, location, skus=skus | {sku: one for sku, one in offers.items() if one is not None})


def changed(known: Limits, location: str, **parts: Any) -> Limits:
    """The limits with other parts of one region."""
    region = known.regions.get(location, RegionLimits()).model_copy(update=parts)
    return known.model_copy(update={"regions": {**known.regions, location: region}})


def without(known: Limits, location: str) -> Limits:
    """The limits without a region."""
    return known.model_copy(update={"regions": {key: one for key, one in known.regions.items() if key != location}})
