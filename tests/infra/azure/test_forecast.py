"""What a preview can say of outputs: inputs, what stays, and nothing that only Azure knows."""

import pytest

from infra.azure import forecast
from infra.azure.schema import UNKNOWN

CLUSTER = "azure-native:containerservice:ManagedCluster"


def test_what_only_azure_writes_is_unknown_at_every_depth():
    expected = forecast.made(CLUSTER, {"dnsPrefix": "x", "identity": {"type": "SystemAssigned"}})
    assert (expected["dnsPrefix"], expected["fqdn"]) == ("x", UNKNOWN)
    assert expected["identity"] == {"type": "SystemAssigned", "principalId": UNKNOWN, "tenantId": UNKNOWN}


def test_a_list_that_azure_shows_as_a_map_is_unknown():
    identity = {"type": "UserAssigned", "userAssignedIdentities": ["/subscriptions/s/id"]}
    assert forecast.made(CLUSTER, {"identity": identity})["identity"]["userAssignedIdentities"] is UNKNOWN


def test_of_a_type_without_a_shape_the_inputs_are_all_that_is_known():
    assert forecast.made("azure-native:resources:Resource", {"properties": {"a": 1}}) == {"properties": {"a": 1}}


@pytest.mark.parametrize(
    ("outputs", "inputs", "expected"),
    [
        ({"id": "x", "a": 1}, {"a": 2}, {"id": "x", "a": 2}),
        ({"identity": {"principalId": "p", "type": "S"}}, {"identity": {"type": "S"}}, None),
        ({"pools": [{"name": "a", "image": "i"}]}, {"pools": [{"name": "a"}]}, None),
        ({"pools": [{"name": "a"}]}, {"pools": []}, {"pools": []}),
        ({"ids": {"x": {"clientId": "c"}}}, {"ids": ["x"]}, None),
    ],
)
def test_what_new_inputs_do_not_speak_of_stays(outputs, inputs, expected):
    assert forecast.changed(outputs, inputs) == (outputs if expected is None else expected)
