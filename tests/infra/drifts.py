"""Kinds of drift, as data: what somebody changes on one resource of a fleet outside of Pulumi, and how loud it is.

`path` is of the ARM body, as `Subscription.change` takes it; `property` is the same as Pulumi tells it. An empty path
deletes the resource. Every type here is in every fleet that ships, so that a test of the whole way can use them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.engine.drift import Loudness


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of drift."""

    name: str
    token: str
    type: str
    path: str
    value: Any
    loud: Loudness
    kind: str  # what explain calls it
    seen: bool = True  # whether the engine tells it: what a program ignores by intent is no drift

    @property
    def property(self) -> str:
        """The path as the typed SDK has it."""
        return self.path.replace("properties.", "") if self.token in LIFTED else self.path.removeprefix("properties.")


LIFTED = frozenset({"azure-native:network:NetworkSecurityGroup", "azure-native:network:VirtualNetwork"})
"""Types whose lists hold items with `properties` of their own, which the SDK lifts, too."""

CLUSTER = ("azure-native:containerservice:ManagedCluster", "Microsoft.ContainerService/managedClusters")
POOL = ("azure-native:containerservice:AgentPool", "Microsoft.ContainerService/managedClusters/agentPools")
VAULT = ("azure-native:keyvault:Vault", "Microsoft.KeyVault/vaults")
REGISTRY = ("azure-native:containerregistry:Registry", "Microsoft.ContainerRegistry/registries")
STORE = ("azure-native:storage:StorageAccount", "Microsoft.Storage/storageAccounts")
LOGS = ("azure-native:operationalinsights:Workspace", "Microsoft.OperationalInsights/workspaces")
SETTING = ("azure-native:monitor:DiagnosticSetting", "Microsoft.Insights/diagnosticSettings")
RULE = ("azure-native:monitor:DataCollectionRule", "Microsoft.Insights/dataCollectionRules")
BACKUPS = ("azure-native:dataprotection:BackupVault", "Microsoft.DataProtection/backupVaults")
INSTANCE = ("azure-native:dataprotection:BackupInstance", "Microsoft.DataProtection/backupVaults/backupInstances")
GROUP = ("azure-native:network:NetworkSecurityGroup", "Microsoft.Network/networkSecurityGroups")
NETWORK = ("azure-native:network:VirtualNetwork", "Microsoft.Network/virtualNetworks")
PROFILE = ("azure-native:cdn:Profile", "Microsoft.Cdn/profiles")
ORIGIN = ("azure-native:cdn:AFDOrigin", "Microsoft.Cdn/profiles/originGroups/origins")
ROUTE = ("azure-native:cdn:Route", "Microsoft.Cdn/profiles/afdEndpoints/routes")
FIREWALL = ("azure-native:frontdoor:Policy", "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies")
ROLE = ("azure-native:authorization:RoleAssignment", "Microsoft.Authorization/roleAssignments")
CALL = ("azure-native:monitor:ActionGroup", "Microsoft.Insights/actionGroups")
WINDOW = (
    "azure-native:containerservice:MaintenanceConfiguration",
    "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
)
BUDGET = ("azure-native:consumption:Budget", "Microsoft.Consumption/budgets")

ELSEWHERE = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/elsewhere/providers/"
    "Microsoft.OperationalInsights/workspaces/elsewhere"
)
OPEN = {
    "name": "anyone",
    "properties": {
        "priority": 150,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "22",
    },
}

