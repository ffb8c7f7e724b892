"""Which pool the cluster autoscaler grows first: what is paid for anyway, then what is cheap, then the rest. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from infra.blueprint.naming import pool as pool_name
from infra.region import Pool

# The expander takes the highest number (kubernetes/autoscaler, cluster-autoscaler/expander/priority).
RANK = {"reserved": 30, "spot": 20, "on-demand": 10}
OTHERS = 1  # pools that no pattern names, such as the system pool


def ranks(pools: Iterable[Pool]) -> dict[int, list[str]]:
    """Priority -> patterns of pool names, the highest first. A pool that asked for no spot machines never gets them."""
    found: dict[int, list[str]] = {}
    for pool in pools:
        # AKS calls a pool's scale set aks-<pool>-<number>-vmss.
        found.setdefault(RANK[pool.priority], []).append(f"^aks-{pool_name(pool.name, pool.generation)}-.*$")
    return {rank: found[rank] for rank in sorted(found, reverse=True)} | {OTHERS: [".*"]}
