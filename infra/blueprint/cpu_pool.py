"""Machines without GPUs that every region has: for Kubernetes itself, and for the systems around the services. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CpuPool:
    """A pool of a region that is in no fleet file: what it is made of, how many, and the quota family it draws on."""

    name: str
    sku: str
    vcpus: int
    family: str  # normalised: lower case, no spaces
    least: int
    most: int


# Sizes with a local disk of 300 and 600 GiB, so that the operating system's disk is ephemeral (learn.microsoft.com,
# "Ddsv5 sizes series"). Three machines: one in each zone (learn.microsoft.com, "Use system node pools in AKS").
SYSTEM = CpuPool("system", "Standard_D8ds_v5", 8, "standardddsv5family", 3, 6)
PLATFORM = CpuPool("platform", "Standard_D16ds_v5", 16, "standardddsv5family", 3, 12)

CPU_POOLS = (SYSTEM, PLATFORM)
"""Every region's, in the order they are made; the first one is the cluster's system pool."""
