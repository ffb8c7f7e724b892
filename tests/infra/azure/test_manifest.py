"""Kubernetes objects: names, what cannot change in place, which cluster a kubeconfig is for."""

import pytest

from infra.azure import kubeconfig, manifest
from infra.azure.inventory import Inventory
from infra.azure.refusal import ArmError
from infra.azure.schema import UNKNOWN

URN = "urn:pulumi:demo::fleet-platform::kubernetes:core/v1:ConfigMap::settings"
CLUSTER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c"
CONFIG = {"clusters": [{"cluster": {"server": "https://c.private.azmk8s.io:443/"}}]}


def one(kind="ConfigMap", **rest):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, **rest}


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        (one(), []),
        ({"metadata": {"name": "x"}}, ["apiVersion", "kind"]),
        (one(metadata=UNKNOWN), []),
        (one(metadata="x"), ["metadata"]),
    ],
)
def test_an_object_needs_a_version_a_kind_and_metadata(wanted, paths):
    assert [flaw.path for flaw in manifest.flaws(wanted)] == paths


def test_an_object_without_a_name_always_gets_the_same_one():
    nameless = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": {"a": "b"}}}
    first, again = manifest.named(nameless, URN), manifest.named(nameless, URN)
    assert first == again
    assert first["metadata"]["name"].startswith("settings-")
    assert manifest.named(nameless, URN + "2") != first


@pytest.mark.parametrize("metadata", [{"name": "mine"}, UNKNOWN])
def test_a_name_that_is_there_or_not_known_yet_is_kept(metadata):
    assert manifest.named(one(metadata=metadata), URN)["metadata"] == metadata


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        (one(), "default/x"),
        (one(metadata={"name": "x", "namespace": "models"}), "models/x"),
        (one("Namespace"), "x"),
        (one("ClusterRole", metadata={"name": "x", "namespace": "ignored"}), "x"),
    ],
)
def test_an_object_is_called_by_namespace_and_name(wanted, key):
    assert manifest.key(wanted) == key


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        (one("Deployment"), "spec.selector"),
        (one("ClusterRoleBinding"), "roleRef"),
        (one("ConfigMap", immutable=True), "data"),
        (one(), "metadata.name"),
    ],
)
def test_what_the_api_server_does_not_change_needs_a_new_object(wanted, path):
    assert path in manifest.fixed(wanted)


def test_the_data_of_an_ordinary_object_may_change():
    assert "data" not in manifest.fixed(one())


@pytest.mark.parametrize(
    ("token", "key", "identity"),
    [
        (
            "kubernetes:core/v1:Namespace",
            "models",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "models"}},
        ),
        (
            "kubernetes:apps/v1:Deployment",
            "models/chat",
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "chat", "namespace": "models"}},
        ),
    ],
)
def test_an_object_can_be_read_by_its_type_and_id(token, key, identity):
    assert manifest.named_by(token, key) == identity


def test_what_only_the_cluster_writes_is_no_wish():
    full = one(metadata={"name": "x", "uid": "u", "resourceVersion": "7"}, status={"phase": "Active"})
    assert manifest.declared(full) == one()


@pytest.mark.parametrize(
    ("config", "host"),
    [
        (CONFIG, "c.private.azmk8s.io"),
        ("clusters: [{cluster: {server: 'https://c.private.azmk8s.io:443'}}]", "c.private.azmk8s.io"),
        (UNKNOWN, ""),
        (None, ""),
    ],
)
def test_a_kubeconfig_names_the_host_of_its_api_server(config, host):
    assert kubeconfig.server(config) == host


@pytest.mark.parametrize("name", ["fqdn", "privateFQDN"])
def test_a_cluster_is_found_by_either_of_its_host_names(name):
    inventory = Inventory()
    inventory.put(CLUSTER, {"properties": {name: "c.private.azmk8s.io"}})
    assert kubeconfig.cluster_at(inventory, "c.private.azmk8s.io") == CLUSTER


@pytest.mark.parametrize(("host", "said"), [("gone.azmk8s.io", "gone.azmk8s.io"), ("", "not known yet")])
def test_a_cluster_that_is_not_there_is_unreachable(host, said):
    inventory = Inventory()
    inventory.put(CLUSTER, {"properties": {}})
    with pytest.raises(ArmError, match=f"unreachable.*{said}"):
        kubeconfig.cluster_at(inventory, host)
