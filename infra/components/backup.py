"""Backups of a region's cluster: every four hours as snapshots, the first of each day in a vault, all in the region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import containerservice, dataprotection, kubernetesconfiguration

from infra.components.grant import Grant, grant
from infra.components.schedule import DATASOURCE, policy_rules
from infra.components.site import Site
from infra.components.store import Store

CONTAINER = "backups"


@dataclass(frozen=True, slots=True)
class BackupArgs:
    """What the backup of a cluster is made of."""

    site: Site
    tenant: str
    redundancy: str
    store: Store
    cluster: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    principal: pulumi.Input[str]
    """The cluster's, which makes the snapshots."""
    snapshots: Any
    """The resource group that snapshots lie in: nothing else does, since the cluster may do everything in it."""
    after: pulumi.Resource
    """The last pool: the extension runs on machines, and the cluster takes one change at a time."""


class Backup(pulumi.ComponentResource):
    """The backup vault with its policy, and the cluster as what is backed up."""

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Backup", name, None, opts)
        self._args = args
        self._vault = self._made_vault()
        policy = self._policy()
        extension = self._extension()
        trusted = self._trusted(extension)
        ready = [trusted, *self._grants(extension)]
        self._instance(policy, ready)
        self.register_outputs({"vault": self._vault.id})

    def _made_vault(self) -> Any:
        site = self._args.site
        return dataprotection.BackupVault(
            "backup",
            vault_name=site.name("backup vault"),
            identity={"type": "SystemAssigned"},
            properties={
                "storage_settings": [{"datastore_type": "VaultStore", "type": self._args.redundancy}],
                "security_settings": {
                    "soft_delete_settings": {"state": "On", "retention_duration_in_days": 14},
                    "immutability_settings": {"state": "Unlocked"},
                },
                "monitoring_settings": {
                    "azure_monitor_alert_settings": {"alerts_for_all_job_failures": "Enabled"},
                },
                "feature_settings": {"cross_subscription_restore_settings": {"state": "Disabled"}},
            },
            opts=site.holding(self),
            **site.placed(data=True),
        )

    def _policy(self) -> Any:
        return dataprotection.BackupPolicy(
            "backup-policy",
            backup_policy_name=self._args.site.name("backup policy"),
            vault_name=self._vault.name,
            resource_group_name=self._args.site.data,
            properties={
                "object_type": "BackupPolicy",
                "datasource_types": [DATASOURCE],
                "policy_rules": policy_rules(),
            },
            opts=self._args.site.holding(self),
        )

    def _extension(self) -> Any:
        args = self._args
        settings = {
            "configuration.backupStorageLocation.bucket": CONTAINER,
            "configuration.backupStorageLocation.config.subscriptionId": args.site.names.subscription,
            "configuration.backupStorageLocation.config.resourceGroup": args.site.data,
            "configuration.backupStorageLocation.config.storageAccount": args.store.name,
            "configuration.backupStorageLocation.config.useAAD": "true",  # there is no account key
            "credentials.tenantId": args.tenant,
        }
        return kubernetesconfiguration.Extension(
            "backup-extension",
            extension_name="azure-aks-backup",
            extension_type="microsoft.dataprotection.kubernetes",
            cluster_rp="Microsoft.ContainerService",
            cluster_resource_name="managedClusters",
            cluster_name=args.cluster_name,
            resource_group_name=args.site.group,
            auto_upgrade_minor_version=True,
            release_train="stable",
            scope={"cluster": {"release_namespace": "dataprotection-microsoft"}},
            configuration_settings=settings,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.after, *args.store.ready]),
        )

    def _trusted(self, extension: pulumi.Resource) -> pulumi.Resource:
        binding: pulumi.Resource = containerservice.TrustedAccessRoleBinding(
            "backup-access",
            trusted_access_role_binding_name="backup",
            resource_name_=self._args.cluster_name,
            resource_group_name=self._args.site.group,
            source_resource_id=self._vault.id,
            roles=["Microsoft.DataProtection/backupVaults/backup-operator"],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[extension]),
        )
        return binding

    def _grants(self, extension: Any) -> list[pulumi.Resource]:
        """Who needs what (learn.microsoft.com, "AKS backup prerequisites")."""
        args, vault = self._args, self._vault.identity.principal_id
        snapshots, writer = args.snapshots.id, extension.aks_assigned_identity.principal_id
        given = {
            "extension-writes": Grant("Storage Blob Data Contributor", args.store.id, writer),
            "vault-reads-cluster": Grant("Reader", args.cluster, vault),
            "vault-reads-snapshots": Grant("Reader", snapshots, vault),
            "vault-copies-snapshots": Grant("Disk Snapshot Contributor", snapshots, vault),
            "vault-moves-disks": Grant("Data Operator for Managed Disks", snapshots, vault),
            "vault-reads-blobs": Grant("Storage Blob Data Contributor", args.store.id, vault),
            "cluster-makes-snapshots": Grant("Contributor", snapshots, args.principal),
        }
        return [grant(name, args.site, one, self) for name, one in given.items()]

    def _instance(self, policy: Any, ready: list[pulumi.Resource]) -> None:
        args, cluster = self._args, self._args.site.name("cluster")
        source = {
            "object_type": "Datasource",
            "datasource_type": DATASOURCE,
            "resource_id": args.cluster,
            "resource_location": args.site.location,
            "resource_name": cluster,
            "resource_type": DATASOURCE,
            "resource_uri": args.cluster,
        }
        dataprotection.BackupInstance(
            "backup-instance",
            backup_instance_name=cluster,
            vault_name=self._vault.name,
            resource_group_name=args.site.data,
            properties={
                "object_type": "BackupInstance",
                "friendly_name": cluster,
                "data_source_info": source,
                "data_source_set_info": {**source, "object_type": "DatasourceSet"},
                "policy_info": {"policy_id": policy.id, "policy_parameters": self._parameters()},
            },
            tags=dict(args.site.tags),
            opts=args.site.holding(self, depends_on=ready),
        )

    def _parameters(self) -> dict[str, Any]:
        what = {
            "object_type": "KubernetesClusterBackupDatasourceParameters",
            "include_cluster_scope_resources": True,
            "snapshot_volumes": True,
        }
        where = {
            "object_type": "AzureOperationalStoreParameters",
            "data_store_type": "OperationalStore",
            "resource_group_id": self._args.snapshots.id,
        }
        return {"backup_datasource_parameters_list": [what], "data_store_parameters_list": [where]}
