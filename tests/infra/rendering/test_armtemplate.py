"""ARM templates: one per scope, complete, and the same bytes for the same requests in any order."""

import json
import random

from infra.azure.schema import Request
from infra.rendering.armtemplate import GROUP, SUBSCRIPTION, templates

ROOT = "/subscriptions/00000000-0000-0000-0000-000000000001"
RG = f"{ROOT}/resourceGroups/rg-x"
CLUSTER = f"{RG}/providers/Microsoft.ContainerService/managedClusters/aks-x"
POOL = f"{CLUSTER}/agentPools/gpug1"
ROLE = f"{CLUSTER}/providers/Microsoft.Authorization/roleAssignments/11111111-1111-1111-1111-111111111111"
BUDGET = f"{ROOT}/providers/Microsoft.Consumption/budgets/bud-x"


def request(id, body=None):
    return Request("token", id, "Some/type", "2025-01-01", "name", None, body or {})


REQUESTS = [
    request(RG, {"location": "eastus2"}),
    request(CLUSTER, {"properties": {"dnsPrefix": "[x"}, "location": "eastus2", "sku": {"name": "Base"}, "tags": None}),
    request(POOL, {"properties": {"count": 1}}),
    request(ROLE),
    request(BUDGET),
]


def made(requests=tuple(REQUESTS)):
    return templates(requests, {POOL: [CLUSTER, RG], CLUSTER: [RG], ROLE: [CLUSTER]})


def by_name(template):
    return {resource["name"]: resource for resource in template["resources"]}


def test_what_lies_in_a_group_and_what_lies_in_the_subscription_are_two_templates():
    both = made()
    assert {group: template["$schema"] for group, template in both.items()} == {"": SUBSCRIPTION, "rg-x": GROUP}
    assert set(by_name(both[""])) == {"rg-x", "bud-x"}


def test_a_resource_has_the_type_and_name_of_all_that_it_lies_in():
    pool = by_name(made()["rg-x"])["aks-x/gpug1"]
    assert pool["type"] == "Microsoft.ContainerService/managedClusters/agentPools"
    assert pool["apiVersion"] == "2025-01-01"


def test_an_extension_names_its_scope():
    role = by_name(made()["rg-x"])["11111111-1111-1111-1111-111111111111"]
    assert (role["type"], role["scope"]) == ("Microsoft.Authorization/roleAssignments", CLUSTER)
    assert "scope" not in by_name(made()[""])["bud-x"]


def test_a_resource_waits_for_those_of_its_own_template_only():
    resources = by_name(made()["rg-x"])
    assert resources["aks-x/gpug1"]["dependsOn"] == [CLUSTER]
    assert "dependsOn" not in resources["aks-x"]


def test_a_value_is_never_taken_for_an_expression_and_nothing_is_left_out():
    cluster = by_name(made()["rg-x"])["aks-x"]
    assert cluster["properties"] == {"dnsPrefix": "[[x"}
    assert list(cluster) == ["type", "apiVersion", "name", "location", "sku", "metadata", "properties"]


def test_a_finding_of_a_scanner_that_we_answer_for_is_waived_at_its_resource_with_the_reason():
    resources = by_name(made()["rg-x"])
    waivers = resources["aks-x"]["metadata"]["checkov"]
    assert [text.split(":")[1] for text in waivers] == ["skip=CKV_AZURE_6", "skip=CKV_AZURE_172"]
    assert all(len(text.split(":", 2)[2]) > 20 for text in waivers)
    assert "metadata" not in resources["aks-x/gpug1"]


def test_the_order_of_requests_does_not_matter():
    for seed in range(5):
        shuffled = random.Random(seed).sample(REQUESTS, len(REQUESTS))
        assert json.dumps(made(shuffled)) == json.dumps(made())
