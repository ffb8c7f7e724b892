"""What Pulumi itself needs in Azure and cannot make: where its state and the key of its secrets lie. Pure: values only.

State is a blob container of its own for each environment, in an account that is zone-redundant, versioned, open to
Entra identities only and to no public network; secrets in state are encrypted with a key that never leaves its vault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.azure.facts import regions
from infra.blueprint.naming import Naming
from infra.blueprint.placement import home, vault_location
from infra.fleet import Azure, Fleet

DAYS = 90  # deleted vaults, containers and versions can be had back for so long; the longest that Key Vault has
KEY, PART = "pulumi", "state"
PROVIDERS = (
    "Microsoft.Storage",
    "Microsoft.KeyVault",
    "Microsoft.ContainerService",
    "Microsoft.ContainerRegistry",
    "Microsoft.Network",
    "Microsoft.Compute",
    "Microsoft.ManagedIdentity",
    "Microsoft.Cdn",
    "Microsoft.Insights",
    "Microsoft.Monitor",
    "Microsoft.AlertsManagement",
    "Microsoft.OperationalInsights",
    "Microsoft.DataProtection",
    "Microsoft.PolicyInsights",
    "Microsoft.Security",
    "Microsoft.Consumption",
)
"""Resource providers that a fleet uses; a subscription knows one only after it was registered there."""

# Built-in roles: MicrosoftDocs/azure-docs articles/role-based-access-control/built-in-roles.md (2026-04-09).
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"  # Storage Blob Data Contributor: read and write state
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"  # Key Vault Crypto User: wrap and unwrap the secrets' key

# What must be allowed to whoever runs this: learn.microsoft.com, "Azure permissions for ...".
ACTIONS = (
    "Microsoft.Resources/subscriptions/resourceGroups/write",
    "Microsoft.Storage/storageAccounts/write",
    "Microsoft.KeyVault/vaults/write",
    "Microsoft.KeyVault/vaults/keys/write",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/locks/write",
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that must be there: its ARM id and api version, and what its body must hold at least."""

    id: str
    api: str
    title: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Foundation:
    """All of it for one fleet, in the order it is made, and the names that Pulumi is given."""

    group: str
    account: str
    container: str
    vault: str
    items: tuple[Item, ...]

    @property
    def backend(self) -> str:
        """The value of PULUMI_BACKEND_URL."""
        return f"azblob://{self.container}?storage_account={self.account}"

    @property
    def secrets(self) -> str:
        """The secrets provider of every stack."""
        return f"azurekeyvault://{self.vault}.vault.azure.net/keys/{KEY}"


def foundation(fleet: Fleet, azure: Azure, allowed: Sequence[str] = ()) -> Foundation:
    """What a fleet needs. `allowed`: the public addresses (CIDR) that may reach it; none: private endpoints only."""
    names = Naming(fleet.name, fleet.environment, azure.subscription)
    location = home(fleet).location
    group = names.name("resource group", location, PART)
    account, vault = names.name("storage account", location, PART), names.name("key vault", location, PART)
    made = Foundation(group, account, f"pulumi-{fleet.environment}", vault, ())
    return Foundation(group, account, made.container, vault, tuple(_items(made, fleet, azure, location, allowed)))


def _items(made: Foundation, fleet: Fleet, azure: Azure, location: str, allowed: Sequence[str]) -> Iterator[Item]:
    tags = {"fleet": fleet.name, "environment": fleet.environment, "managed-by": "ops fleet bootstrap"}
    group = f"/subscriptions/{azure.subscription}/resourceGroups/{made.group}"
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/{made.account}"
    container = f"{account}/blobServices/default/containers/{made.container}"
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/{made.vault}"
    place = {"location": location, "tags": tags}
    yield Item(group, "2024-03-01", f"resource group {made.group}", place)
    yield Item(account, "2024-01-01", f"storage account {made.account}", {**place, **_account(location, allowed)})
    yield Item(f"{account}/blobServices/default", "2024-01-01", "versions and soft delete of blobs", _blobs())
    yield Item(container, "2024-01-01", f"container {made.container}", {"properties": {"publicAccess": "None"}})
    inside = {**place, "location": vault_location(fleet, home(fleet))}  # Key Vault copies it to the pair of its region
    yield Item(vault, "2024-11-01", f"key vault {made.vault}", {**inside, **_vault(azure.tenant, allowed)})
    yield Item(f"{vault}/keys/{KEY}", "2024-11-01", f"key {KEY}", {"properties": {"kty": "RSA", "keySize": 3072}})
    yield _role(account, BLOB_CONTRIBUTOR, "state", azure)
    yield _role(vault, CRYPTO_USER, "the key", azure)
    lock = {"properties": {"level": "CanNotDelete", "notes": "The state of the fleet. Remove this lock first."}}
    yield Item(f"{group}/providers/Microsoft.Authorization/locks/state", "2020-05-01", "lock against deletion", lock)


