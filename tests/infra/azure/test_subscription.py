"""The emulated subscription: what it writes into resources, what is under way, drift, objects, events."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure import cluster, computed
from infra.azure.refusal import ArmError
from infra.azure.resource_id import group_of, key, name_of, parent_of, same, scope_of, type_of, within
from infra.azure.schema import UNKNOWN
from infra.azure.subscription import Subscription, immutable
from tests.infra.azure import casebook
from tests.infra.azure.casebook import ID, RG, TENANT

AKS = f"{RG}/providers/Microsoft.ContainerService/managedClusters/aks"
PLS = f"{RG}/providers/Microsoft.Network/privateLinkServices"
VAULT = f"{RG}/providers/Microsoft.KeyVault/vaults/kv-new"


@pytest.fixture
def azure() -> Subscription:
    return casebook.subscription({})


def put(azure: Subscription, base: str, **changes: Any) -> dict[str, Any]:
    return azure.put(casebook.request(base, changes))


def test_a_cluster_has_names_and_addresses_that_stay_the_same(azure: Subscription) -> None:
    body = put(azure, "cluster")
    properties = body["properties"]
    assert body["id"].endswith("/managedClusters/new")
    assert body["type"] == "Microsoft.ContainerService/managedClusters"
    assert properties["provisioningState"] == "Succeeded"
    assert properties["privateFQDN"].endswith(".privatelink.eastus2.azmk8s.io")
    assert properties["oidcIssuerProfile"]["issuerURL"].startswith(f"https://eastus2.oic.prod-aks.azure.com/{TENANT}/")
    assert properties["nodeResourceGroup"] == "MC_rg_new_eastus2"
    assert properties["currentKubernetesVersion"] == "1.34.0"
    assert put(casebook.subscription({}), "cluster") == body


@pytest.mark.parametrize(
    ("base", "path", "value"),
    [
        ("vault", "vaultUri", "https://kv-new.vault.azure.net/"),
        ("registry", "loginServer", "crnew.azurecr.io"),
        ("firewall", "ipConfigurations.0.properties.privateIPAddress", "10.1.255.4"),
        ("network", "subnets.1.id", f"{RG}/providers/Microsoft.Network/virtualNetworks/new/subnets/b"),
        ("storage", "primaryEndpoints.blob", "https://stnew.blob.core.windows.net/"),
        ("dns-zone", "zoneType", "Public"),
        ("endpoint", "privateLinkServiceConnections.0.properties.privateLinkServiceConnectionState.status", "Approved"),
    ],
)
def test_azure_writes_what_only_azure_writes(azure: Subscription, base: str, path: str, value: str) -> None:
    found: Any = put(azure, base)["properties"]
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else found[part]
    assert found == value


@pytest.mark.parametrize("type", computed.DRAWS)
def test_what_azure_writes_follows_from_the_name(azure: Subscription, type: str) -> None:
    def full(name: str) -> dict[str, Any]:
        namespace, *kinds = type.split("/")
        id = "/".join([RG, "providers", namespace, *(part for kind in kinds for part in (kind, name))])
        return computed.complete(id, {"location": "eastus2"}, azure)

    assert full("one") == full("one")
    assert full("one") != full("two")
    assert len(full("one").get("properties", {})) >= 1


@pytest.mark.parametrize("type", computed.DRAWS)
def test_what_is_not_known_yet_does_not_stop_azure_from_writing(azure: Subscription, type: str) -> None:
    body = {"location": UNKNOWN, "identity": UNKNOWN, "properties": UNKNOWN}
    assert computed.complete(f"{RG}/providers/{type.split('/')[0]}/a/b", body, azure)["name"] == "b"
    for name in ("agentPoolProfiles", "subnets", "ipConfigurations", "dnsSettings", "privateLinkServiceConnections"):
        namespace, *kinds = type.split("/")
        id = "/".join([RG, "providers", namespace, *(part for kind in kinds for part in (kind, "x"))])
        assert computed.complete(id, {"properties": {name: UNKNOWN}}, azure)["name"] == "x"


def test_a_public_address_with_a_label_has_a_name(azure: Subscription) -> None:
    body = put(azure, "address", **{"properties.dnsSettings": {"domainNameLabel": "bell"}})
    assert body["properties"]["dnsSettings"]["fqdn"] == "bell.eastus2.cloudapp.azure.com"


def test_a_firewall_finds_its_subnet_inside_the_network_too(azure: Subscription) -> None:
    network = f"{RG}/providers/Microsoft.Network/virtualNetworks/new"
    put(
        azure,
        "network",
        **{
            "properties.subnets[0]": {"name": "AzureFirewallSubnet", "properties": {"addressPrefixes": ["10.2.0.0/26"]}}
        },
    )
    path = "properties.ipConfigurations[0].properties.subnet.id"
    body = put(azure, "firewall", **{path: f"{network}/subnets/AzureFirewallSubnet"})
    assert body["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.2.0.4"


def test_identities_have_a_principal_wherever_they_are_named(azure: Subscription) -> None:
    plane = azure.read(f"{RG}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/plane")
    assert plane
    named = put(azure, "cluster")["identity"]["userAssignedIdentities"]
    assert [one["principalId"] for one in named.values()] == [plane["properties"]["principalId"]]
    assert len(put(azure, "encryption")["identity"]["principalId"]) == 36


def test_a_spot_pool_gets_its_taint_and_label_from_aks(azure: Subscription) -> None:
    pool = put(azure, "pool", **{"properties.scaleSetPriority": "Spot"})["properties"]
    assert pool["nodeTaints"] == ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]
    assert pool["nodeLabels"] == {"kubernetes.azure.com/scalesetpriority": "spot"}


def test_an_autoscaled_pool_begins_with_its_fewest_machines(azure: Subscription) -> None:
    scaled = {"enableAutoScaling": True, "minCount": 3, "maxCount": 9, "count": None}
    assert (
        put(azure, "pool", **{f"properties.{key}": value for key, value in scaled.items()})["properties"]["count"] == 3
    )


def test_only_one_operation_runs_on_a_cluster_at_a_time(azure: Subscription) -> None:
    first = azure.begin(casebook.request("pool", {}))
    assert [operation.id for operation in azure.operations()] == [first.id]
    with pytest.raises(ArmError) as refused:
        azure.begin(casebook.request("pool", {}, f"{AKS}/agentPools/gpug2"))
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")
    assert refused.value.retry_after
    azure.finish(first)
    assert azure.put(casebook.request("pool", {}, f"{AKS}/agentPools/gpug2"))


def test_nothing_is_there_before_an_operation_ends(azure: Subscription) -> None:
    operation = azure.begin(casebook.request("vault", {}))
    assert azure.read(VAULT) is None
    assert azure.finish(operation) == azure.read(VAULT)


def test_a_removal_takes_time_too(azure: Subscription) -> None:
    put(azure, "vault")
    operation = azure.begin_removal(VAULT)
    assert azure.read(VAULT) is not None
    assert azure.finish(operation) == {}
    assert azure.read(VAULT) is None


def test_a_refused_request_changes_nothing(azure: Subscription) -> None:
    azure.take_events()
    with pytest.raises(ArmError, match="VaultNotFound"):
        put(azure, "vault", **{"properties.createMode": "recover"})
    assert azure.take_events() == []


def test_removing_what_is_not_there_is_refused(azure: Subscription) -> None:
    with pytest.raises(ArmError, match="ResourceNotFound"):
        azure.remove(VAULT)
    with pytest.raises(ArmError, match="ResourceNotFound"):
        azure.change(VAULT, "tags", {})


def test_a_resource_group_goes_with_all_that_is_in_it(azure: Subscription) -> None:
    azure.remove(RG)
    assert list(azure.resources()) == []


def test_a_purged_vault_frees_its_name(azure: Subscription) -> None:
    put(azure, "vault")
    azure.remove(VAULT)
    with pytest.raises(ArmError, match="ConflictError"):
        put(azure, "vault")
    azure.purge(VAULT)
    assert put(azure, "vault")


def test_drift_is_a_change_past_all_rules(azure: Subscription) -> None:
    put(azure, "pool")
    azure.change(f"{AKS}/agentPools/GPUG1", "properties.vmSize", "Standard_D2s_v5")
    azure.change(AKS, 'tags["cost.center"]', "42")
    azure.change(AKS, "properties.agentPoolProfiles[0].count", 9)
    azure.change(AKS, "properties.kubernetesVersion", None)
    body = azure.read(AKS)
    assert body
    assert azure.read(f"{AKS}/agentPools/gpug1")["properties"]["vmSize"] == "Standard_D2s_v5"  # type: ignore[index]
    assert body["tags"] == {"cost.center": "42"}
    assert body["properties"]["agentPoolProfiles"][0]["count"] == 9
    assert "kubernetesVersion" not in body["properties"]


def test_what_is_read_can_be_changed_without_changing_what_is_there(azure: Subscription) -> None:
    body = azure.read(AKS)
    assert body
    body["properties"].clear()
    assert azure.read(AKS)["properties"]  # type: ignore[index]


def test_ids_are_compared_without_case(azure: Subscription) -> None:
    assert azure.read(AKS.upper()) == azure.read(AKS)
    azure.put(casebook.asked(VAULT, casebook.request("vault", {}).body))
    azure.put(casebook.asked(VAULT.replace("vaults", "VAULTS"), casebook.request("vault", {}).body))
    assert sum(same(id, VAULT) for id in azure.resources()) == 1


def test_resources_are_sorted(azure: Subscription) -> None:
    ids = [id.lower() for id in azure.resources()]
    assert ids == sorted(ids)


# Private link


def waiting(azure: Subscription) -> list[str]:
    connections = azure.read(f"{PLS}/pls")["properties"].get("privateEndpointConnections", [])  # type: ignore[index]
    return [one["properties"]["privateLinkServiceConnectionState"]["status"] for one in connections]


def test_a_private_origin_waits_until_it_is_approved(azure: Subscription) -> None:
    put(azure, "origin")
    assert waiting(azure) == ["Pending"]
    assert azure.approve(f"{PLS}/pls") == 1
    assert waiting(azure) == ["Approved"]
    put(azure, "origin", **{"properties.weight": 500})
    assert waiting(azure) == ["Approved"]
    azure.remove(casebook.bases()["origin"]["id"])
    assert waiting(azure) == []


# Kubernetes objects

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "gateway",
        "namespace": "edge",
        "annotations": {
            "service.beta.kubernetes.io/azure-pls-create": "true",
            "service.beta.kubernetes.io/azure-pls-name": "pls-gateway",
            "service.beta.kubernetes.io/azure-pls-resource-group": "rg",
            "service.beta.kubernetes.io/azure-pls-ip-configuration-subnet": "links",
        },
    },
    "spec": {"type": "LoadBalancer"},
}


def test_a_load_balancer_with_the_annotations_makes_a_private_link_service(azure: Subscription) -> None:
    answer = azure.put_object(AKS, SERVICE)
    assert answer["status"]["loadBalancer"]["ingress"][0]["ip"].startswith("10.1.")
    body = azure.read(f"{PLS}/pls-gateway")
    assert body
    assert body["location"] == "eastus2"
    assert name_of(body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]) == "links"
    again = azure.put_object(AKS, SERVICE)
    assert again["metadata"]["uid"] == answer["metadata"]["uid"]
    assert again["metadata"]["resourceVersion"] == "2"


def test_the_private_link_service_goes_with_its_service(azure: Subscription) -> None:
    azure.put_object(AKS, SERVICE)
    azure.remove_object(AKS, cluster.object_key(SERVICE))
    azure.remove_object(AKS, cluster.object_key(SERVICE))
    assert azure.read(f"{PLS}/pls-gateway") is None
    assert azure.objects(AKS) == {}


def test_a_service_without_the_annotations_makes_nothing(azure: Subscription) -> None:
    before = list(azure.resources())
    plain = {
        **SERVICE,
        "metadata": {"name": "plain", "annotations": {f"{cluster.PREFIX}load-balancer-ipv4": "10.1.0.9"}},
    }
    assert azure.put_object(AKS, plain)["status"]["loadBalancer"]["ingress"] == [{"ip": "10.1.0.9"}]
    assert list(azure.resources()) == before
    assert list(azure.objects(AKS.upper())) == ["v1/Service//plain"]


def test_objects_need_their_cluster_and_go_with_it(azure: Subscription) -> None:
    with pytest.raises(ArmError, match="ResourceNotFound"):
        azure.put_object(f"{AKS}x", SERVICE)
    azure.put_object(AKS, SERVICE)
    azure.remove(AKS)
    assert azure.objects(AKS) == {}


# Functions


def test_the_client_is_known_by_tenant_and_subscription(azure: Subscription) -> None:
    answer = azure.call("azure-native:authorization:getClientConfig", {})
    assert (answer["subscriptionId"], answer["tenantId"]) == (ID, TENANT)


def test_credentials_of_a_cluster_hold_no_secret(azure: Subscription) -> None:
    wanted = {"resourceGroupName": "rg", "resourceName": "aks"}
    answer = azure.call("containerservice:listManagedClusterUserCredentials", wanted)
    config = json.loads(base64.b64decode(answer["kubeconfigs"][0]["value"]))
    assert config["users"][0]["user"]["exec"]["command"] == "kubelogin"
    assert set(config["users"][0]["user"]) == {"exec"}
    assert azure.call("containerservice:listManagedClusterAdminCredentials", wanted)


@pytest.mark.parametrize(
    ("function", "name", "code"),
    [
        ("containerservice:listManagedClusterUserCredentials", "lost", "ResourceNotFound"),
        ("containerservice:listManagedClusterAdminCredentials", "new", "BadRequest"),
        ("compute:getVirtualMachine", "new", "InvalidResourceType"),
    ],
)
def test_functions_refuse_as_azure_does(azure: Subscription, function: str, name: str, code: str) -> None:
    put(azure, "cluster")
    with pytest.raises(ArmError, match=code):
        azure.call(function, {"resourceGroupName": "rg", "resourceName": name})


# Faults, events


def test_calls_are_counted_and_faults_remembered(azure: Subscription) -> None:
    assert [azure.next_call(), azure.next_call()] == [1, 2]
    azure.meet("quota@1")
    assert azure.met == {"quota@1"}


STEPS = st.lists(
    st.sampled_from(
        [
            "vault",
            "pool",
            "origin",
            "cluster",
            "network",
            "-vault",
            "-pool",
            "-origin",
            "drift",
            "object",
            "-object",
            "begin",
        ]
    ),
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_the_events_are_the_whole_subscription(steps: list[str]) -> None:
    azure = casebook.subscription({})
    for step in steps:
        with suppress(ArmError):
            carry_out(azure, step)
    again = casebook.subscription({})
    for event in json.loads(json.dumps(azure.take_events())):
        again.apply(event)
    assert again.resources() == azure.resources()
    assert again.operations() == azure.operations()
    assert again.objects(AKS) == azure.objects(AKS)
    assert again.soft_deleted == azure.soft_deleted
    assert again.busy == azure.busy


def carry_out(azure: Subscription, step: str) -> None:
    if step == "object":
        azure.put_object(AKS, SERVICE)
    elif step == "-object":
        azure.remove_object(AKS, cluster.object_key(SERVICE))
    elif step == "drift":
        azure.change(AKS, "tags", {"drift": str(len(azure.resources()))})
    elif step == "begin":
        azure.begin(casebook.request("registry", {}))
    elif step.startswith("-"):
        azure.remove(casebook.bases()[step[1:]]["id"])
    else:
        put(azure, step)


def test_an_event_that_is_not_known_changes_nothing(azure: Subscription) -> None:
    before = dict(azure.resources())
    azure.apply({"do": "dance"})
    assert azure.resources() == before


# Ids and what cannot change


def test_an_id_is_taken_apart() -> None:
    lock = f"{AKS}/providers/Microsoft.Authorization/locks/keep"
    assert type_of(f"{AKS}/agentPools/a") == "Microsoft.ContainerService/managedClusters/agentPools"
    assert (type_of(lock), scope_of(lock), parent_of(lock)) == ("Microsoft.Authorization/locks", AKS, AKS)
    assert (parent_of(f"{AKS}/agentPools/a"), parent_of(AKS), parent_of(RG)) == (AKS, RG, f"/subscriptions/{ID}")
    assert (type_of(RG), type_of(f"/subscriptions/{ID}")) == (
        "Microsoft.Resources/resourceGroups",
        "Microsoft.Resources/subscriptions",
    )
    assert (group_of(AKS), group_of("/subscriptions/x"), key("/A/b/")) == ("rg", "", "/a/b")
    assert within(f"{AKS}/agentPools/a", AKS.upper())
    assert not within(f"{AKS}2", AKS)


def test_what_cannot_change_is_said_in_arm_paths() -> None:
    assert {"properties.vmSize", "location", "name"} <= immutable(
        "microsoft.containerservice/MANAGEDCLUSTERS/agentPools"
    )
    assert immutable("Microsoft.Unheard/of") == {"location", "name"}
