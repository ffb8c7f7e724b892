"""What Azure offers by name: regions with the law they lie under, GPU sizes with what is in them. Data, no calls.

azure_facts.json holds the names, their source and its licence. No quotas, prices or stock: they change by the day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("azure_facts.json")


@dataclass(frozen=True, slots=True)
class AzureRegion:
    """A region: its continent, the law its data lie under, and whether it has availability zones (None: not known)."""

    continent: str
    residency: str
    zones: bool | None


@dataclass(frozen=True, slots=True)
class GpuSize:
    """A virtual machine size: the kind and number of its GPUs, and whether they have InfiniBand between machines."""

    gpu: str
    count: int
    infiniband: bool


@cache
def regions() -> dict[str, AzureRegion]:
    """Azure region name -> what is known of it."""
    return {name: AzureRegion(**facts) for name, facts in _facts()["regions"].items()}


@cache
def gpu_sizes() -> dict[str, GpuSize]:
    """Virtual machine size -> its GPUs."""
    return {name: GpuSize(**facts) for name, facts in _facts()["gpus"].items()}


@cache
def jurisdictions() -> frozenset[str]:
    """Every law that a region can lie under: US, EU, UK, JP, ..."""
    return frozenset(region.residency for region in regions().values())


@cache
def _facts() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))
