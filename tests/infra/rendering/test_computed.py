"""What Azure computes: told apart from what somebody asked for, and asked for again by an expression."""

from infra.azure.schema import Request
from infra.rendering.computed import Computed, referred

ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-x"
IDENTITY = Request("t", ID, "Microsoft.ManagedIdentity/userAssignedIdentities", "2023-01-31", "id-x", None, {})
TENANT, PRINCIPAL = "the-tenant", "a-principal"
ANSWER = {
    "id": ID,
    "location": "eastus2",
    "properties": {"tenantId": TENANT, "principalId": PRINCIPAL, "clientId": "a-client"},
}


def heard(*pairs):
    computed = Computed({TENANT})
    for request, answer in pairs:
        computed.hear(request, answer)
    return computed.expressions


def test_what_only_azure_writes_is_asked_for_where_it_is():
    assert heard((IDENTITY, ANSWER)) == {
        PRINCIPAL: f"[reference('{ID}', '2023-01-31').principalId]",
        "a-client": f"[reference('{ID}', '2023-01-31').clientId]",
    }


def test_what_is_not_among_the_properties_is_asked_for_in_the_full_resource():
    type = "Microsoft.DataProtection/backupVaults"
    vault = Request("t", "/vault", type, "2025-01-01", "v", None, {"identity": {"type": "SystemAssigned"}})
    answer = {"identity": {"type": "SystemAssigned", "principalId": PRINCIPAL}, "properties": {}}
    expression = "[reference('/vault', '2025-01-01', 'Full').identity.principalId]"
    assert heard((vault, answer)) == {PRINCIPAL: expression}


def test_what_somebody_asked_for_before_is_no_word_of_azures():
    said = Request("t", "/x", "Unknown/type", "2025-01-01", "x", None, {"properties": {"groups": [PRINCIPAL]}})
    assert PRINCIPAL not in heard((said, {}), (IDENTITY, ANSWER))


def test_the_first_who_was_told_a_value_is_asked_for_it():
    again = Request("t", f"{ID}2", IDENTITY.type, IDENTITY.api_version, "id-y", None, {})
    assert ID in heard((IDENTITY, ANSWER), (again, ANSWER))[PRINCIPAL]
    assert f"{ID}2" not in heard((IDENTITY, ANSWER), (again, ANSWER))[PRINCIPAL]


def test_only_a_whole_text_is_replaced():
    value = {"a": [PRINCIPAL, 1], "b": f"not {PRINCIPAL}", "c": {"d": PRINCIPAL}}
    assert referred(value, {PRINCIPAL: "[x]"}) == {"a": ["[x]", 1], "b": f"not {PRINCIPAL}", "c": {"d": "[x]"}}


def test_a_state_in_a_word_is_nobodys_own():
    """Many resources say it, and a later one may ask for it."""
    done = {**ANSWER, "properties": {**ANSWER["properties"], "tenantId": "Succeeded"}}
    assert "Succeeded" not in heard((IDENTITY, done))
