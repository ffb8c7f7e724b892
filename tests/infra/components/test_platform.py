"""What Azure needs inside a cluster: identities, the way in, the order of pools, the releases of record; no secret."""

from __future__ import annotations

import base64
import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.blueprint.expander import RANK, ranks
from infra.blueprint.stack import CONTRACT, find, inputs
from infra.components import in_cluster
from infra.components.kubeconfig import static
from infra.components.record_map import releases
from infra.fleet import load_fleet
from infra.record import Entry, Record
from tests.infra.components.running import begin
from tests.infra.components.whole import KEPT, Whole

ATLAS = load_fleet("atlas")
SERVICES = {"chat", "chat-mini", "embed", "moderation"}


def test_a_service_account_becomes_its_managed_identity_without_a_secret(atlas: Whole) -> None:
    for region in KEPT:
        identities = atlas.stack("region", region).outputs["identities"]
        accounts = atlas.objects(region, "ServiceAccount")
        assert accounts.keys() == {f"models/{name}" for name in SERVICES}
        for name in SERVICES:
            notes = accounts[f"models/{name}"]["metadata"]["annotations"]
            assert notes["azure.workload.identity/client-id"] == identities[name]["client_id"]
        assert not atlas.objects(region, "Secret")


def test_the_identity_trusts_that_account_of_that_cluster_and_no_other(atlas: Whole) -> None:
    arm = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    for region in KEPT:
        found = atlas.all("platform", arm, region)
        assert found.keys() == SERVICES
        for name, one in found.items():
            properties = one.body["properties"]
            assert properties["subject"] == f"system:serviceaccount:models:{name}"
            assert properties["issuer"] == atlas.stack("region", region).outputs["oidc_issuer"]
            assert properties["audiences"] == ["api://AzureADTokenExchange"]


def test_the_gateways_load_balancer_is_internal_and_makes_the_private_link_the_edge_asks_for(atlas: Whole) -> None:
    for region in KEPT:
        made = atlas.stack("region", region).outputs
        service = atlas.objects(region, "Service")["gateway/gateway"]
        notes = service["metadata"]["annotations"]
        prefix = "service.beta.kubernetes.io/azure-"
        assert service["spec"]["type"] == "LoadBalancer" and notes[f"{prefix}load-balancer-internal"] == "true"
        assert notes[f"{prefix}pls-create"] == "true"
        group, link = notes[f"{prefix}pls-resource-group"], notes[f"{prefix}pls-name"]
        assert made["origin"]["pls_id"].endswith(
            f"/resourceGroups/{group}/providers/Microsoft.Network/privateLinkServices/{link}"
        )
        assert notes[f"{prefix}pls-ip-configuration-subnet"] == made["gateway_subnet"]


def test_the_autoscaler_grows_reserved_pools_first(atlas: Whole) -> None:
    config = atlas.objects("southcentralus", "ConfigMap")["kube-system/cluster-autoscaler-priority-expander"]
    order = yaml.safe_load(config["data"]["priorities"])
    assert order == {30: ["^aks-h100g1-.*$", "^aks-h200traing1-.*$"], 10: ["^aks-a100g1-.*$"], 1: [".*"]}


@given(st.lists(st.sampled_from([pool for region in ATLAS.regions for pool in region.pools]), min_size=1))
def test_no_pool_is_forgotten_and_what_is_paid_for_anyway_comes_first(pools: list[Any]) -> None:
    found = ranks(pools)
    assert sum(len(patterns) for patterns in found.values()) == len(pools) + 1
    assert list(found) == sorted(found, reverse=True)
    assert RANK["reserved"] > RANK["spot"] > RANK["on-demand"]


def test_namespaces_let_nobody_in_unasked_and_pods_have_no_rights_they_do_not_need(atlas: Whole) -> None:
    spaces = atlas.objects("eastus2", "Namespace")
    assert spaces.keys() == {"/models", "/gateway"}
    assert all(
        one["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted" for one in spaces.values()
    )
    closed = atlas.objects("eastus2", "NetworkPolicy")
    assert {key.partition("/")[0] for key in closed} == {"models", "gateway"}
    assert all(one["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]} for one in closed.values())


def test_the_cluster_is_told_the_releases_of_record(atlas: Whole) -> None:
    told = atlas.objects("eastus2", "ConfigMap")["models/releases-of-record"]["data"]
    assert told.keys() == SERVICES
    assert json.loads(told["chat"])["release"] == "v1" and "@sha256:" in json.loads(told["chat"])["image"]


def test_a_release_that_was_rolled_out_is_told_in_its_region_with_the_run_that_did_it() -> None:
    seen = inputs(find(ATLAS, "platform", "eastus2"), ATLAS)
    record = Record(seen, {"chat": {"eastus2": Entry(release="v2", run="r7", at="2026-11-02T09:00:00Z")}})
    told = json.loads(releases(record, "eastus2")["chat"])
    assert (told["release"], told["run"], told["at"]) == ("v2", "r7", "2026-11-02T09:00:00Z")


GIVEN = {
    "clusters": [
        {
            "name": "aks",
            "cluster": {"server": "https://aks.privatelink.example:443", "certificate-authority-data": "Q0E="},
        }
    ],
    "users": [{"name": "me", "user": {"token": "canary-secret", "client-key-data": "canary-key"}}],
}


def test_a_kubeconfig_has_the_clusters_address_and_a_login_and_nothing_that_is_secret() -> None:
    text = static(base64.b64encode(json.dumps(GIVEN).encode()).decode(), "tenant")
    assert "canary" not in text
    config = yaml.safe_load(text)
    assert config["clusters"] == GIVEN["clusters"]
    [user] = config["users"]
    assert user["user"]["exec"]["command"] == "kubelogin" and "tenant" in user["user"]["exec"]["args"]


def test_a_kubeconfig_stays_the_same_as_long_as_the_cluster_does() -> None:
    again = {**GIVEN, "users": [{"name": "me", "user": {"token": "another"}}]}
    texts = {static(base64.b64encode(json.dumps(one).encode()).decode(), "tenant") for one in (GIVEN, again)}
    assert len(texts) == 1


REGION = {
    "contract": CONTRACT,
    "resource_group": "rg",
    "cluster_name": "aks",
    "pls_name": "pls",
    "gateway_subnet": "gw",
    "oidc_issuer": "https://issuer",
    "identities": {name: {"name": name, "client_id": "c"} for name in SERVICES},
}


def test_a_cluster_that_cannot_be_reached_is_never_taken_for_an_empty_one() -> None:
    """The provider is told where the cluster is and how to log in: not to forget what it cannot see, nor a secret."""
    given = base64.b64encode(json.dumps(GIVEN).encode()).decode()
    token = "azure-native:containerservice:listManagedClusterUserCredentials"
    answers = {token: {"kubeconfigs": [{"name": "clusterUser", "value": given}]}}
    stack = find(ATLAS, "platform", "eastus2")
    below = {find(ATLAS, "base").reference: {}, find(ATLAS, "region", "eastus2").reference: REGION}
    assert ATLAS.azure is not None
    run = begin(stack, ATLAS.azure.subscription, in_cluster.build, below=below, answers=answers)
    assert not run.refusal
    [provider] = [one for one in run.asked if one.type == "pulumi:providers:kubernetes"]
    assert set(provider.object) == {"kubeconfig", "enableServerSideApply"}
    config = json.loads(provider.object["kubeconfig"])
    assert config == json.loads(static(given, ATLAS.azure.tenant)) and "canary" not in provider.object["kubeconfig"]
