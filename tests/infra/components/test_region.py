"""What a region must have, row by row, asserted on what would be sent to Azure: in every fleet, wherever it applies."""

from __future__ import annotations

import pytest

from infra.blueprint.egress import reaches
from infra.blueprint.maintenance import window
from infra.blueprint.naming import Naming
from infra.blueprint.origin import origin
from infra.blueprint.placement import vault_location
from infra.fleet import Fleet
from infra.region import Region
from tests.infra.components.rendered import FEATURES, Rendered, render, scope
from tests.infra.components.rows import PLACES, Row, Where, cases, everywhere

AKS = "Microsoft.ContainerService/managedClusters"
NETWORK = "Microsoft.Network"


def private_api_server(made: Rendered) -> None:
    profile = made.cluster["apiServerAccessProfile"]
    assert profile["enablePrivateCluster"] and not profile["enablePrivateClusterPublicFQDN"]
    assert profile["disableRunCommand"] and "authorizedIPRanges" not in profile


def entra_rbac_and_no_local_accounts(made: Rendered) -> None:
    assert made.cluster["disableLocalAccounts"] is True
    azure, profile = made.fleet.azure, made.cluster["aadProfile"]
    assert azure is not None
    assert profile["managed"] and profile["enableAzureRBAC"] and profile["adminGroupObjectIDs"] == [azure.admins]
    assert profile["tenantID"] == azure.tenant
    assert "linuxProfile" not in made.cluster and "servicePrincipalProfile" not in made.cluster


def workload_identity(made: Rendered) -> None:
    assert made.cluster["oidcIssuerProfile"] == {"enabled": True}
    assert made.cluster["securityProfile"]["workloadIdentity"] == {"enabled": True}
    identities = made.outputs["identities"]
    assert identities.keys() == {one.name for one in made.fleet.services if made.place.pool(one.pool)}
    readers = {one.body["properties"]["principalId"]: scope(one) for one in made.granted("Key Vault Secrets User")}
    for identity in identities.values():
        assert set(identity) == {"id", "name", "client_id", "principal_id"} and made.outputs["oidc_issuer"]
        assert readers[identity["principal_id"]] == made.one("Microsoft.KeyVault/vaults").id


def overlay_network(made: Rendered) -> None:
    profile = made.cluster["networkProfile"]
    assert (profile["networkPlugin"], profile["networkPluginMode"]) == ("azure", "overlay")
    assert (profile["podCidr"], profile["serviceCidr"]) == ("100.64.0.0/11", "100.96.0.0/16")


def cilium_dataplane(made: Rendered) -> None:
    profile = made.cluster["networkProfile"]
    assert profile["networkDataplane"] == profile["networkPolicy"] == "cilium"
    assert profile["advancedNetworking"] == {
        "enabled": True,
        "observability": {"enabled": True},
        "security": {"enabled": True, "advancedNetworkPolicies": "FQDN"},
    }


OUTWARD = {"system", "serving", "training", "operations"}
"""The subnets from which anything may leave."""


def egress_through_a_firewall(made: Rendered) -> None:
    assert made.cluster["networkProfile"]["outboundType"] == "userDefinedRouting"
    (route,) = made.properties(f"{NETWORK}/routeTables")["routes"]
    assert route["properties"]["addressPrefix"] == "0.0.0.0/0"
    assert route["properties"]["nextHopType"] == "VirtualAppliance"
    assert route["properties"]["nextHopIpAddress"] == str(made.place.address_space[4])
    table = {"id": made.one(f"{NETWORK}/routeTables").id}
    assert {name.split("-")[2] for name, one in made.subnets.items() if one.get("routeTable") == table} == OUTWARD
    firewall = made.properties(f"{NETWORK}/azureFirewalls")
    assert firewall["sku"]["tier"] == "Premium"
    assert made.one(f"{NETWORK}/azureFirewalls").id in made.waited_for(made.one(AKS))
    assert not made.all(f"{NETWORK}/natGateways")


def names_that_the_firewall_lets_pass(made: Rendered) -> None:
    """A list, and nothing beside it: what is on no list is refused."""
    policy = made.properties(f"{NETWORK}/firewallPolicies")
    assert policy["threatIntelMode"] == policy["intrusionDetection"]["mode"] == "Deny"
    allowed = made.one(f"{NETWORK}/firewallPolicies/ruleCollectionGroups")
    assert allowed.id in made.waited_for(made.one(AKS))
    names, time = allowed.body["properties"]["ruleCollections"]
    assert names["action"] == time["action"] == {"type": "Allow"}
    found = {rule["name"]: rule.get("targetFqdns") or rule["fqdnTags"] for rule in names["rules"]}
    assert found == {one.name: [one.tag] if one.tag else list(one.hosts) for one in reaches(made.place)}
    assert [rule["destinationPorts"] for rule in time["rules"]] == [["123"]]
    sources = {source for rule in (*names["rules"], *time["rules"]) for source in rule["sourceAddresses"]}
    assert sources == {one["addressPrefix"] for one in made.subnets.values() if "routeTable" in one}


