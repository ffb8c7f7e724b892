"""What a resource provider does not change in place: paths by type, in ARM form. Pure: a table.

Sources: learn.microsoft.com, "az aks nodepool update" and the pages named below; for what Pulumi replaces, the property
flags of the ARM specifications (x-ms-mutability: read, create).
"""

from __future__ import annotations

from typing import Any

from infra.azure.resource_id import is_resource
from infra.azure.values import read

ALWAYS = frozenset({"location", "name"})
"""Of every resource: it would be another one."""

_POOL = (
    # learn.microsoft.com/azure/aks: create-node-pools#limitations (vmSize, maxPods), concepts-storage (osDiskSizeGB),
    # reliability-availability-zones-configure, spot-node-pool#limitations, use-node-public-ips, gpu-multi-instance,
    # enable-host-encryption, use-ultra-disks; of a reservation (use-capacity-reservation-groups) there is a preview
    # that changes it. The others: pulumi/pulumi-azure-native#3655.
    "vmSize", "osDiskType", "osDiskSizeGB", "osType", "availabilityZones", "vnetSubnetID", "podSubnetID", "maxPods",
    "scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice", "type", "enableNodePublicIP", "nodePublicIPPrefixID",
    "proximityPlacementGroupID", "capacityReservationGroupID", "hostGroupID", "gpuInstanceProfile", "gpuProfile.driver",
    "enableEncryptionAtHost", "enableUltraSSD", "kubeletDiskType", "kubeletConfig", "linuxOSConfig", "creationData",
    "workloadRuntime", "podIPAllocationMode",
)  # fmt: skip

_TABLE: dict[str, tuple[str, ...]] = {
    "Microsoft.ContainerService/managedClusters/agentPools": tuple(f"properties.{path}" for path in _POOL),
    # learn.microsoft.com/azure/aks: private-clusters, concepts-network, azure-disk-customer-managed-keys
    "Microsoft.ContainerService/managedClusters": (
        "properties.dnsPrefix", "properties.fqdnSubdomain", "properties.nodeResourceGroup", "properties.enableRBAC",
        "properties.diskEncryptionSetID", "properties.apiServerAccessProfile.enablePrivateCluster",
        "properties.apiServerAccessProfile.privateDNSZone", "properties.apiServerAccessProfile.subnetId",
        "properties.networkProfile.networkPlugin", "properties.networkProfile.podCidr",
        "properties.networkProfile.serviceCidr", "properties.networkProfile.dnsServiceIP",
        "properties.networkProfile.loadBalancerSku", "properties.linuxProfile.adminUsername",
        "properties.linuxProfile.ssh",
    ),
    "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings": ("properties.sourceResourceId",),
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": ("properties.remoteVirtualNetwork.id",),
    "Microsoft.Network/publicIPAddresses": (
        "sku.name", "sku.tier", "zones", "properties.publicIPAddressVersion", "properties.publicIPPrefix.id",
    ),
    "Microsoft.Network/publicIPPrefixes": (
        "sku.name", "zones", "properties.prefixLength", "properties.publicIPAddressVersion",
    ),
    "Microsoft.Network/natGateways": ("sku.name", "zones"),
    "Microsoft.Network/privateEndpoints": (
        "properties.subnet.id", "properties.privateLinkServiceConnections[*].properties.privateLinkServiceId",
        "properties.privateLinkServiceConnections[*].properties.groupIds",
    ),
    "Microsoft.Network/azureFirewalls": ("properties.sku.name",),
    "Microsoft.Network/firewallPolicies": ("properties.sku.tier",),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": ("properties.virtualNetwork.id",),
    "Microsoft.KeyVault/vaults": ("properties.tenantId", "properties.softDeleteRetentionInDays"),
    "Microsoft.KeyVault/vaults/keys": ("properties.kty", "properties.keySize", "properties.curveName"),
    "Microsoft.ContainerRegistry/registries": ("properties.zoneRedundancy",),
    "Microsoft.ContainerRegistry/registries/replications": ("properties.zoneRedundancy",),
    "Microsoft.Storage/storageAccounts": (
        "properties.isHnsEnabled", "properties.isNfsV3Enabled", "properties.encryption.requireInfrastructureEncryption",
        "properties.dnsEndpointType",
    ),
    "Microsoft.Compute/capacityReservationGroups": ("zones",),
    "Microsoft.Compute/capacityReservationGroups/capacityReservations": ("sku.name", "zones"),
    "Microsoft.Compute/diskEncryptionSets": ("properties.encryptionType",),
    "Microsoft.Authorization/roleAssignments": (
        "properties.principalId", "properties.roleDefinitionId", "properties.scope",
    ),
    "Microsoft.Cdn/profiles": ("sku.name",),
    "Microsoft.Cdn/profiles/customDomains": ("properties.hostName",),
    "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies": ("sku.name",),
    "Microsoft.DataProtection/backupVaults": (
        "properties.storageSettings[*].type", "properties.storageSettings[*].datastoreType",
    ),
    "Microsoft.DataProtection/backupVaults/backupPolicies": ("properties.datasourceTypes",),
    "Microsoft.DataProtection/backupVaults/backupInstances": ("properties.dataSourceInfo.resourceID",),
    "Microsoft.KubernetesConfiguration/extensions": ("properties.extensionType", "properties.scope"),
    "Microsoft.Insights/dataCollectionRules": ("kind",),
    "Microsoft.Insights/components": ("kind", "properties.Application_Type"),
    "Microsoft.Consumption/budgets": ("properties.category", "properties.timeGrain", "properties.timePeriod.startDate"),
}  # fmt: skip
CODES = {
    "properties.osDiskType": "CannotChangeOSDiskType",
    "properties.kubeletDiskType": "CannotChangeKubeletDisk",
    "properties.kubeletConfig": "CustomKubeletConfigOrCustomLinuxOSConfigCanNotBeChanged",
    "properties.linuxOSConfig": "CustomKubeletConfigOrCustomLinuxOSConfigCanNotBeChanged",
}
"""Codes that AKS has for some paths of a pool, where others have PropertyChangeNotAllowed."""
_LOWER = {type.lower(): paths for type, paths in _TABLE.items()}