def _account(location: str, allowed: Sequence[str]) -> dict[str, Any]:
    sku = "Standard_ZRS" if regions()[location].zones else "Standard_LRS"  # never GRS: its copy leaves the region
    properties = {
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
        "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False,
        "defaultToOAuthAuthentication": True,
        "allowCrossTenantReplication": False,
        **_network([{"value": block.removesuffix("/32"), "action": "Allow"} for block in allowed]),
    }
    return {"kind": "StorageV2", "sku": {"name": sku}, "properties": properties}


def _blobs() -> dict[str, Any]:
    kept = {"enabled": True, "days": DAYS}
    return {
        "properties": {
            "isVersioningEnabled": True,
            "deleteRetentionPolicy": kept,
            "containerDeleteRetentionPolicy": kept,
        }
    }


def _vault(tenant: str, allowed: Sequence[str]) -> dict[str, Any]:
    properties = {
        "tenantId": tenant,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": DAYS,
        "enablePurgeProtection": True,
        **_network([{"value": block} for block in allowed]),
    }
    return {"properties": properties}


def _network(rules: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    acls = {"defaultAction": "Deny", "bypass": "AzureServices", "ipRules": list(rules)}
    return {"publicNetworkAccess": "Enabled" if rules else "Disabled", "networkAcls": acls}


def _role(scope: str, role: str, what: str, azure: Azure) -> Item:
    """The administrators' role on a scope; its name is a GUID that follows from what it says, so it is made once."""
    definition = f"/subscriptions/{azure.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    properties = {"roleDefinitionId": definition, "principalId": azure.admins, "principalType": "Group"}
    name = guid(f"{scope}/{role}/{azure.admins}".lower())
    id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    return Item(id, "2022-04-01", f"role of the administrators on {what}", {"properties": properties})


def guid(text: str) -> str:
    """A GUID that follows from a text, in the form of RFC 9562, version 8: made by a rule of one's own."""
    digits = list(hashlib.sha256(text.encode()).hexdigest()[:32])
    digits[12], digits[16] = "8", "89ab"[int(digits[16], 16) % 4]
    joined = "".join(digits)
    return "-".join((joined[:8], joined[8:12], joined[12:16], joined[16:20], joined[20:]))


def difference(wanted: Any, found: Any, path: str = "") -> tuple[str, ...]:
    """The paths at which `found` is not what is wanted. What it holds beside that is left alone."""
    if isinstance(wanted, Mapping):
        there = found if isinstance(found, Mapping) else {}
        below = [difference(value, there.get(key), f"{path}.{key}" if path else key) for key, value in wanted.items()]
        return tuple(one for paths in below for one in paths)
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return (path,)
        rows = enumerate(zip(wanted, found, strict=True))
        return tuple(where for at, (one, other) in rows for where in difference(one, other, f"{path}[{at}]"))
    return () if _plain(wanted) == _plain(found) else (path,)


def _plain(value: Any) -> Any:
    """ARM writes names, places and ids in letters of any size."""
    return value.replace(" ", "").lower() if isinstance(value, str) else value


def denied(permissions: Sequence[Mapping[str, Any]], actions: Sequence[str] = ACTIONS) -> tuple[str, ...]:
    """The actions that none of a person's permissions (actions, notActions) allows."""
    return tuple(action for action in actions if not any(_allows(one, action) for one in permissions))


def _allows(permission: Mapping[str, Any], action: str) -> bool:
    allowed = any(_matches(pattern, action) for pattern in permission.get("actions", ()))
    return allowed and not any(_matches(pattern, action) for pattern in permission.get("notActions", ()))


def _matches(pattern: str, action: str) -> bool:
    """Whether a pattern of a role, such as Microsoft.Storage/*/write, covers an action. A star is any text."""
    rest, *parts = pattern.lower().split("*")
    text = action.lower()
    if not text.startswith(rest):
        return False
    text = text[len(rest) :]
    for part in parts[:-1]:
        _, found, text = text.partition(part)
        if part and not found:
            return False
    return text.endswith(parts[-1]) if parts else text == ""