def egress_through_nat(made: Rendered) -> None:
    assert made.cluster["networkProfile"]["outboundType"] == "userAssignedNATGateway"
    gateway = {"id": made.one(f"{NETWORK}/natGateways").id}
    assert {name.split("-")[2] for name, one in made.subnets.items() if one.get("natGateway") == gateway} == OUTWARD
    (prefix,) = made.properties(f"{NETWORK}/natGateways")["publicIpPrefixes"]
    assert prefix == {"id": made.one(f"{NETWORK}/publicIPPrefixes").id}
    assert gateway["id"] in made.waited_for(made.one(AKS))
    assert not made.all(f"{NETWORK}/azureFirewalls") and not made.all(f"{NETWORK}/routeTables")


def zonal_system_pool(made: Rendered) -> None:
    (system,) = made.cluster["agentPoolProfiles"]
    assert (system["mode"], system["availabilityZones"]) == ("System", [str(zone) for zone in made.place.zones])
    assert system["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"] and system["count"] >= 3
    assert system["enableAutoScaling"] and system["minCount"] >= 3
    assert system["vnetSubnetID"] == made.outputs["subnet_ids"]["system"]


def autoscaler_with_priorities(made: Rendered) -> None:
    profile = made.cluster["autoScalerProfile"]
    assert profile["expander"] == "priority" and profile["max-node-provision-time"] == "30m"
    assert made.cluster["nodeProvisioningProfile"] == {"mode": "Manual"}


def images_from_the_registry_next_door(made: Rendered) -> None:
    (pulls,) = made.granted("AcrPull")
    registry = scope(pulls)
    assert "/Microsoft.ContainerRegistry/registries/" in registry and made.recorder.azure.read(registry)
    assert (registry, "registry") in made.endpoints


def key_vault_and_its_driver(made: Rendered) -> None:
    vault = made.properties("Microsoft.KeyVault/vaults")
    assert vault["enableRbacAuthorization"] and vault["enablePurgeProtection"] and vault["enableSoftDelete"]
    assert vault["publicNetworkAccess"].lower() == "disabled" and vault["networkAcls"]["defaultAction"] == "Deny"
    assert (made.one("Microsoft.KeyVault/vaults").id, "vault") in made.endpoints
    driver = made.cluster["addonProfiles"]["azureKeyvaultSecretsProvider"]
    assert driver["enabled"] and driver["config"]["enableSecretRotation"] == "true"


def keys_of_our_own_for_disks(made: Rendered) -> None:
    disks = made.one("Microsoft.Compute/diskEncryptionSets")
    assert made.cluster["diskEncryptionSetID"] == disks.id
    assert made.properties("Microsoft.KeyVault/vaults/keys")["kty"] == "RSA-HSM"
    (uses,) = made.granted("Key Vault Crypto Service Encryption User")
    assert uses.id in made.waited_for(made.one(AKS))


def managed_prometheus_and_rules(made: Rendered) -> None:
    assert made.cluster["azureMonitorProfile"]["metrics"]["enabled"] is True
    workspace = made.one("Microsoft.Monitor/accounts").id
    rules = made.all("Microsoft.Insights/dataCollectionRules")
    sinks = [one.body["properties"]["destinations"].get("monitoringAccounts") for one in rules]
    assert [{"name": "metrics", "accountResourceId": workspace}] in sinks
    associated = made.all("Microsoft.Insights/dataCollectionRuleAssociations")
    assert len(associated) == 3 and all(one.id.startswith(made.one(AKS).id) for one in associated)
    group = made.properties("Microsoft.AlertsManagement/prometheusRuleGroups")
    assert group["scopes"] == [workspace] and group["clusterName"] == made.one(AKS).name and group["enabled"]
    assert {"ClusterMetricsAbsent", "GpuNotAllocatable"} <= {rule["alert"] for rule in group["rules"]}
    assert all(rule["enabled"] and rule["actions"][0]["actionGroupId"] for rule in group["rules"])


