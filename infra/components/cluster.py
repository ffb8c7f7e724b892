"""A region's Kubernetes cluster: private, Entra's groups for people, workload identity for pods, no password anywhere.

Only the system pool is inline, and the cluster is not asked about its pools again: AKS puts all pools in question when
one changes inside the cluster (azure-native issues 1808 and 4264), and the autoscaler changes their counts by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import containerservice

from infra.blueprint.addresses import AddressPlan
from infra.blueprint.cpu_pool import SYSTEM
from infra.blueprint.naming import pool as pool_name
from infra.components.diagnostics import diagnose
from infra.components.site import Site, hours

# Reads of the audit log are left out: they are nine tenths of it and cost as much (learn.microsoft.com, "Monitor AKS").
LOGS = (
    *("kube-apiserver", "kube-audit-admin", "guard", "kube-controller-manager", "kube-scheduler"),
    *("cluster-autoscaler", "cloud-controller-manager", "csi-azuredisk-controller"),
)

OUTBOUND = {"firewall": "userDefinedRouting", "nat": "userAssignedNATGateway"}

# A GPU machine takes 10 to 25 minutes from the order to a driver that answers, so it is not given back at once.
AUTOSCALER = {
    "expander": "priority",  # in the order of a ConfigMap of the platform stack: reserved, then spot, then on-demand
    "balance_similar_node_groups": "true",
    "scan_interval": "10s",
    "max_node_provision_time": "30m",
    "scale_down_delay_after_add": "20m",
    "scale_down_unneeded_time": "20m",
    "scale_down_utilization_threshold": "0.5",
    "max_graceful_termination_sec": "600",  # as long as an answer may stream
    "skip_nodes_with_local_storage": "false",  # the local disks hold caches only
    "skip_nodes_with_system_pods": "true",
}


@dataclass(frozen=True, slots=True)
class ClusterArgs:
    """What a cluster is made of."""

    site: Site
    plan: AddressPlan
    version: str
    tenant: str
    admins: str
    zones: tuple[int, ...]
    egress: str
    subnet: pulumi.Input[str]
    identity: pulumi.Input[str]
    kubelet: Any
    workspace: pulumi.Input[str]
    disks: pulumi.Input[str] | None
    """A disk encryption set of ours; else Azure's own keys."""
    ready: Sequence[pulumi.Resource]
    """What must be there before the first machine starts: its rights, its way out, its names."""


