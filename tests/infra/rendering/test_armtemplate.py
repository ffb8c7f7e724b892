"""ARM templates: one for a stack, or one per scope; complete, and the same bytes for the same requests in any order."""

import json
import random

import pytest

from infra.azure.schema import Request
from infra.rendering.armtemplate import GROUP, NESTED, SUBSCRIPTION, template, templates
from tests.infra.rendering.unfolded import unfolded

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


BEFORE = {POOL: [CLUSTER, RG], CLUSTER: [RG], ROLE: [CLUSTER], BUDGET: [RG, CLUSTER]}
HOST = "made-up.example.com"
ASKED = "[reference('x', '2025-01-01').hostName]"


def made(requests=tuple(REQUESTS)):
    return templates(requests, BEFORE, {HOST: ASKED})


def whole(requests=tuple(REQUESTS), before=BEFORE, name="fleet-region.demo"):
    return template(name, requests, before, {HOST: ASKED})


def by_name(template):
    return {resource["name"]: resource for resource in template["resources"]}


def test_what_lies_in_a_group_and_what_lies_in_the_subscription_are_two_templates():
    both = made()
    assert {group: template["$schema"] for group, template in both.items()} == {"": SUBSCRIPTION, "rg-x": GROUP}
    assert set(by_name(both[""])) == {"rg-x", "bud-x"}


def test_one_template_of_the_subscription_has_what_lies_in_a_group_as_a_nested_deployment():
    outer = by_name(whole())
    nested = outer["fleet-region.demo-1"]
    assert whole()["$schema"] == SUBSCRIPTION and set(outer) == {"rg-x", "bud-x", "fleet-region.demo-1"}
    assert (nested["type"], nested["resourceGroup"]) == (NESTED, "rg-x")
    assert nested["properties"]["expressionEvaluationOptions"] == {"scope": "inner"}
    assert nested["properties"]["template"] == made()["rg-x"]


def test_the_outer_order_is_that_of_the_resources_with_a_deployment_in_the_place_of_what_is_in_it():
    outer = by_name(whole())
    group = f"{ROOT}/providers/Microsoft.Resources/resourceGroups/rg-x"
    nested = f"{RG}/providers/Microsoft.Resources/deployments/fleet-region.demo-1"
    assert "dependsOn" not in outer["rg-x"]
    assert outer["fleet-region.demo-1"]["dependsOn"] == [group]
    assert outer["bud-x"]["dependsOn"] == [group, nested]


def test_two_groups_that_wait_for_each_other_are_deployed_in_steps():
    ids = [f"{ROOT}/resourceGroups/rg-{group}/providers/Some/thing/{step}" for step in (1, 2) for group in "ab"]
    steps = whole([request(id) for id in ids], {ids[2]: [ids[1]], ids[3]: [ids[2]]})
    inside = {one["name"]: [*by_name(one["properties"]["template"])] for one in steps["resources"]}
    assert inside == {"fleet-region.demo-1": ["1"], "fleet-region.demo-2": ["1"]} | {
        "fleet-region.demo-3": ["2"],
        "fleet-region.demo-4": ["2"],
    }
    waits = {one["name"]: [id.rpartition("-")[2] for id in one.get("dependsOn", ())] for one in steps["resources"]}
    assert list(waits.values()) == [[], [], ["2"], ["3"]]


@pytest.mark.parametrize(("form", "place"), [(whole, ""), (lambda requests: made(requests)["rg-x"], RG)])
def test_what_a_resource_lies_in_comes_first_even_where_nobody_said_so(form, place):
    machine = f"{POOL}/machines/one"
    found = unfolded(form([*REQUESTS, request(machine)]), ROOT, place)
    assert {CLUSTER, POOL} <= next(one.before for one in found if one.id == machine)


def test_a_name_that_is_too_long_for_a_deployment_is_cut_and_stays_apart_from_others():
    names = {name for end in "ab" for name in by_name(whole(name="x" * 70 + end)) if name.startswith("x")}
    assert len(names) == 2 and all(len(name) <= 64 for name in names)


def test_a_value_that_azure_computes_is_asked_for_in_properties_and_nowhere_else():
    body = {"location": HOST, "properties": {"names": [HOST, "other"]}}
    resource = by_name(made([request(CLUSTER, body)])["rg-x"])["aks-x"]
    assert (resource["location"], resource["properties"]) == (HOST, {"names": [ASKED, "other"]})


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
        assert json.dumps(whole(shuffled)) == json.dumps(whole())
