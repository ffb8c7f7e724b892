"""Inputs become the request that ARM takes and come back as they were; what is wrong with them is named at its path."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.azure import armpath, schema
from infra.azure.schema import UNKNOWN, Flaw, flaws, outputs, request, tokens
from infra.azure.shape import entries
from tests.infra.azure import valid
from tests.infra.azure.mistakes import cases
from tests.infra.azure.slips import shown, sites

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
CLUSTER = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"
GROUP_OF_RULES = "azure-native:network:NetworkSecurityGroup"
GENERIC = "azure-native:resources:Resource"
OF_CLUSTER: dict[str, Any] = {"resourceGroupName": "rg", "resourceName": "aks-a"}
UNDER_RP = {"clusterRp": "Microsoft.ContainerService", "clusterResourceName": "managedClusters", "clusterName": "aks-a"}

BY_TOKEN: dict[str, dict[str, Any]] = {token: dict(inputs) for token, inputs in cases()}
many = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@many
@given(st.data())
def test_what_arm_takes_has_no_flaw_and_comes_back_as_it_was(data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(sorted(armpath.templates())))
    inputs = data.draw(valid.inputs(token))
    made = request(token, inputs, SUBSCRIPTION)
    assert flaws(token, inputs) == []
    assert schema.inputs(token, made.id, made.body) == inputs


@pytest.mark.parametrize("token", sorted(BY_TOKEN))
def test_the_reference_inputs_have_no_flaw_and_come_back_as_they_were(token: str) -> None:
    made = request(token, BY_TOKEN[token], SUBSCRIPTION)
    assert flaws(token, BY_TOKEN[token]) == []
    assert schema.inputs(token, made.id, made.body, made.api_version) == BY_TOKEN[token]


@settings(many, max_examples=100)
@given(st.data())
def test_what_is_not_known_yet_passes_everywhere(data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(sorted(BY_TOKEN)))
    site = data.draw(st.sampled_from([site for site in sites(token, BY_TOKEN[token]) if site.path]))
    inputs = deepcopy(BY_TOKEN[token])
    holder: Any = inputs
    for key in site.path[:-1]:
        holder = holder[key]
    holder[site.path[-1]] = UNKNOWN
    assert flaws(token, inputs) == [], shown(site.path)


def test_what_is_not_known_stays_the_same_in_a_copy_and_says_so() -> None:
    inputs = {"location": UNKNOWN}
    assert deepcopy(inputs)["location"] is copy(inputs["location"]) is UNKNOWN
    assert repr(request(CLUSTER, inputs, SUBSCRIPTION).body) == "{'location': UNKNOWN}"


def test_every_type_has_a_token_and_a_path() -> None:
    typed = {token for token in entries() if not token.startswith("arm:")}
    assert typed == set(armpath.templates())
    assert tokens() == typed | {GENERIC}


IDS: list[tuple[str, dict[str, Any], str, str]] = [
    (CLUSTER, OF_CLUSTER, "Microsoft.ContainerService/managedClusters",
     f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-a"),
    (POOL, {**OF_CLUSTER, "agentPoolName": "gpug1"}, "Microsoft.ContainerService/managedClusters/agentPools",
     f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-a/agentPools/gpug1"),
    ("azure-native:resources:ResourceGroup", {"resourceGroupName": "rg"}, "Microsoft.Resources/resourceGroups", GROUP),
    ("azure-native:authorization:RoleAssignment", {"scope": GROUP, "roleAssignmentName": "r"},
     "Microsoft.Authorization/roleAssignments", f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/r"),
    ("azure-native:security:Pricing", {"scopeId": f"subscriptions/{SUBSCRIPTION}", "pricingName": "Containers"},
     "Microsoft.Security/pricings", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/pricings/Containers"),
    ("azure-native:monitor:DiagnosticSetting", {"resourceUri": f"{GROUP}/providers/A/b/c", "name": "logs"},
     "Microsoft.Insights/diagnosticSettings",
     f"{GROUP}/providers/A/b/c/providers/Microsoft.Insights/diagnosticSettings/logs"),
    ("azure-native:kubernetesconfiguration:Extension",
     {"resourceGroupName": "rg", **UNDER_RP, "extensionName": "backup"}, "Microsoft.KubernetesConfiguration/extensions",
     f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-a/providers/"
     "Microsoft.KubernetesConfiguration/extensions/backup"),
    ("azure-native:dns:RecordSet",
     {"resourceGroupName": "rg", "zoneName": "a.com", "recordType": "CNAME", "relativeRecordSetName": "api"},
     "Microsoft.Network/dnsZones/CNAME", f"{GROUP}/providers/Microsoft.Network/dnsZones/a.com/CNAME/api"),
    ("azure-native:storage:BlobContainer", {"resourceGroupName": "rg", "accountName": "st", "containerName": "state"},
     "Microsoft.Storage/storageAccounts/blobServices/containers",
     f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st/blobServices/default/containers/state"),
    (GENERIC, {"resourceGroupName": "rg", "resourceProviderNamespace": "Microsoft.ContainerService",
               "parentResourcePath": "", "resourceType": "managedClusters", "resourceName": "aks-a"},
     "Microsoft.ContainerService/managedClusters",
     f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-a"),
]  # fmt: skip


@pytest.mark.parametrize(("token", "inputs", "type", "id"), IDS, ids=[case[0] for case in IDS])
def test_the_id_follows_from_the_path_parameters(token: str, inputs: dict[str, Any], type: str, id: str) -> None:
    made = request(token, inputs, SUBSCRIPTION)
    assert (made.id, made.type, made.name) == (id, type, id.rpartition("/")[2])


def test_an_id_that_is_not_known_yet_keeps_the_parameter_in_its_place() -> None:
    made = request(POOL, {**OF_CLUSTER, "resourceName": UNKNOWN, "agentPoolName": "gpug1"}, SUBSCRIPTION)
    assert made.id.endswith("/managedClusters/{resourceName}/agentPools/gpug1")


def test_the_path_of_another_type_is_no_path() -> None:
    assert armpath.path_values(POOL, f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-a") == {}


BODIES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (CLUSTER, {"dnsPrefix": "a", "autoScalerProfile": {"scaleDownUnneededTime": "10m"}, "tags": {"dnsPrefix": "b"}},
     {"properties": {"dnsPrefix": "a", "autoScalerProfile": {"scale-down-unneeded-time": "10m"}},
      "tags": {"dnsPrefix": "b"}}),
    (CLUSTER, {"identity": {"type": "UserAssigned", "userAssignedIdentities": ["/a"]}, "location": None},
     {"identity": {"type": "UserAssigned", "userAssignedIdentities": {"/a": {}}}}),
    (CLUSTER, {"identity": {"userAssignedIdentities": ["/a", UNKNOWN]}},
     {"identity": {"userAssignedIdentities": UNKNOWN}}),
    (POOL, {"type": "VirtualMachineScaleSets", "count": 3.0, "spotMaxPrice": 0.5, "powerState": {"code": "Running"}},
     {"properties": {"type": "VirtualMachineScaleSets", "count": 3, "spotMaxPrice": 0.5,
                     "powerState": {"code": "Running"}}}),
    (POOL, {"provisioningState": "Succeeded", "eTag": "x", "mode": "User"}, {"properties": {"mode": "User"}}),
    ("azure-native:network:VirtualNetwork", {"subnets": [{"name": "a", "addressPrefix": "10.0.0.0/24"}]},
     {"properties": {"subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}),
    ("azure-native:storage:StorageAccount", {"enableHttpsTrafficOnly": True, "kind": "StorageV2"},
     {"properties": {"supportsHttpsTrafficOnly": True}, "kind": "StorageV2"}),
    ("azure-native:keyvault:Vault", {"properties": {"tenantId": "t"}}, {"properties": {"tenantId": "t"}}),
    ("azure-native:frontdoor:Policy", {"policySettings": {"state": "Enabled", "mode": "Prevention"}},
     {"properties": {"policySettings": {"logScrubbing": {"state": "Enabled"}, "mode": "Prevention"}}}),
    (GENERIC, {"resourceProviderNamespace": "Microsoft.ContainerService", "resourceType": "managedClusters",
               "apiVersion": "2026-05-01", "identity": {"userAssignedIdentities": ["/a"]},
               "properties": {"autoScalerProfile": {"scan-interval": "10s"}, "fqdn": "only ARM says this"}},
     {"identity": {"userAssignedIdentities": {"/a": {}}},
      "properties": {"autoScalerProfile": {"scan-interval": "10s"}}}),
    (GENERIC, {"resourceProviderNamespace": "Some.Provider", "resourceType": "things", "apiVersion": "1",
               "properties": {"a": 1.0}}, {"properties": {"a": 1}}),
]  # fmt: skip


@pytest.mark.parametrize(("token", "inputs", "body"), BODIES)
def test_a_body_has_every_property_where_arm_has_it(token: str, inputs: dict[str, Any], body: dict[str, Any]) -> None:
    assert request(token, inputs, SUBSCRIPTION).body == body


FLAWS: list[tuple[str, dict[str, Any], str, str]] = [
    (CLUSTER, {"dnsPrefx": "a"}, "dnsPrefx", "did you mean dnsPrefix?"),
    (CLUSTER, {"fqdn": "a"}, "fqdn", "read-only"),
    (CLUSTER, {"id": "/a"}, "id", "read-only"),
    (CLUSTER, {"location": "estus2"}, "location", "is not a region"),
    (CLUSTER, {"location": None}, "location", "is missing: a string"),
    (CLUSTER, {"resourceName": "-a"}, "resourceName", "does not match"),
    (CLUSTER, {"resourceGroupName": "rg."}, "resourceGroupName", "does not match"),
    (CLUSTER, {"resourceGroupName": 7}, "resourceGroupName", "7 is not a string"),
    (CLUSTER, {"agentPoolProfiles": {}}, "agentPoolProfiles", "is not a list"),
    (CLUSTER, {"agentPoolProfiles": [None]}, "agentPoolProfiles[0]", "is nothing"),
    (CLUSTER, {"agentPoolProfiles": [{"name": "a", "mode": "Sytem"}]}, "agentPoolProfiles[0].mode", "mean System?"),
    (CLUSTER, {"agentPoolProfiles": [{"name": "a", "mode": 1}]}, "agentPoolProfiles[0].mode", "1 is not a string"),
    (CLUSTER, {"agentPoolProfiles": [{"count": "three"}]}, "agentPoolProfiles[0].count", "'three' is not a number"),
    (CLUSTER, {"agentPoolProfiles": [{"count": True}]}, "agentPoolProfiles[0].count", "True is not a number"),
    (CLUSTER, {"agentPoolProfiles": [{"count": 1.5}]}, "agentPoolProfiles[0].count", "1.5 is not a whole number"),
    (CLUSTER, {"agentPoolProfiles": [{"mode": "User"}]}, "agentPoolProfiles[0].name", "is missing"),
    (CLUSTER, {"identity": {"userAssignedIdentities": {"/a": {}}}}, "identity.userAssignedIdentities", "not a list"),
    (CLUSTER, {"enableRBAC": "yes"}, "enableRBAC", "neither true nor false"),
    (CLUSTER, {"sku": "Standard"}, "sku", "is not an object"),
    (CLUSTER, {"tags": {"a": 1}}, "tags.a", "1 is not a string"),
    (POOL, {"agentPoolName": "Gpu"}, "agentPoolName", "does not match"),
    (POOL, {"agentPoolName": None}, "agentPoolName", "part of the resource's path"),
    (POOL, {"osDiskSizeGB": 4096}, "osDiskSizeGB", "4096 is above 2048"),
    (POOL, {"osDiskSizeGB": -1}, "osDiskSizeGB", "-1 is below 0"),
    (POOL, {"status": {}}, "status", "there is no property status"),
    ("azure-native:keyvault:Vault", {"properties": {"sku": {"name": "premium", "family": "A"}}}, "properties.tenantId",
     "is missing"),
    ("azure-native:keyvault:Vault", {"sku": {}}, "sku", "there is no property sku"),
    ("azure-native:authorization:RoleAssignment", {"scope": "rg"}, "scope", "is not the id of a subscription"),
    ("azure-native:authorization:RoleAssignment", {"scope": 7}, "scope", "7 is not a string"),
    ("azure-native:authorization:RoleAssignment", {"roleAssignmentName": "me"}, "roleAssignmentName", "at least 36"),
    ("azure-native:dataprotection:BackupPolicy", {"properties": []}, "properties", "is not an object"),
    ("azure-native:dataprotection:BackupPolicy", {"properties": {"objectType": "Policy"}}, "properties.objectType",
     "is not one of the values"),
    ("azure-native:dataprotection:BackupPolicy", {"properties": {"objectTyp": "BackupPolicy"}}, "properties.objectType",
     "is missing: one of BackupPolicy"),
    ("azure-native:dataprotection:BackupPolicy", {"properties": {"objectTyp": "BackupPolicy"}}, "properties.objectTyp",
     "did you mean objectType?"),
    ("azure-native:consumption:Budget", {"amount": None}, "amount", "is missing: a number"),
    ("azure-native:consumption:Budget", {"timePeriod": None}, "timePeriod", "is missing: an object"),
    ("azure-native:consumption:Budget", {"notifications": {"a": {}}}, "notifications.a.contactEmails", "a list"),
    ("azure-native:consumption:Budget", {"notifications": {"a": {}}}, "notifications.a.enabled", "true or false"),
    ("azure-native:consumption:Budget", {"category": None}, "category", "is missing: one of Cost"),
    ("azure-native:containerservice:MaintenanceConfiguration", {"maintenanceWindow": {"startTime": "02:00"}},
     "maintenanceWindow.durationHours", "is missing: a whole number"),
    ("azure-native:dns:RecordSet", {"recordType": "CNAM"}, "recordType", "'CNAM' does not match"),
    ("azure-native:dns:RecordSet", {"relativeRecordSetName": "a b"}, "relativeRecordSetName", "does not match"),
    (GENERIC, {"apiVersion": "2031-01-01"}, "apiVersion", "is known at"),
    (GENERIC, {"resourceType": "agentPool"}, "resourceType", "nothing is known of"),
    (GENERIC, {"resourceName": "Gpu"}, "resourceName", "does not match"),
    (GENERIC, {"resourceGroupName": None}, "resourceGroupName", "is missing"),
    (GENERIC, {"agentPoolName": "gpu"}, "agentPoolName", "there is no property"),
    (GENERIC, {"properties": {"vmSze": "a"}}, "properties.vmSze", "did you mean vmSize?"),
    ("azure-native:keyvault:Vaults", {}, "", "did you mean azure-native:keyvault:Vault?"),
]  # fmt: skip


@pytest.mark.parametrize(("token", "change", "path", "what"), FLAWS)
def test_a_flaw_is_named_at_its_path(token: str, change: dict[str, Any], path: str, what: str) -> None:
    found = flaws(token, {**BY_TOKEN.get(token, {}), **change})
    assert [flaw for flaw in found if flaw.path == path and what in flaw.what], found


def test_only_the_flaw_is_named() -> None:
    found = flaws(CLUSTER, {**BY_TOKEN[CLUSTER], "dnsPrefix": 7})
    assert found == [Flaw("dnsPrefix", "7 is not a string")]


def test_a_reference_by_id_needs_nothing_of_the_object_that_it_names() -> None:
    inputs = {**BY_TOKEN[GROUP_OF_RULES], "securityRules": [{"id": "/rules/a"}]}
    assert flaws(GROUP_OF_RULES, inputs) == []
    inputs["securityRules"] = [{"id": "/rules/a", "access": "Deny"}]
    assert "securityRules[0].priority" in {flaw.path for flaw in flaws(GROUP_OF_RULES, inputs)}


def test_a_whole_number_is_sent_as_one_though_the_wire_has_only_fractions() -> None:
    body = request(POOL, {**OF_CLUSTER, "count": 3.0, "spotMaxPrice": 0.5}, SUBSCRIPTION).body
    assert str(body) == "{'properties': {'count': 3, 'spotMaxPrice': 0.5}}"


def test_a_message_never_repeats_a_secret() -> None:
    inputs = {"properties": {"initialCassandraAdminPassword": ["hunter2"]}}
    found = flaws("azure-native:cosmosdb:CassandraCluster", inputs)
    assert "properties.initialCassandraAdminPassword" in {flaw.path for flaw in found}
    assert "hunter2" not in str(found)


def test_a_type_that_is_not_known_gives_no_request() -> None:
    with pytest.raises(schema.TypeUnknown, match="did you mean azure-native:containerservice:AgentPool"):
        request("azure-native:containerservice:AgentPol", {}, SUBSCRIPTION)


def test_outputs_are_lifted_with_what_only_arm_says() -> None:
    id = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-a"
    body = {
        "location": "eastus2",
        "properties": {"fqdn": "a.azmk8s.io", "agentPoolProfiles": [{"name": "a", "currentOrchestratorVersion": "1"}]},
        "identity": {"principalId": "p", "userAssignedIdentities": {"/a": {"clientId": "c"}}},
    }
    shown = outputs(CLUSTER, id, body)
    assert shown["id"] == id
    assert (shown["name"], shown["type"]) == ("aks-a", "Microsoft.ContainerService/managedClusters")
    assert shown["fqdn"] == "a.azmk8s.io"
    assert shown["agentPoolProfiles"] == [{"name": "a", "currentOrchestratorVersion": "1"}]
    assert shown["identity"] == {"principalId": "p", "userAssignedIdentities": {"/a": {"clientId": "c"}}}
    assert shown["azureApiVersion"] == "2025-09-01"


def test_outputs_of_a_pool_have_the_type_of_the_resource_and_its_inputs_that_of_the_pool() -> None:
    made = request(POOL, BY_TOKEN[POOL], SUBSCRIPTION)
    assert outputs(POOL, made.id, made.body)["type"] == "Microsoft.ContainerService/managedClusters/agentPools"
    assert schema.inputs(POOL, made.id, made.body)["type"] == "VirtualMachineScaleSets"


def test_outputs_never_have_what_can_only_be_written() -> None:
    body = {"properties": {"administratorLogin": "ops", "administratorLoginPassword": "hunter2"}}
    shown = outputs("azure-native:dbforpostgresql:Server", f"{GROUP}/providers/a/b/c", body)
    assert shown["administratorLogin"] == "ops"
    assert "hunter2" not in str(shown)


def test_outputs_of_a_generic_resource_are_what_arm_says() -> None:
    made = request(GENERIC, BY_TOKEN[GENERIC], SUBSCRIPTION)
    shown = outputs(GENERIC, made.id, {**made.body, "properties": {"provisioningState": "Succeeded"}})
    assert shown["properties"] == {"provisioningState": "Succeeded"}
    assert (shown["id"], shown["name"], shown["type"]) == (made.id, "a100g1", made.type)


def test_an_existing_generic_resource_of_an_unknown_type_is_imported_as_it_is() -> None:
    found = schema.inputs(GENERIC, f"{GROUP}/providers/Some.Provider/things/a", {"properties": {"b": 1}}, "1")
    assert (found["resourceType"], found["parentResourcePath"], found["properties"]) == ("things", "", {"b": 1})
