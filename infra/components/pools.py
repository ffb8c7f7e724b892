"""A region's node pools: each an agent pool of its own, made one after the other.

AKS answers 409 to a second pool operation in a cluster (AKS issues 1913 and 2720), so each pool waits for the one
before it. The next generation of a pool is a resource of its own: the new pool is made, and then the old one deleted,
for which AKS drains it. Counts are the autoscaler's after the first one, which AKS wants (azure-native issue 2943); a
replace would begin with the old count, since what is ignored is ignored there, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import containerservice, resources

from infra.blueprint.addresses import subnet_of
from infra.blueprint.cpu_pool import PLATFORM
from infra.blueprint.naming import pool as pool_name
from infra.blueprint.node_pool import API_VERSION, PODS, Berth, agent_pool, reserved
from infra.components.reservation import Reservation, ReservationArgs
from infra.components.site import Site, hours
from infra.region import Pool, Region


@dataclass(frozen=True, slots=True)
class PoolsArgs:
    """What the pools of a region are made of."""

    site: Site
    region: Region
    cluster: pulumi.Resource
    cluster_name: pulumi.Output[str]
    principal: pulumi.Input[str]
    """The cluster's, which draws on what is reserved."""
    subnets: dict[str, pulumi.Output[str]]


class Pools(pulumi.ComponentResource):
    """The pools; what changes the cluster after them waits for `last`."""

    def __init__(self, name: str, args: PoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Pools", name, None, opts)
        self._args = args
        self.last: pulumi.Resource = self._platform()
        for pool in args.region.pools:
            self.last = self._gpu(pool, self.last)
        self.register_outputs({"pools": [pool_name(pool.name, pool.generation) for pool in args.region.pools]})

    def _gpu(self, pool: Pool, before: pulumi.Resource) -> pulumi.Resource:
        held = self._held(pool)
        berth = Berth(self._args.subnets[subnet_of(pool.purpose)], held.group if held else None)
        made: pulumi.Resource = resources.Resource(
            f"pool-{pool_name(pool.name, pool.generation)}",
            # The typed resource is of an API version without artifact streaming.
            api_version=API_VERSION,
            resource_provider_namespace="Microsoft.ContainerService",
            parent_resource_path=self._args.cluster_name.apply(lambda cluster: f"managedClusters/{cluster}"),
            resource_type="agentPools",
            resource_name_=pool_name(pool.name, pool.generation),
            resource_group_name=self._args.site.group,
            properties=agent_pool(pool, self._args.region, berth),
            opts=self._options([before, *(held.ready if held else ())], "properties.count"),
        )
        return made

    def _held(self, pool: Pool) -> Reservation | None:
        machines = reserved(pool, self._args.region)
        if not machines:
            return None
        args = ReservationArgs(self._args.site, pool.name, pool.sku, machines, self._args.principal)
        return Reservation(f"reserved-{pool.name}", args, pulumi.ResourceOptions(parent=self))

    def _platform(self) -> pulumi.Resource:
        """For the systems around the services: gateway, metrics, queues. Nothing of theirs runs on GPU machines."""
        made: pulumi.Resource = containerservice.AgentPool(
            f"pool-{pool_name(PLATFORM.name, 1)}",
            agent_pool_name=pool_name(PLATFORM.name, 1),
            resource_name_=self._args.cluster_name,
            resource_group_name=self._args.site.group,
            opts=self._options([self._args.cluster], "count"),
            **_platform_machines(self._args),
        )
        return made

    def _options(self, before: Sequence[pulumi.Resource], count: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, depends_on=list(before), ignore_changes=[count], custom_timeouts=hours(1)
        )


def _platform_machines(args: PoolsArgs) -> dict[str, Any]:
    return {
        "mode": "User",
        "type": "VirtualMachineScaleSets",
        "vm_size": PLATFORM.sku,
        "count": PLATFORM.least,
        "min_count": PLATFORM.least,
        "max_count": PLATFORM.most,
        "enable_auto_scaling": True,
        "availability_zones": [str(zone) for zone in args.region.zones] or None,
        "os_type": "Linux",
        "os_sku": "Ubuntu",
        "os_disk_type": "Ephemeral",
        "os_disk_size_gb": 128,
        "max_pods": PODS,
        "vnet_subnet_id": args.subnets["system"],
        "enable_encryption_at_host": True,
        "enable_node_public_ip": False,
        "security_profile": {"ssh_access": "Disabled"},
        "node_labels": {"bellwether/pool": PLATFORM.name, "bellwether/purpose": "platform"},
        "upgrade_settings": {"max_surge": "1", "drain_timeout_in_minutes": 30, "undrainable_node_behavior": "Cordon"},
    }
