"""What Pulumi needs in Azure: closed to networks and keys, zone-redundant, with names that follow from the fleet."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.blueprint.foundation import ACTIONS, denied, difference, foundation, guid
from infra.fleet import load_fleet

ATLAS = load_fleet("atlas")
assert ATLAS.azure is not None
MADE = foundation(ATLAS, ATLAS.azure)


def test_state_is_open_to_nobody_but_entra_identities_on_private_endpoints() -> None:
    """No shared key, no public blob, no public network."""
    account = MADE.items[1].body["properties"]
    assert (account["allowSharedKeyAccess"], account["allowBlobPublicAccess"]) == (False, False)
    assert account["publicNetworkAccess"] == "Disabled" and account["networkAcls"]["defaultAction"] == "Deny"
    vault = MADE.items[4].body["properties"]
    assert (vault["enablePurgeProtection"], vault["enableRbacAuthorization"]) == (True, True)
    assert vault["publicNetworkAccess"] == "Disabled"


def test_what_is_deleted_can_be_had_back() -> None:
    """Versions, soft delete, and a lock on all of it."""
    blobs = MADE.items[2].body["properties"]
    assert blobs["isVersioningEnabled"] and blobs["deleteRetentionPolicy"]["enabled"]
    assert MADE.items[-1].body["properties"]["level"] == "CanNotDelete"


def test_no_copy_of_state_leaves_its_region() -> None:
    """Zone-redundant where there are zones; geo-redundant never."""
    assert MADE.items[1].body["sku"] == {"name": "Standard_ZRS"}
    without = ATLAS.regions[0].model_copy(update={"location": "northcentralus", "zones": ()})
    fleet = ATLAS.model_copy(update={"regions": (without, *ATLAS.regions[1:])})
    assert ATLAS.azure is not None
    assert foundation(fleet, ATLAS.azure).items[1].body["sku"] == {"name": "Standard_LRS"}


def test_allowed_addresses_open_a_firewall_and_no_more() -> None:
    """A single address loses its /32 for storage, which Azure wants so, and keeps it for the vault."""
    assert ATLAS.azure is not None
    opened = foundation(ATLAS, ATLAS.azure, ["20.42.1.7/32"])
    account, vault = opened.items[1].body["properties"], opened.items[4].body["properties"]
    assert account["networkAcls"] == {
        "defaultAction": "Deny",
        "bypass": "AzureServices",
        "ipRules": [{"value": "20.42.1.7", "action": "Allow"}],
    }
    assert vault["networkAcls"]["ipRules"] == [{"value": "20.42.1.7/32"}]


def test_the_lines_for_pulumi_follow_from_the_fleet() -> None:
    """A container of its own for each environment."""
    assert MADE.backend == f"azblob://pulumi-production?storage_account={MADE.account}"
    assert MADE.secrets == f"azurekeyvault://{MADE.vault}.vault.azure.net/keys/pulumi"
    assert re.fullmatch("[a-z0-9]{3,24}", MADE.account) and re.fullmatch("[a-z][a-z0-9-]{2,23}", MADE.vault)


def test_every_item_is_made_after_what_it_lies_in() -> None:
    """A parent before its child, and each once."""
    ids = [item.id for item in MADE.items]
    assert len(set(ids)) == len(ids)
    for place, one in enumerate(ids):
        assert not [parent for parent in ids[place:] if one != parent and one.startswith(f"{parent}/")]


def test_a_guid_follows_from_its_text() -> None:
    """In the form that Azure takes; another text, another one."""
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", guid("a"))
    assert guid("a") == guid("a") != guid("b")


@pytest.mark.parametrize(
    ("wanted", "found", "paths"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, ()),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ("a.b",)),
        ({"a": {"b": 1}}, {}, ("a.b",)),
        ({"a": "East US 2"}, {"a": "eastus2"}, ()),
        ({"a": [1, 2]}, {"a": [1]}, ("a",)),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ("a[0].b",)),
        ({"a": []}, {"a": None}, ("a",)),
    ],
)
def test_a_difference_names_its_paths(wanted: Any, found: Any, paths: tuple[str, ...]) -> None:
    """What is there beside that is left alone."""
    assert difference(wanted, found) == paths


JSON = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    """So that a second run changes nothing."""
    assert difference(value, value) == ()


@pytest.mark.parametrize(
    ("actions", "without", "lacking"),
    [
        (["*"], [], 0),
        ([], [], len(ACTIONS)),
        (["*"], ["Microsoft.Authorization/*/Write"], 2),
        (["Microsoft.Storage/*", "Microsoft.KeyVault/vaults/*"], [], 3),
        (["*/write"], [], 0),
        (["*/read"], [], len(ACTIONS)),
        (["Microsoft.Storage/storageAccounts/write"], [], len(ACTIONS) - 1),
        (["Microsoft.KeyVault/*/keys/*"], [], len(ACTIONS) - 1),
    ],
)
def test_a_right_is_what_a_role_says_minus_what_it_takes_back(
    actions: list[str], without: list[str], lacking: int
) -> None:
    """Patterns with stars, in letters of any size."""
    assert len(denied([{"actions": actions, "notActions": without}])) == lacking