KINDS = (
    Kind("the autoscaler adds machines", *POOL, "properties.count", 7, "benign", "machines came or went", seen=False),
    Kind("a policy adds a tag", *LOGS, "tags.cost-center", "4711", "benign", "a tag was added"),
    Kind(
        "a channel upgrades the cluster", *CLUSTER, "properties.kubernetesVersion", "1.35", "benign", "a newer version"
    ),
    Kind("a tag of ours is changed", *VAULT, "tags.managed-by", "portal", "ours", "a tag of the fleet was changed"),
    Kind("a pool is scaled by hand", *POOL, "properties.maxCount", 50, "ours", "a pool was given another range"),
    Kind(
        "pods are kept off a pool",
        *POOL,
        "properties.nodeTaints",
        ["later=true:NoSchedule"],
        "ours",
        "what runs on a pool was changed",
    ),
    Kind("nobody is called", *CALL, "properties.enabled", False, "ours", "an alert was changed or silenced"),
    Kind(
        "upgrades are switched off",
        *CLUSTER,
        "properties.autoUpgradeProfile.upgradeChannel",
        "none",
        "ours",
        "when things are upgraded was changed",
    ),
    Kind(
        "the autoscaler is made lazy",
        *CLUSTER,
        "properties.autoScalerProfile.scale-down-unneeded-time",
        "10h",
        "ours",
        "how it scales or what it promises was changed",
    ),
    Kind("the budget is raised", *BUDGET, "properties.amount", 1_000_000_000, "ours", "what it may cost was changed"),
    Kind("connections wait longer", *NETWORK, "properties.flowTimeoutInMinutes", 20, "ours", "changed by hand"),
    Kind("a window is deleted", *WINDOW, "", None, "ours", "deleted"),
    Kind(
        "passwords for the cluster",
        *CLUSTER,
        "properties.disableLocalAccounts",
        False,
        "dangerous",
        "security was weakened",
    ),
    Kind(
        "a public API server",
        *CLUSTER,
        "properties.apiServerAccessProfile.disableRunCommand",
        False,
        "dangerous",
        "security was weakened",
    ),
    Kind(
        "images are not cleaned",
        *CLUSTER,
        "properties.securityProfile.imageCleaner.enabled",
        False,
        "dangerous",
        "security was weakened",
    ),
    Kind(
        "a vault on the internet",
        *VAULT,
        "properties.publicNetworkAccess",
        "enabled",
        "dangerous",
        "security was weakened",
    ),
    Kind("a registry's password", *REGISTRY, "properties.adminUserEnabled", True, "dangerous", "security was weakened"),
    Kind("a port is opened", *GROUP, "properties.securityRules[0]", OPEN, "dangerous", "security was weakened"),
    Kind(
        "a subnet without its guard",
        *NETWORK,
        "properties.subnets[0].properties.networkSecurityGroup",
        None,
        "dangerous",
        "security was weakened",
    ),
    Kind("keys for storage", *STORE, "properties.allowSharedKeyAccess", True, "dangerous", "security was weakened"),
    Kind("storage is copied abroad", *STORE, "sku.name", "Standard_GRS", "dangerous", "data are led elsewhere"),
    Kind("logs go elsewhere", *SETTING, "properties.workspaceId", ELSEWHERE, "dangerous", "data are led elsewhere"),
    Kind("metrics are not collected", *RULE, "properties.dataFlows", [], "dangerous", "records were switched off"),
    Kind("logs are kept shorter", *LOGS, "properties.retentionInDays", 7, "dangerous", "records were switched off"),
    Kind(
        "backups can be deleted",
        *BACKUPS,
        "properties.securitySettings.softDeleteSettings.state",
        "Off",
        "dangerous",
        "backups were weakened",
    ),
    Kind("a region is drained", *ORIGIN, "properties.enabledState", "Disabled", "dangerous", "users are led elsewhere"),
    Kind(
        "answers are cached",
        *ROUTE,
        "properties.cacheConfiguration",
        {"queryStringCachingBehavior": "IgnoreQueryString"},
        "dangerous",
        "data are led elsewhere",
    ),
    Kind(
        "the firewall only watches",
        *FIREWALL,
        "properties.policySettings.mode",
        "Detection",
        "dangerous",
        "security was weakened",
    ),
    Kind(
        "addresses are logged",
        *PROFILE,
        "properties.logScrubbing.state",
        "Disabled",
        "dangerous",
        "security was weakened",
    ),
    Kind("logs are no longer sent", *SETTING, "", None, "dangerous", "a guard was deleted"),
    Kind("a right is taken away", *ROLE, "", None, "dangerous", "a guard was deleted"),
    Kind("an origin is deleted", *ORIGIN, "", None, "dangerous", "a running part was deleted"),
    Kind("the backup of the cluster ends", *INSTANCE, "", None, "dangerous", "deleted with its data"),
)
"""Thirty-three kinds. `value` None takes a property out."""
