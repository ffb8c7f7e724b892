"""What keeps a resource from being deleted: the types that refer to it, and how Azure says so. Pure: a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.azure.rules.overlap import CLUSTER

LEARN = "https://learn.microsoft.com"


@dataclass(frozen=True, slots=True)
class Need:
    """Types of resources that keep another from being deleted, and how Azure says so."""

    types: tuple[str, ...]
    code: str
    status: int
    link: str


SUBNETS = f"{LEARN}/azure/virtual-network/virtual-network-manage-subnet#delete-a-subnet"
NEEDS: Mapping[str, Need] = {
    "Microsoft.Network/virtualNetworks/subnets": Need(("*",), "InUseSubnetCannotBeDeleted", 400, SUBNETS),
    "Microsoft.Network/networkSecurityGroups": Need(
        ("Microsoft.Network/virtualNetworks/subnets", "Microsoft.Network/virtualNetworks"),
        "InUseNetworkSecurityGroupCannotBeDeleted",
        400,
        f"{LEARN}/azure/virtual-network/manage-network-security-group",
    ),
    "Microsoft.Network/routeTables": Need(
        ("Microsoft.Network/virtualNetworks/subnets", "Microsoft.Network/virtualNetworks"),
        "InUseRouteTableCannotBeDeleted",
        400,
        f"{LEARN}/azure/virtual-network/manage-route-table",
    ),
    "Microsoft.Network/natGateways": Need(
        ("Microsoft.Network/virtualNetworks/subnets", "Microsoft.Network/virtualNetworks"),
        "InUseNatGatewayCannotBeDeleted",
        400,
        f"{LEARN}/azure/nat-gateway/manage-nat-gateway",
    ),
    "Microsoft.Network/publicIPAddresses": Need(
        (
            "Microsoft.Network/natGateways",
            "Microsoft.Network/azureFirewalls",
            "Microsoft.Network/bastionHosts",
            CLUSTER,
        ),
        "PublicIPAddressCannotBeDeleted",
        400,
        f"{LEARN}/azure/virtual-network/ip-services/virtual-network-public-ip-address",
    ),
    "Microsoft.Network/publicIPPrefixes": Need(
        ("Microsoft.Network/natGateways", "Microsoft.Network/publicIPAddresses"),
        "InUsePublicIpPrefixCannotBeDeleted",
        400,
        f"{LEARN}/azure/virtual-network/ip-services/manage-public-ip-address-prefix",
    ),
    "Microsoft.Network/firewallPolicies": Need(
        ("Microsoft.Network/azureFirewalls",),
        "FirewallPolicyInUse",
        400,
        f"{LEARN}/azure/firewall-manager/policy-overview",
    ),
    "Microsoft.Network/privateDnsZones": Need(
        (CLUSTER,),
        "InUsePrivateDnsZoneCannotBeDeleted",
        409,
        f"{LEARN}/azure/aks/private-clusters",
    ),
    "Microsoft.Network/privateLinkServices": Need(
        ("Microsoft.Network/privateEndpoints", "Microsoft.Cdn/profiles/originGroups/origins"),
        "CannotDeletePrivateLinkServiceWithPrivateEndpointConnections",
        409,
        f"{LEARN}/azure/private-link/private-link-service-overview",
    ),
    "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies": Need(
        ("Microsoft.Cdn/profiles/securityPolicies",),
        "WafPolicyInUse",
        409,
        f"{LEARN}/azure/web-application-firewall/afds/waf-front-door-create-portal",
    ),
    "Microsoft.Cdn/profiles/originGroups": Need(
        ("Microsoft.Cdn/profiles/afdEndpoints/routes", "Microsoft.Cdn/profiles/ruleSets/rules"),
        "BadRequest",
        400,
        f"{LEARN}/azure/frontdoor/origin",
    ),
    "Microsoft.Cdn/profiles/afdEndpoints": Need(
        ("Microsoft.Cdn/profiles/securityPolicies",),
        "BadRequest",
        400,
        f"{LEARN}/azure/frontdoor/how-to-configure-endpoints",
    ),
    "Microsoft.Cdn/profiles/customDomains": Need(
        ("Microsoft.Cdn/profiles/afdEndpoints/routes", "Microsoft.Cdn/profiles/securityPolicies"),
        "BadRequest",
        400,
        f"{LEARN}/azure/frontdoor/standard-premium/how-to-add-custom-domain",
    ),
    "Microsoft.Compute/diskEncryptionSets": Need(
        (CLUSTER,),
        "OperationNotAllowed",
        409,
        f"{LEARN}/azure/aks/azure-disk-customer-managed-keys",
    ),
    "Microsoft.Insights/dataCollectionEndpoints": Need(
        ("Microsoft.Insights/dataCollectionRules", "Microsoft.Insights/dataCollectionRuleAssociations"),
        "InUse",
        409,
        f"{LEARN}/azure/azure-monitor/essentials/data-collection-endpoint-overview",
    ),
    "Microsoft.Insights/dataCollectionRules": Need(
        ("Microsoft.Insights/dataCollectionRuleAssociations",),
        "AssociatedResourcesExist",
        400,
        f"{LEARN}/azure/azure-monitor/essentials/data-collection-rule-view",
    ),
    "Microsoft.DataProtection/backupVaults/backupPolicies": Need(
        ("Microsoft.DataProtection/backupVaults/backupInstances",),
        "UserErrorBackupPolicyInUse",
        400,
        f"{LEARN}/azure/backup/backup-vault-overview",
    ),
}
"""Type -> what keeps it."""
