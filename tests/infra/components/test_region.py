"""What a region must have, row by row, asserted on what would be sent to Azure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.azure.facts import regions
from infra.azure.schema import Request
from infra.blueprint.naming import Naming
from infra.blueprint.origin import origin
from infra.components.grant import ROLES
from tests.infra.components.rendered import FEATURES, Rendered, render

AKS = "Microsoft.ContainerService/managedClusters"
NETWORK = "Microsoft.Network"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Rendered]]:
    """A walled region (firewall), one of racks (NAT gateway), and one whose secrets must lie elsewhere."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPS_STATE", str(tmp_path_factory.mktemp("state")))
        yield render(FEATURES, "walled", "racks") | render("atlas", "southeastasia")


def private_api_server(made: Rendered) -> None:
    profile = made.cluster["apiServerAccessProfile"]
    assert profile["enablePrivateCluster"] and not profile["enablePrivateClusterPublicFQDN"]
    assert profile["disableRunCommand"] and "authorizedIPRanges" not in profile


def entra_rbac_and_no_local_accounts(made: Rendered) -> None:
    assert made.cluster["disableLocalAccounts"] is True
    profile = made.cluster["aadProfile"]
    assert profile["managed"] and profile["enableAzureRBAC"] and profile["adminGroupObjectIDs"]
    assert "linuxProfile" not in made.cluster and "servicePrincipalProfile" not in made.cluster


def workload_identity(made: Rendered) -> None:
    assert made.cluster["oidcIssuerProfile"] == {"enabled": True}
    assert made.cluster["securityProfile"]["workloadIdentity"] == {"enabled": True}
    identity = made.outputs["identities"]["chat"]
    assert set(identity) == {"id", "name", "client_id", "principal_id"} and made.outputs["oidc_issuer"]
    readers = [one.body["properties"]["principalId"] for one in made.granted(ROLES["Key Vault Secrets User"])]
    assert identity["principal_id"] in readers


def overlay_network(made: Rendered) -> None:
    profile = made.cluster["networkProfile"]
    assert (profile["networkPlugin"], profile["networkPluginMode"]) == ("azure", "overlay")
    assert (profile["podCidr"], profile["serviceCidr"]) == ("100.64.0.0/11", "100.96.0.0/16")


def cilium_dataplane(made: Rendered) -> None:
    profile = made.cluster["networkProfile"]
    assert profile["networkDataplane"] == profile["networkPolicy"] == "cilium"
    assert profile["advancedNetworking"]["security"] == {"enabled": True, "advancedNetworkPolicies": "FQDN"}


def egress_through_a_firewall(made: Rendered) -> None:
    assert made.cluster["networkProfile"]["outboundType"] == "userDefinedRouting"
    (route,) = made.properties(f"{NETWORK}/routeTables")["routes"]
    assert route["properties"]["addressPrefix"] == "0.0.0.0/0"
    assert route["properties"]["nextHopIpAddress"] == "10.16.0.4"
    assert {"id": made.one(f"{NETWORK}/routeTables").id} in [one.get("routeTable") for one in subnets(made).values()]
    policy = made.properties(f"{NETWORK}/firewallPolicies")
    assert policy["threatIntelMode"] == policy["intrusionDetection"]["mode"] == "Deny"
    assert made.one(f"{NETWORK}/azureFirewalls").id in waited_for(made, made.one(AKS).id)
    assert not made.all(f"{NETWORK}/natGateways")


def egress_through_nat(made: Rendered) -> None:
    assert made.cluster["networkProfile"]["outboundType"] == "userAssignedNATGateway"
    gateway = {"id": made.one(f"{NETWORK}/natGateways").id}
    out = {name.split("-")[2] for name, one in subnets(made).items() if one.get("natGateway") == gateway}
    assert out == {"system", "serving", "training", "operations"}
    assert not made.all(f"{NETWORK}/azureFirewalls") and not made.all(f"{NETWORK}/routeTables")


def zonal_system_pool(made: Rendered) -> None:
    (system,) = made.cluster["agentPoolProfiles"]
    assert (system["mode"], system["availabilityZones"]) == ("System", ["1", "2", "3"])
    assert system["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"] and system["count"] >= 3