class Cluster(pulumi.ComponentResource):
    """The cluster, as `resource`; `id`, `name` and `issuer` are what others need."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Cluster", name, None, opts)
        self._args = args
        self.resource = self._cluster()
        self.id: pulumi.Output[str] = self.resource.id
        self.name: pulumi.Output[str] = self.resource.name
        self.issuer: pulumi.Output[str] = self.resource.oidc_issuer_profile.apply(_issuer)
        diagnose("cluster", self.id, args.workspace, self, LOGS)
        self.register_outputs({"id": self.id, "name": self.name, "issuer": self.issuer})

    def _cluster(self) -> Any:
        args, site = self._args, self._args.site
        return containerservice.ManagedCluster(
            "cluster",
            resource_name_=site.name("cluster"),
            dns_prefix=site.name("cluster"),
            kubernetes_version=args.version,
            sku={"name": "Base", "tier": "Standard"},  # with a promise of availability
            support_plan="KubernetesOfficial",
            identity={"type": "UserAssigned", "user_assigned_identities": [args.identity]},
            agent_pool_profiles=[self._system_pool()],
            disk_encryption_set_id=args.disks,
            node_resource_group=site.name("resource group", "nodes"),
            node_resource_group_profile={"restriction_level": "ReadOnly"},
            opts=self._options(),
            **self._access(),
            **self._network(),
            **self._upkeep(),
            **self._watch(),
            **site.placed(),
        )

    def _options(self) -> pulumi.ResourceOptions:
        ready = list(self._args.ready)
        ignored = ["agentPoolProfiles"]
        # 60 to 90 minutes for a create or an upgrade are nothing unusual.
        return self._args.site.guarded(self, depends_on=ready, ignore_changes=ignored, custom_timeouts=hours(2))

    def _system_pool(self) -> dict[str, Any]:
        """Without a security profile: AKS refuses that inside the cluster (the Terraform module's issue 196)."""
        args = self._args
        return {
            "name": pool_name(SYSTEM.name, 1),
            "mode": "System",
            "type": "VirtualMachineScaleSets",
            "vm_size": SYSTEM.sku,
            "count": SYSTEM.least,
            "min_count": SYSTEM.least,
            "max_count": SYSTEM.most,
            "enable_auto_scaling": True,
            "availability_zones": [str(zone) for zone in args.zones] or None,
            "os_type": "Linux",
            "os_sku": "Ubuntu",
            "os_disk_type": "Ephemeral",
            "os_disk_size_gb": 128,
            "max_pods": 110,
            "vnet_subnet_id": args.subnet,
            "enable_encryption_at_host": True,
            "enable_node_public_ip": False,
            "node_taints": ["CriticalAddonsOnly=true:NoSchedule"],
            "upgrade_settings": {"max_surge": "1", "drain_timeout_in_minutes": 30},
        }

    def _access(self) -> dict[str, Any]:
        """Who reaches the API server, and as whom."""
        args = self._args
        groups = {"admin_group_object_ids": [args.admins], "tenant_id": args.tenant}
        kubelet = {"resource_id": args.kubelet.id, "client_id": args.kubelet.client_id}
        return {
            "api_server_access_profile": {
                "enable_private_cluster": True,
                "enable_private_cluster_public_fqdn": False,
                "private_dns_zone": "system",
                "disable_run_command": True,  # a way around the network
            },
            "disable_local_accounts": True,
            "enable_rbac": True,
            "aad_profile": {"managed": True, "enable_azure_rbac": True, **groups},
            "identity_profile": {"kubeletidentity": {**kubelet, "object_id": args.kubelet.principal_id}},
            "oidc_issuer_profile": {"enabled": True},
        }

    def _network(self) -> dict[str, Any]:
        plan = self._args.plan
        return {
            "network_profile": {
                "network_plugin": "azure",
                "network_plugin_mode": "overlay",
                "network_dataplane": "cilium",
                "network_policy": "cilium",
                "pod_cidr": str(plan.pods),
                "service_cidr": str(plan.services),
                "dns_service_ip": str(plan.dns),
                "outbound_type": OUTBOUND[self._args.egress],
                "load_balancer_sku": "standard",
                "advanced_networking": {
                    "enabled": True,
                    "observability": {"enabled": True},
                    "security": {"enabled": True, "advanced_network_policies": "FQDN"},
                },
            }
        }

    def _upkeep(self) -> dict[str, Any]:
        """How it is kept up to date and in size; when, is said by its maintenance windows."""
        return {
            "auto_upgrade_profile": {"upgrade_channel": "patch", "node_os_upgrade_channel": "SecurityPatch"},
            "auto_scaler_profile": AUTOSCALER,
            "node_provisioning_profile": {"mode": "Manual"},  # not beside the autoscaler
            "storage_profile": {
                "disk_csi_driver": {"enabled": True},
                "file_csi_driver": {"enabled": True},
                "snapshot_controller": {"enabled": True},  # backups are made of snapshots
            },
        }

    def _watch(self) -> dict[str, Any]:
        """What watches over it, and what it is forbidden."""
        workspace = self._args.workspace
        return {
            "security_profile": {
                "workload_identity": {"enabled": True},
                "image_cleaner": {"enabled": True, "interval_hours": 48},
                "defender": {
                    "log_analytics_workspace_resource_id": workspace,
                    "security_monitoring": {"enabled": True},
                },
            },
            "azure_monitor_profile": {"metrics": {"enabled": True, "kube_state_metrics": {}}},
            "metrics_profile": {"cost_analysis": {"enabled": True}},
            "addon_profiles": _addons(workspace),
        }


def _addons(workspace: pulumi.Input[str]) -> dict[str, Any]:
    """Add-ons; their settings are text by AKS's own choice."""
    logs = {"logAnalyticsWorkspaceResourceID": workspace, "useAADAuth": "true"}
    return {
        "azurepolicy": {"enabled": True},
        "kubeDashboard": {"enabled": False},  # is off anyway; said, because reviewers and scanners ask
        "azureKeyvaultSecretsProvider": {
            "enabled": True,
            "config": {"enableSecretRotation": "true", "rotationPollInterval": "2m"},
        },
        "omsagent": {"enabled": True, "config": logs},
    }


def _issuer(profile: Any) -> str | None:
    if isinstance(profile, Mapping):
        return profile.get("issuer_url") or profile.get("issuerURL")
    return getattr(profile, "issuer_url", None)
