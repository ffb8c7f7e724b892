"""What AKS refuses of system pools, which carry what Kubernetes itself needs. Pure."""

from __future__ import annotations

import re
from typing import Any

from infra.azure.facts import quota_of
from infra.azure.refusal import ArmError, refuse
from infra.azure.rules.pool import BOTH, after, asked
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.world import World

AKS = "https://learn.microsoft.com/azure/aks"
SYSTEM = f"{AKS}/use-system-pools"


@rule("pool.system-linux", BOTH, SYSTEM)
def system_pool_is_linux(request: Request, world: World) -> ArmError | None:
    """A system pool runs Linux."""
    for pool in asked(request):
        if pool.system and pool.read("osType", "Linux") != "Linux":
            return refuse("SystemPoolMustBeLinux", f"System node pool '{pool.name}' must run Linux.")
    return None


@rule("pool.system-regular", BOTH, SYSTEM)
def system_pool_is_regular(request: Request, world: World) -> ArmError | None:
    """A system pool is no spot pool."""
    for pool in asked(request):
        if pool.system and pool.spot:
            return refuse("SystemPoolMustBeRegular", f"System node pool '{pool.name}' cannot use spot machines.")
    return None


@rule("pool.system-size", BOTH, SYSTEM)
def system_pool_has_room(request: Request, world: World) -> ArmError | None:
    """A system pool has machines with at least 2 virtual processors.

    The page asks for 4, and for no B series; Azure refuses less than 2 (MicrosoftDocs/azure-dev-docs#213) and takes 2
    (MicrosoftDocs/azure-docs#121181), as many examples of the same documentation do.
    """
    for pool in asked(request):
        if pool.system and (size := _vcpus(pool.read("vmSize", ""))) and size < 2:
            what = (
                f"System node pool must use VM sku with more than 2 cores and 4GB memory. Nodepool name: {pool.name}."
            )
            return refuse("SystemPoolSkuTooLow", what)
    return None


@rule("pool.system-pods", BOTH, SYSTEM)
def system_pool_has_pods(request: Request, world: World) -> ArmError | None:
    """A system pool takes at least 30 pods on each machine."""
    for pool in asked(request):
        if pool.system and pool.read("maxPods", 30) < 30:
            return refuse("InsufficientMaxPods", f"maxPods of system node pool '{pool.name}' must be at least 30.")
    return None


@rule("pool.system-machines", BOTH, SYSTEM)
def system_pool_has_a_machine(request: Request, world: World) -> ArmError | None:
    """A system pool always has at least one machine.

    The page asks for two; Azure takes one (MicrosoftDocs/azure-docs#121181), as examples of the same documentation do.
    """
    for pool in asked(request):
        least = pool.read("minCount" if pool.read("enableAutoScaling", False) else "count", 1)
        if pool.system and least < 1:
            return refuse("InvalidParameter", f"System node pool '{pool.name}' must have at least one machine.")
    return None


@rule("pool.one-system", BOTH, "https://github.com/kubernetes-sigs/cluster-api-provider-azure/pull/2717")
def cluster_has_a_system_pool(request: Request, world: World) -> ArmError | None:
    """A cluster has at least one system pool, at its creation and after each change of a pool."""
    if any(pool.system for pool in after(request, world)):
        return None
    return refuse("InvalidParameter", "There has to be at least one system node pool in the cluster.")


def _vcpus(size: Any) -> int | None:
    """Virtual processors of a size, from the facts or from its name (Standard_B1s: 1)."""
    known = quota_of(str(size))
    named = re.match(r"Standard_[A-Z]+(\d+)", str(size))
    return known.vcpus if known else int(named[1]) if named else None
