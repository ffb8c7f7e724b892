"""One region of a fleet, put together: what its components are told and in which order they come. All of it lies in the
region, but for its secrets where Key Vault would copy them out of the residency group.

What other stacks need of it is exported as a contract with a version: the cluster, identities, subnets, and the origin
that the edge sends users to.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
from pulumi_azure_native import resources

from infra.blueprint.addresses import AddressPlan, plan
from infra.blueprint.egress import reaches
from infra.blueprint.maintenance import window
from infra.blueprint.origin import origin
from infra.blueprint.placement import backup_redundancy, log_sink, vault_location
from infra.components.alerts import Alerts, AlertsArgs, groups
from infra.components.backup import CONTAINER, Backup, BackupArgs
from infra.components.budget import Spending, SpendingArgs
from infra.components.cluster import Cluster, ClusterArgs
from infra.components.encryption import Encryption, EncryptionArgs
from infra.components.endpoint import Endpoint, EndpointArgs
from infra.components.firewall import Firewall, FirewallArgs
from infra.components.identity import Identities, IdentitiesArgs
from infra.components.logs import Logs, LogsArgs
from infra.components.metrics import Metrics, MetricsArgs
from infra.components.nat import Nat, NatArgs
from infra.components.network import Network, NetworkArgs
from infra.components.pools import Pools, PoolsArgs
from infra.components.program import Context, export
from infra.components.site import Site
from infra.components.store import Store, StoreArgs
from infra.components.upkeep import Upkeep, UpkeepArgs
from infra.components.vault import Vault, VaultArgs

RENDERED = Path(__file__).parents[2] / "dashboards" / "generated"


def build(context: Context) -> None:
    """Register everything of the region, and export what others need."""
    export(**RegionStack(context).exported())


class RegionStack:
    """The region of a stack; each step takes what it needs from those before it."""

    def __init__(self, context: Context) -> None:
        self._context, self._region = context, context.place()
        self._plan: AddressPlan = plan(self._region.address_space)
        self._sink = log_sink(context.fleet, self._region)
        base = context.lower("base")
        self._registry, self._action_group = base["registry_id"], base["action_group_id"]
        self._groups = {part: self._group(part) for part in ("", "data", "snapshots")}
        self._site = self._placed()
        self._foundation()
        self._secrets()
        self._cluster = self._made_cluster()
        self._machines()
        self._watch()
        self._keep()

    def exported(self) -> dict[str, Any]:
        """The contract with the stacks above."""
        found = origin(self._context.fleet, self._region, self._context.names)
        return {
            "cluster_id": self._cluster.id,
            "cluster_name": self._cluster.name,
            "resource_group": self._site.group,
            "oidc_issuer": self._cluster.issuer,
            "identities": self._identities.exported(),
            "vault_uri": self._vault.uri,
            "subnet_ids": self._network.subnets,
            "gateway_subnet": self._network.called("gateway"),
            "log_workspace_id": self._logs.workspace,
            "metrics_workspace_id": self._metrics.workspace,
            "pls_name": found.pls_name,
            "origin": asdict(found),
        }

    def _group(self, part: str) -> Any:
        """A group that is deleted takes all that is in it: what holds data is in groups that stay."""
        names, guarded = self._context.names, self._context.kept
        return resources.ResourceGroup(
            part or "main",
            resource_group_name=names.name("resource group", self._region.location, part),
            location=self._region.location,
            tags=dict(self._context.tags),
            opts=pulumi.ResourceOptions(protect=guarded, retain_on_delete=guarded and part != ""),
        )

    def _placed(self) -> Site:
        main, data = self._groups[""].name, self._groups["data"].name
        return Site(self._context.names, self._region.location, main, data, self._context.tags, self._context.kept)

    def _foundation(self) -> None:
        """Logs first, since everything sends some; then the network and who may use it."""
        site, region = self._site, self._region
        self._logs = Logs("logs", LogsArgs(site, self._sink))
        nat = Nat("nat", NatArgs(site, region.zones)).gateway if region.egress == "nat" else None
        self._network = Network("network", NetworkArgs(site, self._plan, region.egress, nat))
        self._out = self._firewall() if region.egress == "firewall" else []
        workloads = tuple(service.name for service in self._context.fleet.services)
        self._identities = Identities(
            "identities", IdentitiesArgs(site, workloads, self._groups[""].id, self._registry)
        )

    def _firewall(self) -> list[pulumi.Resource]:
        region, subnet = self._region, self._network.subnets["firewall"]
        reached = tuple(reaches(region))
        return Firewall(
            "firewall", FirewallArgs(self._site, self._plan, region.zones, subnet, reached, self._logs.workspace)
        ).ready

    def _secrets(self) -> None:
        site, azure, network = self._site, self._context.azure, self._network
        location = vault_location(self._context.fleet, self._region)
        readers = {name: one.principal_id for name, one in self._identities.workloads.items()}
        inside = {"subnet": network.subnets["endpoints"], "vnet": network.vnet}
        args = VaultArgs(site, location, azure.tenant, azure.admins, readers, workspace=self._logs.workspace, **inside)
        self._vault = Vault("vault", args)
        self._images = Endpoint("registry", EndpointArgs(site, "registry", self._registry, **inside))
        here = location == self._region.location
        keys = EncryptionArgs(site, self._vault.id, self._vault.name, self._identities.cluster.principal_id)
        self._encryption = Encryption("encryption", keys) if here else None

    def _made_cluster(self) -> Cluster:
        azure, region, who, disks = self._context.azure, self._region, self._identities, self._encryption
        ready = [*who.ready, *self._out, *self._images.ready, *(disks.ready if disks else ())]
        return Cluster(
            "cluster",
            ClusterArgs(
                site=self._site,
                plan=self._plan,
                version=azure.kubernetes,
                tenant=azure.tenant,
                admins=azure.admins,
                zones=region.zones,
                egress=region.egress,
                subnet=self._network.subnets["system"],
                identity=who.cluster.id,
                kubelet=who.kubelet,
                workspace=self._logs.workspace,
                disks=disks.id if disks else None,
                ready=ready,
            ),
        )

    def _machines(self) -> None:
        cluster, principal = self._cluster, self._identities.cluster.principal_id
        args = PoolsArgs(self._site, self._region, cluster.resource, cluster.name, principal, self._network.subnets)
        self._pools = Pools("pools", args)
        Upkeep("upkeep", UpkeepArgs(self._site, cluster.name, window(self._region)))

    def _watch(self) -> None:
        site, cluster, fleet = self._site, self._cluster, self._context.fleet
        self._metrics = Metrics("metrics", MetricsArgs(site, self._sink, cluster.id, self._logs.workspace))
        found = groups(RENDERED, fleet.name, self._region.name)
        workspace, told = self._metrics.workspace, self._action_group
        Alerts("alerts", AlertsArgs(site, self._sink, cluster.name, workspace, told, found))
        costs = [*(group.name for group in self._groups.values()), site.name("resource group", "nodes")]
        today = datetime.now(UTC).date()
        budget = fleet.budget
        Spending("spending", SpendingArgs(site, budget.monthly_usd, budget.alert_at, costs, told, today))

    def _keep(self) -> None:
        site, network, cluster = self._site, self._network, self._cluster
        redundancy, subnet = backup_redundancy(self._region), network.subnets["endpoints"]
        store = Store(
            "store", StoreArgs(site, "backup", CONTAINER, redundancy, subnet, network.vnet, self._logs.workspace)
        )
        args = BackupArgs(
            site=site,
            tenant=self._context.azure.tenant,
            redundancy=redundancy,
            store=store,
            cluster=cluster.id,
            cluster_name=cluster.name,
            principal=self._identities.cluster.principal_id,
            snapshots=self._groups["snapshots"],
            after=self._pools.last,
        )
        Backup("backup", args)