def gpu_pools_with_taints_and_labels(made: Rendered) -> None:
    wanted = {f"{one.name}g{one.generation}" for one in made.fleet.region(made.region).pools}
    assert set(made.pools) == wanted | {"platformg1"}
    for name in wanted:
        found = made.pool(name)
        assert found["nodeTaints"] and found["nodeLabels"]["bellwether/gpu-count"].isdigit()
        assert found["mode"] == "User" and found["enableAutoScaling"]


def one_owner_of_each_driver(made: Rendered) -> None:
    assert made.pool("h100g1")["gpuProfile"] == {"driver": "None"}
    assert made.pool("a100g1")["gpuProfile"] == {"driver": "Install"}


def infiniband_in_one_domain(made: Rendered) -> None:
    train = made.pool("traing1")
    assert (train["availabilityZones"], train["nodeLabels"]["bellwether/fabric"]) == (["3"], "infiniband")
    assert train["vnetSubnetID"] == made.outputs["subnet_ids"]["training"]


def racks_of_72_gpus(made: Rendered) -> None:
    rack = made.pool("gb200g1")
    assert rack["count"] % 18 == 0 and rack["maxCount"] % 18 == 0 and rack["availabilityZones"] == ["3"]
    assert rack["nodeLabels"]["bellwether/fabric"] == "nvl72"
    assert "kubernetes.io/arch=arm64:NoSchedule" in rack["nodeTaints"]


def spot_pools(made: Rendered) -> None:
    spare = made.pool("spareg1")
    assert (spare["scaleSetPriority"], spare["scaleSetEvictionPolicy"], spare["spotMaxPrice"]) == ("Spot", "Delete", -1)
    assert "kubernetes.azure.com/scalesetpriority=spot:NoSchedule" in spare["nodeTaints"]


def reserved_capacity(made: Rendered) -> None:
    held = made.all("Microsoft.Compute/capacityReservationGroups/capacityReservations")
    assert {one.body["zones"][0]: one.body["sku"]["capacity"] for one in held} == {"1": 2, "2": 1, "3": 1}
    group = made.one("Microsoft.Compute/capacityReservationGroups")
    assert made.pool("h100g1")["capacityReservationGroupID"] == group.id
    assert {one.id for one in held} <= waited_for(made, made.pools["h100g1"].id)
    assert group.id in [scope(one) for one in made.granted(ROLES["Contributor"])]


def autoscaler_with_priorities(made: Rendered) -> None:
    profile = made.cluster["autoScalerProfile"]
    assert profile["expander"] == "priority" and profile["max-node-provision-time"] == "30m"
    assert made.cluster["nodeProvisioningProfile"] == {"mode": "Manual"}


def images_from_the_registry_next_door(made: Rendered) -> None:
    (pulls,) = made.granted(ROLES["AcrPull"])
    registry = scope(pulls)
    assert "/Microsoft.ContainerRegistry/registries/" in registry and made.recorder.azure.read(registry)
    assert (registry, "registry") in endpoints(made)


def artifact_streaming(made: Rendered) -> None:
    pool = made.pools["h100g1"]
    assert pool.api_version == "2026-05-01" and pool.token == "azure-native:resources:Resource"
    assert pool.body["properties"]["artifactStreamingProfile"] == {"enabled": True}


def key_vault_and_its_driver(made: Rendered) -> None:
    vault = made.properties("Microsoft.KeyVault/vaults")
    assert vault["enableRbacAuthorization"] and vault["enablePurgeProtection"] and vault["enableSoftDelete"]
    assert vault["publicNetworkAccess"].lower() == "disabled" and vault["networkAcls"]["defaultAction"] == "Deny"
    assert (made.one("Microsoft.KeyVault/vaults").id, "vault") in endpoints(made)
    driver = made.cluster["addonProfiles"]["azureKeyvaultSecretsProvider"]
    assert driver["enabled"] and driver["config"]["enableSecretRotation"] == "true"