def immutable(type: str) -> frozenset[str]:
    """Paths in ARM form (properties.vmSize, [*] for each element) that cannot be changed; location and name for all."""
    return ALWAYS | frozenset(_LOWER.get(type.lower(), ()))


def yields(type: str, path: str, before: Any, after: Any) -> bool:
    """Whether a path that cannot be changed in general is, from one body to another.

    learn.microsoft.com/azure/aks: private-clusters (a private DNS zone may be given up for the public name),
    api-server-vnet-integration (a subnet may be added, and then privacy comes and goes).
    """
    access = "properties.apiServerAccessProfile"
    if not type.lower().endswith("/managedclusters") or not path.startswith(access):
        return False
    if path.endswith(".privateDNSZone"):
        return str(read(after, path, "")).lower() == "none"
    integrated = read(after, f"{access}.enableVnetIntegration", False) is True
    if path.endswith(".subnetId"):
        return integrated and not read(before, path, "")
    return integrated and read(before, f"{access}.enableVnetIntegration", False) is True


def types() -> frozenset[str]:
    """The types that the table knows."""
    return frozenset(_TABLE)


def alike(old: Any, new: Any) -> bool:
    """Whether two values are one for ARM: ids without case, lists of plain values in any order."""
    if is_resource(old) and isinstance(new, str):
        return str(old).rstrip("/").lower() == new.rstrip("/").lower()
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(item, str) for item in old + new):
        return sorted(item.lower() for item in old) == sorted(item.lower() for item in new)
    if isinstance(old, str) and isinstance(new, str):
        return old.lower() == new.lower()
    return bool(old == new)
