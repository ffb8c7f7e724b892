"""Machines without GPUs that every region has."""

from __future__ import annotations

from infra.azure.facts import cpu_sizes, family_key
from infra.blueprint.cpu_pool import CPU_POOLS, SYSTEM


def test_sizes_are_what_azure_says_of_them() -> None:
    for pool in CPU_POOLS:
        size = cpu_sizes()[pool.sku]
        assert (pool.vcpus, pool.family) == (size.vcpus, family_key(size.family))


def test_there_is_a_machine_for_each_zone_and_the_system_pool_is_the_first() -> None:
    assert CPU_POOLS[0] is SYSTEM and all(3 <= pool.least <= pool.most for pool in CPU_POOLS)