def keys_of_our_own_for_disks(made: Rendered) -> None:
    disks = made.one("Microsoft.Compute/diskEncryptionSets")
    assert made.cluster["diskEncryptionSetID"] == disks.id
    assert made.properties("Microsoft.KeyVault/vaults/keys")["kty"] == "RSA-HSM"
    (uses,) = made.granted(ROLES["Key Vault Crypto Service Encryption User"])
    assert uses.id in waited_for(made, made.one(AKS).id)


def managed_prometheus_and_rules(made: Rendered) -> None:
    assert made.cluster["azureMonitorProfile"]["metrics"]["enabled"] is True
    workspace = made.one("Microsoft.Monitor/accounts").id
    rules = made.all("Microsoft.Insights/dataCollectionRules")
    sinks = [one.body["properties"]["destinations"].get("monitoringAccounts") for one in rules]
    assert [{"name": "metrics", "accountResourceId": workspace}] in sinks
    associated = made.all("Microsoft.Insights/dataCollectionRuleAssociations")
    assert len(associated) == 3 and all(one.id.startswith(made.one(AKS).id) for one in associated)
    group = made.properties("Microsoft.AlertsManagement/prometheusRuleGroups")
    assert group["scopes"] == [workspace] and group["clusterName"] == made.one(AKS).name
    assert "ClusterMetricsAbsent" in [rule["alert"] for rule in group["rules"]]


def backup_that_stays_in_the_region(made: Rendered) -> None:
    vault = made.properties("Microsoft.DataProtection/backupVaults")
    assert [store["type"] for store in vault["storageSettings"]] == ["ZoneRedundant"]
    instance = made.properties("Microsoft.DataProtection/backupVaults/backupInstances")
    assert instance["dataSourceInfo"]["resourceID"] == made.one(AKS).id
    assert instance["policyInfo"]["policyId"] == made.one("Microsoft.DataProtection/backupVaults/backupPolicies").id
    extension = made.one("Microsoft.KubernetesConfiguration/extensions")
    settings = extension.body["properties"]["configurationSettings"]
    assert settings["configuration.backupStorageLocation.config.useAAD"] == "true"
    assert made.one(f"{AKS}/trustedAccessRoleBindings").body["properties"]["roles"] == [
        "Microsoft.DataProtection/backupVaults/backup-operator"
    ]
    assert made.one("Microsoft.Storage/storageAccounts").body["sku"]["name"] == "Standard_ZRS"