def maintenance_windows(made: Rendered) -> None:
    found = {one.name: one.body["properties"] for one in made.all(f"{AKS}/maintenanceConfigurations")}
    assert found.keys() == {"default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
    wanted = window(made.place)
    for one in found.values():
        when = one["maintenanceWindow"]
        assert when["schedule"] == {"weekly": {"dayOfWeek": wanted.day, "intervalWeeks": 1}}
        assert (when["startTime"], when["durationHours"]) == (f"{wanted.hour:02d}:00", 4)
        assert when["utcOffset"] == "+00:00"


def upgrade_channels(made: Rendered) -> None:
    wanted = {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "SecurityPatch"}
    assert made.cluster["autoUpgradeProfile"] == wanted


def cleaner_defender_and_policy(made: Rendered) -> None:
    profile = made.cluster["securityProfile"]
    assert profile["imageCleaner"]["enabled"] and profile["defender"]["securityMonitoring"] == {"enabled": True}
    assert made.cluster["addonProfiles"]["azurepolicy"]["enabled"] is True


def private_link_origin(made: Rendered) -> None:
    azure = made.fleet.azure
    assert azure is not None
    names = Naming(made.fleet.name, made.fleet.environment, azure.subscription)
    wanted = origin(made.fleet, made.place, names)
    assert made.outputs["origin"]["pls_id"] == wanted.pls_id and made.outputs["contract"] == 1
    gateway = made.subnets[made.outputs["gateway_subnet"]]
    assert gateway["privateLinkServiceNetworkPolicies"] == "Disabled"
    (network,) = made.granted("Network Contributor")  # the cluster makes the link in the region's group
    assert scope(network) == wanted.pls_id.partition("/providers")[0]


def logs_in_the_region(made: Rendered) -> None:
    workspace = made.one("Microsoft.OperationalInsights/workspaces").id
    settings = made.all("Microsoft.Insights/diagnosticSettings")
    assert {one.body["properties"]["workspaceId"] for one in settings} == {workspace}
    watched = {one.id.partition("/providers/Microsoft.Insights")[0] for one in settings}
    assert {made.one(AKS).id, made.one("Microsoft.KeyVault/vaults").id} <= watched


def budget_for_what_it_costs(made: Rendered) -> None:
    wanted, budget = made.fleet.budget, made.properties("Microsoft.Consumption/budgets")
    groups = budget["filter"]["dimensions"]["values"]
    assert made.cluster["nodeResourceGroup"] in groups and len(groups) == 4
    told = sorted(one["threshold"] for one in budget["notifications"].values())
    assert (budget["amount"], told) == (wanted.monthly_usd, [round(100 * share) for share in wanted.alert_at])


def by_firewall(fleet: Fleet, region: Region) -> bool:
    return region.egress == "firewall"


def by_nat(fleet: Fleet, region: Region) -> bool:
    return region.egress == "nat"


def with_vault(fleet: Fleet, region: Region) -> bool:
    """Where the keys can be: Azure wants them beside the disks."""
    return vault_location(fleet, region) == region.location


ROWS: list[tuple[Where, Row]] = [
    (everywhere, private_api_server),
    (everywhere, entra_rbac_and_no_local_accounts),
    (everywhere, workload_identity),
    (everywhere, overlay_network),
    (everywhere, cilium_dataplane),
    (by_firewall, egress_through_a_firewall),
    (by_firewall, names_that_the_firewall_lets_pass),
    (by_nat, egress_through_nat),
    (everywhere, zonal_system_pool),
    (everywhere, autoscaler_with_priorities),
    (everywhere, images_from_the_registry_next_door),
    (everywhere, key_vault_and_its_driver),
    (with_vault, keys_of_our_own_for_disks),
    (everywhere, managed_prometheus_and_rules),
    (everywhere, maintenance_windows),
    (everywhere, upgrade_channels),
    (everywhere, cleaner_defender_and_policy),
    (everywhere, private_link_origin),
    (everywhere, logs_in_the_region),
    (everywhere, budget_for_what_it_costs),
]


@pytest.mark.parametrize(("region", "row"), cases(ROWS))
def test_a_region_has(rendered: dict[str, Rendered], region: str, row: Row) -> None:
    row(rendered[region])


def test_every_region_of_every_fleet_is_looked_at(rendered: dict[str, Rendered]) -> None:
    assert rendered.keys() == PLACES.keys() and len(PLACES) == 9


def test_private_endpoints_lead_to_everything_that_has_them(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        assert sorted(kind for _, kind in made.endpoints) == ["blob", "registry", "vault"]
        linked = {one.id.split("/")[8] for one in made.all(f"{NETWORK}/privateDnsZones/virtualNetworkLinks")}
        assert linked == {one.name for one in made.all(f"{NETWORK}/privateDnsZones")} and len(linked) == 3


def test_every_subnet_but_the_firewalls_has_rules_and_none_has_a_way_out_of_its_own(
    rendered: dict[str, Rendered],
) -> None:
    for made in rendered.values():
        for name, subnet in made.subnets.items():
            if name != "AzureFirewallSubnet":
                assert subnet["networkSecurityGroup"]["id"] and subnet["defaultOutboundAccess"] is False


def test_a_closed_region_says_so_to_the_edge(rendered: dict[str, Rendered]) -> None:
    assert rendered["racks"].outputs["origin"]["traffic"] == "closed"
    assert rendered["walled"].outputs["origin"]["traffic"] == "open"


def test_the_same_fleet_gives_the_same_requests(rendered: dict[str, Rendered]) -> None:
    again = render(FEATURES, "walled")["walled"]
    assert again.recorder.requests == rendered["walled"].recorder.requests
