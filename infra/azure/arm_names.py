"""What ARM lets people call things, beyond what its types say: lengths and letters by type. Pure.

From "Naming rules and restrictions for Azure resources" (learn.microsoft.com); where a type is absent, no name may have
the characters that end a segment of an id.
"""

from __future__ import annotations

import re
from functools import cache

from infra.azure.node import Node, Text
from infra.azure.shape import entries, shape

LONGEST = 260  # characters of any name

_NETWORK = (1, 80, r"[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?")
_UUID = (36, 36, r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MONITOR = (1, 260, r"[^:<>+/&%\\?|#*{}]*[^:<>+/&%\\?|#*{} .]")
_COLLECTION = (3, 44, r"[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]")
_EDGE = (1, 260, r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?")
_ORIGIN = (1, 50, _EDGE[2])
_COMPUTE = (1, 80, r"[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?")
_ZONE = (1, 253, r"([a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?\.?")
_RECORD = (1, 253, r"@|(\*|[a-zA-Z0-9_-]+)(\.[a-zA-Z0-9_-]+)*")
_RECORD_TYPE = (1, 5, r"A|AAAA|CAA|CNAME|DS|MX|NAPTR|NS|PTR|SOA|SRV|TLSA|TXT")

_RULES: dict[str, tuple[int, int, str]] = {
    "Microsoft.Authorization/locks": (1, 90, r"[\w.()-]*[\w()-]"),
    "Microsoft.Authorization/policyAssignments": (1, 64, r"[^#<>%&:\\?/]*[^#<>%&:\\?/ .]"),
    "Microsoft.Authorization/roleAssignments": _UUID,
    "Microsoft.Authorization/roleDefinitions": _UUID,
    "Microsoft.Cdn/profiles/afdEndpoints": (1, 46, r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"),
    "Microsoft.Cdn/profiles/afdEndpoints/routes": _ORIGIN,
    "Microsoft.Cdn/profiles/customDomains": _EDGE,
    "Microsoft.Cdn/profiles/originGroups": _ORIGIN,
    "Microsoft.Cdn/profiles/originGroups/origins": _ORIGIN,
    "Microsoft.Cdn/profiles/ruleSets": (1, 60, r"[a-zA-Z][a-zA-Z0-9]*"),
    "Microsoft.Cdn/profiles/ruleSets/rules": (1, 260, r"[a-zA-Z][a-zA-Z0-9]*"),
    "Microsoft.Cdn/profiles/securityPolicies": _EDGE,
    "Microsoft.Compute/capacityReservationGroups": _COMPUTE,
    "Microsoft.Compute/capacityReservationGroups/capacityReservations": _COMPUTE,
    "Microsoft.Compute/diskEncryptionSets": (1, 80, r"[a-zA-Z0-9_-]+"),
    "Microsoft.Compute/proximityPlacementGroups": _COMPUTE,
    "Microsoft.Consumption/budgets": (1, 63, r"[a-zA-Z0-9_-]+"),
    "Microsoft.DataProtection/backupVaults": (2, 50, r"[a-zA-Z][a-zA-Z0-9-]*"),
    "Microsoft.DataProtection/backupVaults/backupPolicies": (3, 150, r"[a-zA-Z][a-zA-Z0-9-]*[a-zA-Z0-9]"),
    "Microsoft.Insights/actionGroups": _MONITOR,
    "Microsoft.Insights/activityLogAlerts": _MONITOR,
    "Microsoft.Insights/autoscalesettings": _MONITOR,
    "Microsoft.Insights/components": _MONITOR,
    "Microsoft.Insights/dataCollectionEndpoints": _COLLECTION,
    "Microsoft.Insights/dataCollectionRules": (3, 64, r"[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]"),
    "Microsoft.Insights/diagnosticSettings": _MONITOR,
    "Microsoft.Insights/metricAlerts": _MONITOR,
    "Microsoft.Kusto/clusters": (4, 22, r"[a-z][a-z0-9]*"),
    "Microsoft.ManagedIdentity/userAssignedIdentities": (3, 128, r"[a-zA-Z0-9][a-zA-Z0-9_-]*"),
    "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies": (1, 128, r"[a-zA-Z][a-zA-Z0-9]*"),
    "Microsoft.Network/applicationGateways": _NETWORK,
    "Microsoft.Network/applicationSecurityGroups": _NETWORK,
    "Microsoft.Network/azureFirewalls": (1, 56, _NETWORK[2]),
    "Microsoft.Network/bastionHosts": _NETWORK,
    "Microsoft.Network/ddosProtectionPlans": _NETWORK,
    "Microsoft.Network/dnsZones": _ZONE,
    "Microsoft.Network/dnsZones/A": _RECORD,
    "Microsoft.Network/dnsZones/{recordType}": _RECORD_TYPE,
    "Microsoft.Network/firewallPolicies": _NETWORK,
    "Microsoft.Network/firewallPolicies/ruleCollectionGroups": _NETWORK,
    "Microsoft.Network/ipGroups": _NETWORK,
    "Microsoft.Network/natGateways": _NETWORK,
    "Microsoft.Network/networkSecurityGroups": _NETWORK,
    "Microsoft.Network/networkWatchers": _NETWORK,
    "Microsoft.Network/networkWatchers/flowLogs": _NETWORK,
    "Microsoft.Network/privateDnsZones": _ZONE,
    "Microsoft.Network/privateDnsZones/A": _RECORD,
    "Microsoft.Network/privateDnsZones/{recordType}": _RECORD_TYPE,
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": _NETWORK,
    "Microsoft.Network/privateEndpoints": (2, 64, _NETWORK[2]),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": _NETWORK,
    "Microsoft.Network/privateLinkServices": _NETWORK,
    "Microsoft.Network/publicIPAddresses": _NETWORK,
    "Microsoft.Network/publicIPPrefixes": _NETWORK,
    "Microsoft.Network/routeTables": _NETWORK,
    "Microsoft.Network/trafficmanagerprofiles": (1, 63, r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?"),
    "Microsoft.Network/virtualHubs": _NETWORK,
    "Microsoft.Network/virtualNetworkGateways": _NETWORK,
    "Microsoft.Network/virtualNetworks": (2, 64, _NETWORK[2]),
    "Microsoft.Network/virtualNetworks/subnets": _NETWORK,
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": _NETWORK,
    "Microsoft.Network/virtualWans": _NETWORK,
    "Microsoft.RecoveryServices/vaults": (2, 50, r"[a-zA-Z][a-zA-Z0-9-]*"),
    "Microsoft.Resources/resourceGroups": (1, 90, r"[\w.()-]*[\w()-]"),
    "Microsoft.Synapse/workspaces": (1, 50, r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": (3, 63, r"\$root|\$web|[a-z0-9](-?[a-z0-9])*"),
    "Microsoft.Storage/storageAccounts/fileServices/shares": (3, 63, r"[a-z0-9](-?[a-z0-9])*"),
}
_ANY = (1, LONGEST, r"[^/\\?#%&<>\x00-\x1f]*[^/\\?#%&<>\x00-\x1f. ]")


@cache
def rules(type: str) -> tuple[Node, ...]:
    """All that a name of the type must satisfy: what the type itself states, and what is documented."""
    shortest, longest, pattern = _RULES.get(type, _ANY)
    return (*_stated().get(type, ()), Text(re.compile(f"^(?:{pattern})\\Z"), shortest, longest, False))


@cache
def _stated() -> dict[str, tuple[Node, ...]]:
    shapes = [shape(token, "inputs") for token in entries() if not token.startswith("arm:")]
    return {each.type: (each.name,) for each in shapes}