def maintenance_windows(made: Rendered) -> None:
    names = {one.name for one in made.all(f"{AKS}/maintenanceConfigurations")}
    assert names == {"default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}


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
    wanted = origin(made.fleet, made.fleet.region(made.region), names)
    assert made.outputs["origin"]["pls_id"] == wanted.pls_id and made.outputs["contract"] == 1
    gateway = subnets(made)[made.outputs["gateway_subnet"]]
    assert gateway["privateLinkServiceNetworkPolicies"] == "Disabled"
    (network,) = made.granted(ROLES["Network Contributor"])  # the cluster makes the link in the region's group
    assert scope(network) == wanted.pls_id.partition("/providers")[0]


def logs_in_the_region(made: Rendered) -> None:
    workspace = made.one("Microsoft.OperationalInsights/workspaces").id
    settings = made.all("Microsoft.Insights/diagnosticSettings")
    assert {one.body["properties"]["workspaceId"] for one in settings} == {workspace}
    watched = {one.id.partition("/providers/Microsoft.Insights")[0] for one in settings}
    assert {made.one(AKS).id, made.one("Microsoft.KeyVault/vaults").id} <= watched


def budget_for_what_it_costs(made: Rendered) -> None:
    budget = made.properties("Microsoft.Consumption/budgets")
    groups = budget["filter"]["dimensions"]["values"]
    assert made.cluster["nodeResourceGroup"] in groups and len(groups) == 4
    assert sorted(one["threshold"] for one in budget["notifications"].values()) == [50, 100]


def scope(assignment: Request) -> str:
    """What a role is assigned for."""
    return assignment.id.partition("/providers/Microsoft.Authorization")[0]


def subnets(made: Rendered) -> dict[str, dict[str, Any]]:
    """Properties of each subnet by name."""
    found = made.properties(f"{NETWORK}/virtualNetworks")["subnets"]
    return {one["name"]: one["properties"] for one in found}


def endpoints(made: Rendered) -> list[tuple[str, str]]:
    """What private endpoints lead to: resource and kind."""
    found = [one.body["properties"]["privateLinkServiceConnections"] for one in made.all(f"{NETWORK}/privateEndpoints")]
    ways = [connection["properties"] for (connection,) in found]
    return [(way["privateLinkServiceId"], way["groupIds"][0]) for way in ways]


def waited_for(made: Rendered, id: str) -> set[str]:
    """Ids of everything that must be there before a resource is made."""
    by_urn = {one.urn: one for one in made.recorder.registered.values()}
    seen: set[str] = set()
    todo = [made.registered[id]]
    while todo:
        before = [by_urn[urn] for urn in todo.pop().depends_on if urn in by_urn and urn not in seen]
        seen |= {one.urn for one in before}
        todo += before
    return {by_urn[urn].id for urn in seen}


ROWS: list[tuple[str, Callable[[Rendered], None]]] = [
    ("walled", private_api_server),
    ("walled", entra_rbac_and_no_local_accounts),
    ("walled", workload_identity),
    ("walled", overlay_network),
    ("walled", cilium_dataplane),
    ("walled", egress_through_a_firewall),
    ("racks", egress_through_nat),
    ("walled", zonal_system_pool),
    ("walled", gpu_pools_with_taints_and_labels),
    ("racks", gpu_pools_with_taints_and_labels),
    ("walled", one_owner_of_each_driver),
    ("racks", infiniband_in_one_domain),
    ("racks", racks_of_72_gpus),
    ("walled", spot_pools),
    ("walled", reserved_capacity),
    ("walled", autoscaler_with_priorities),
    ("walled", images_from_the_registry_next_door),
    ("walled", artifact_streaming),
    ("walled", key_vault_and_its_driver),
    ("walled", keys_of_our_own_for_disks),
    ("walled", managed_prometheus_and_rules),
    ("walled", backup_that_stays_in_the_region),
    ("walled", maintenance_windows),
    ("walled", upgrade_channels),
    ("walled", cleaner_defender_and_policy),
    ("walled", private_link_origin),
    ("racks", private_link_origin),
    ("walled", logs_in_the_region),
    ("walled", budget_for_what_it_costs),
]


@pytest.mark.parametrize(("region", "row"), ROWS, ids=[f"{row.__name__}-{region}" for region, row in ROWS])
def test_a_region_has(rendered: dict[str, Rendered], region: str, row: Callable[[Rendered], None]) -> None:
    row(rendered[region])


def test_only_the_system_pool_is_inline_and_its_changes_are_nobodys_business(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        assert len(made.cluster["agentPoolProfiles"]) == 1
        assert made.options(made.one(AKS)).ignore_changes == ("agentPoolProfiles",)


def test_counts_belong_to_the_autoscaler(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        for name, pool in made.pools.items():
            count = "count" if name == "platformg1" else "properties.count"
            assert made.options(pool).ignore_changes == (count,)


def test_pools_are_made_one_after_the_other(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        order = [f"{one.name}g{one.generation}" for one in made.fleet.region(made.region).pools]
        for before, after in zip(["platformg1", *order], order, strict=False):
            assert made.pools[before].id in waited_for(made, made.pools[after].id)
        last = made.pools[order[-1]].id
        assert last in waited_for(made, made.one("Microsoft.KubernetesConfiguration/extensions").id)


GUARDED = (AKS, "Microsoft.Compute/diskEncryptionSets", f"{NETWORK}/publicIPAddresses")
KEPT = (
    *("Microsoft.KeyVault/vaults", "Microsoft.KeyVault/vaults/keys", "Microsoft.OperationalInsights/workspaces"),
    *("Microsoft.Monitor/accounts", "Microsoft.DataProtection/backupVaults", "Microsoft.Storage/storageAccounts"),
    "Microsoft.DataProtection/backupVaults/backupInstances",
)


@pytest.mark.parametrize("kind", [*GUARDED, *KEPT])
def test_what_must_not_go_by_mistake_is_protected(rendered: dict[str, Rendered], kind: str) -> None:
    made = rendered["walled"]
    options = made.options(made.one(kind))
    assert options.protect and options.retain == (kind in KEPT)


def test_what_holds_data_is_in_groups_that_stay(rendered: dict[str, Rendered]) -> None:
    """A resource group that is deleted takes along what is retained in it."""
    made = rendered["walled"]
    groups = {one.name: made.options(one).retain for one in made.all("Microsoft.Resources/resourceGroups")}
    assert sorted(groups.values()) == [False, True, True]
    for kind in KEPT:
        assert groups[made.one(kind).id.split("/")[4]]


def test_everything_lies_in_the_region(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        location, asked = made.fleet.region(made.region).location, made.requests
        elsewhere = {one.type for one in asked if one.location not in (location, "global", None)}
        assert elsewhere == ({"Microsoft.KeyVault/vaults"} if made.region == "southeastasia" else set())


def test_secrets_lie_elsewhere_rather_than_be_copied_out_of_their_group(rendered: dict[str, Rendered]) -> None:
    made = rendered["southeastasia"]
    vault = made.one("Microsoft.KeyVault/vaults")
    assert vault.location and regions()[vault.location].residency in made.fleet.residency["apac"].jurisdictions
    assert not made.all("Microsoft.Compute/diskEncryptionSets")  # Azure wants them beside their vault
    assert "diskEncryptionSetID" not in made.cluster


def test_nothing_is_copied_to_a_paired_region(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        text = str([one.body for one in made.requests])
        assert "GeoRedundant" not in text and "_GRS" not in text and "_GZRS" not in text and "RAGRS" not in text


def test_no_key_password_or_shared_secret_is_anywhere(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        account = made.properties("Microsoft.Storage/storageAccounts")
        assert account["allowSharedKeyAccess"] is False and account["minimumTlsVersion"] == "TLS1_2"
        assert made.properties("Microsoft.OperationalInsights/workspaces")["features"]["disableLocalAuth"] is True
        assert not made.all("Microsoft.KeyVault/vaults/secrets")


def test_private_endpoints_lead_to_everything_that_has_them(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        assert sorted(kind for _, kind in endpoints(made)) == ["blob", "registry", "vault"]
        linked = {one.id.split("/")[8] for one in made.all(f"{NETWORK}/privateDnsZones/virtualNetworkLinks")}
        assert linked == {one.name for one in made.all(f"{NETWORK}/privateDnsZones")} and len(linked) == 3


def test_every_subnet_but_the_firewalls_has_rules_and_none_has_a_way_out_of_its_own(
    rendered: dict[str, Rendered],
) -> None:
    for made in rendered.values():
        for name, subnet in subnets(made).items():
            if name != "AzureFirewallSubnet":
                assert subnet["networkSecurityGroup"]["id"] and subnet["defaultOutboundAccess"] is False


def test_a_closed_region_says_so_to_the_edge(rendered: dict[str, Rendered]) -> None:
    assert rendered["racks"].outputs["origin"]["traffic"] == "closed"
    assert rendered["walled"].outputs["origin"]["traffic"] == "open"


def test_everything_has_a_parent_or_is_a_component(rendered: dict[str, Rendered]) -> None:
    for urn in rendered["walled"].recorder.registered:
        kinds = urn.split("::")[2].split("$")
        assert all(kind.startswith("bellwether:region:") for kind in kinds[:-1])
        assert len(kinds) > 1 or kinds[0].startswith(("bellwether:", "pulumi:", "azure-native:resources:ResourceGroup"))


def test_the_same_fleet_gives_the_same_requests(rendered: dict[str, Rendered], tmp_path: Path) -> None:
    again = render(FEATURES, "walled")["walled"]
    assert again.recorder.requests == rendered["walled"].recorder.requests
