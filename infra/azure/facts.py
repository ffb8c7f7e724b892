"""What Azure offers by name: regions and their law, sizes and what is in them, prices once seen. Data, no calls.

facts.json holds the names, their sources and licence. No quotas and no stock: they change by the day and are in
limits files (infra/preflight/limits.py). Prices are a seed with source and confidence, for what no limits file has a
newer one of.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

_FILE = Path(__file__).with_name("facts.json")


@dataclass(frozen=True, slots=True)
class AzureRegion:
    """A region: its continent, the law its data lie under, and whether it has availability zones (None: not known)."""

    continent: str
    residency: str
    zones: bool | None


@dataclass(frozen=True, slots=True)
class GpuSize:
    """A virtual machine size: its GPUs and what they need of a quota."""

    gpu: str
    count: int
    infiniband: bool  # between machines
    memory: int  # GB of one GPU
    vcpus: int
    family: str  # quota family as Azure spells it, without spaces
    arch: Literal["amd64", "arm64"]
    rack: int  # machines of one NVLink domain; 1 where each machine is one by itself
    reservable: bool | None = None  # False: a page says that no capacity of its series can be; None: it does not say


@dataclass(frozen=True, slots=True)
class CpuSize:
    """A virtual machine size without GPUs."""

    vcpus: int
    family: str


@dataclass(frozen=True, slots=True)
class SeenPrice:
    """US dollars an hour for one machine in one region, as a source had it."""

    source: str
    confidence: Literal["high", "medium", "low"]
    on_demand: float | None = None
    spot: float | None = None


@cache
def regions() -> dict[str, AzureRegion]:
    """Azure region name -> what is known of it."""
    return {name: AzureRegion(**facts) for name, facts in _facts()["regions"].items()}


@cache
def edge_regions() -> frozenset[str]:
    """The regions in which Front Door makes private endpoints; to an origin elsewhere it goes by one of these."""
    return frozenset(_facts()["edge_regions"])


@cache
def gpu_sizes() -> dict[str, GpuSize]:
    """Virtual machine size -> its GPUs."""
    return {name: GpuSize(**facts) for name, facts in _facts()["gpus"].items()}


@cache
def cpu_sizes() -> dict[str, CpuSize]:
    """Virtual machine size without GPUs -> what it needs of a quota."""
    return {name: CpuSize(**facts) for name, facts in _facts()["cpus"].items()}


def family_key(family: str) -> str:
    """A quota family in the one spelling that compares: SKU, usage and quota APIs differ in case and spaces."""
    return family.lower().replace(" ", "").removesuffix("vcpus")


def quota_of(sku: str) -> CpuSize | None:
    """What one machine of a size, with or without GPUs, needs of which quota; None for a size that we do not know."""
    found = gpu_sizes().get(sku) or cpu_sizes().get(sku)
    return found and CpuSize(found.vcpus, found.family)


@cache
def seen_prices() -> dict[str, dict[str, SeenPrice]]:
    """Virtual machine size -> Azure region -> the price that a source had."""
    sources = _facts()["price_sources"]
    return {
        sku: {place: SeenPrice(**{**seen, "source": sources[seen["source"]]}) for place, seen in places.items()}
        for sku, places in _facts()["prices"].items()
    }


@cache
def jurisdictions() -> frozenset[str]:
    """Every law that a region can lie under: US, EU, UK, JP, ..."""
    return frozenset(region.residency for region in regions().values())


@cache
def _facts() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))
