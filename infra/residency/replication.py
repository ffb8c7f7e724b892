"""The ARM properties that move data: a request -> every place it copies, sends or lets data go to. Pure.

A table, and a net under it: a property that is called like a location and holds one counts too, whatever the type, and
so does every id of another resource. Knows no fleet; what may lead where is proof.py's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.azure.facts import regions
from infra.azure.pairs import pair, vault_pair
from infra.azure.schema import Request

WORLD = "anywhere in the world"


@dataclass(frozen=True, slots=True)
class Lead:
    """A property of a resource, and where it leads: an Azure region or WORLD, and by what."""

    path: str
    location: str
    by: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A property that holds a value: an id of another resource, or text with its name in it."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Copier:
    """A property with which Azure copies to the paired region. `default` is what ARM takes it for if it is not said."""

    type: str
    path: str
    values: tuple[str, ...]
    by: str
    default: str = ""


GEO_STORAGE = (
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "StandardV2_GRS",
    "StandardV2_GZRS",
)

COPIERS = (  # each from the resource provider's reference, learn.microsoft.com/azure/templates/<type>
    Copier("microsoft.storage/storageaccounts", "sku.name", GEO_STORAGE, "geo-redundant storage"),
    Copier(
        "microsoft.dataprotection/backupvaults",
        "properties.storageSettings[].type",
        ("GeoRedundant",),
        "geo-redundant backups",
    ),
    Copier(
        "microsoft.dataprotection/backupvaults",
        "properties.featureSettings.crossRegionRestoreSettings.state",
        ("Enabled",),
        "cross-region restore",
    ),
    Copier(
        "microsoft.recoveryservices/vaults",
        "properties.redundancySettings.standardTierStorageRedundancy",
        ("GeoRedundant",),
        "geo-redundant backups",
        "GeoRedundant",
    ),
    Copier(
        "microsoft.recoveryservices/vaults",
        "properties.redundancySettings.crossRegionRestore",
        ("Enabled",),
        "cross-region restore",
    ),
    Copier(
        "microsoft.recoveryservices/vaults/backupstorageconfig",
        "properties.storageModelType",
        ("GeoRedundant", "ReadAccessGeoZoneRedundant"),
        "geo-redundant backups",
    ),
    Copier(
        "microsoft.dbforpostgresql/flexibleservers",
        "properties.backup.geoRedundantBackup",
        ("Enabled",),
        "geo-redundant backups",
    ),
    Copier(
        "microsoft.dbformysql/flexibleservers",
        "properties.backup.geoRedundantBackup",
        ("Enabled",),
        "geo-redundant backups",
    ),
    Copier(
        "microsoft.sql/servers/databases",
        "properties.requestedBackupStorageRedundancy",
        ("Geo", "GeoZone"),
        "geo-redundant backups",
        "Geo",
    ),
    Copier(
        "microsoft.documentdb/databaseaccounts",
        "properties.backupPolicy.periodicModeProperties.backupStorageRedundancy",
        ("Geo",),
        "geo-redundant backups",
    ),
)

# Properties that name regions, and what goes there. [] stands for every item of a list.
REPLICAS = {
    "microsoft.containerregistry/registries/replications": ("location", "registry replication"),
    "microsoft.documentdb/databaseaccounts": ("properties.locations[].locationName", "a replica"),
    "microsoft.eventhub/namespaces": ("properties.geoDataReplication.locations[].locationName", "geo-replication"),
    "microsoft.servicebus/namespaces": ("properties.geoDataReplication.locations[].locationName", "geo-replication"),
    "microsoft.operationalinsights/workspaces": ("properties.replication.location", "workspace replication"),
    "microsoft.compute/galleries/images/versions": ("properties.publishingProfile.targetRegions[].name", "a replica"),
    "microsoft.keyvault/managedhsms": ("properties.regions[].name", "multi-region replication"),
    "microsoft.dataprotection/backupvaults": ("properties.replicatedRegions[]", "vault replication"),
    "microsoft.dataprotection/backupinstances": ("properties.dataSourceInfo.resourceLocation", "a backup"),
    "microsoft.cognitiveservices/accounts": ("properties.locations.regions[].name", "multi-region routing"),
    "microsoft.cdn/profiles/origingroups/origins": (
        "properties.sharedPrivateLinkResource.privateLinkLocation",
        "private link of the edge",
    ),
}

_LOCATION_KEY = re.compile(r"(location|region|locationname)$", re.IGNORECASE)  # homeLocation, workspaceRegion, ...


def leads(request: Request) -> Iterator[Lead]:
    """Every region that a request's properties lead data to, beside where the resource itself lies."""
    yield from _pairs(request)
    yield from _everywhere(request)
    path, by = REPLICAS.get(request.type.lower(), ("", ""))
    named = find(request.body, path) if path else []
    yield from (Lead(where, normal(value), by) for where, value in named if normal(value) in regions())
    seen = {where for where, _ in named} | {"location"}
    for where, value in walk(request.body):
        if where not in seen and _LOCATION_KEY.search(where) and normal(value) in regions():
            yield Lead(where, normal(value), "what it names")


def mentions(request: Request) -> Iterator[Mention]:
    """Every text in a request's body that could name another resource."""
    for path, value in walk(request.body):
        if isinstance(value, str) and not path.startswith("tags."):
            yield Mention(path, value)


def find(body: Mapping[str, Any], path: str) -> list[tuple[str, Any]]:
    """The values at a path with [] for every item, with the path of each: properties.locations[0].locationName."""
    found: list[tuple[str, Any]] = [("", body)]
    for step in path.split("."):
        found = [inner for where, value in found for inner in _inside(where, value, step)]
    return found


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a body with its path."""
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from walk(inner, f"{path}.{key}" if path else str(key))
        case list() | tuple():
            for place, inner in enumerate(value):
                yield from walk(inner, f"{path}[{place}]")
        case _:
            yield path, value


def normal(location: object) -> str:
    """An Azure region as ARM compares it: `East US 2` is eastus2. Empty for what is no text."""
    return location.replace(" ", "").lower() if isinstance(location, str) else ""


def _pairs(request: Request) -> Iterator[Lead]:
    """Where Azure copies to because a property says so, or does not forbid it, or because it is a Key Vault."""
    here = normal(request.location)
    if request.type.lower() == "microsoft.keyvault/vaults" and (there := vault_pair(here)):
        yield Lead("location", there, "Key Vault's own copy in the paired region")
    for copier in COPIERS:
        if copier.type == request.type.lower() and (there := pair(here)):
            values = find(request.body, copier.path) or [(copier.path, copier.default)]
            yield from (Lead(f"{at}: {value}", there, copier.by) for at, value in values if value in copier.values)


def _everywhere(request: Request) -> Iterator[Lead]:
    """What goes wherever Azure has room for it."""
    kind = request.type.lower()
    if kind == "microsoft.cognitiveservices/accounts/deployments":
        sku = str(request.body.get("sku", {}).get("name", ""))
        if sku.startswith(("Global", "DataZone")):  # answered in any region of the world, or of the US or the EU
            yield Lead(f"sku.name: {sku}", WORLD, "inference wherever there is capacity")
    caching = kind in ("microsoft.cdn/profiles/afdendpoints/routes", "microsoft.cdn/profiles/rulesets/rules")
    for path, value in walk(request.body) if caching else ():
        before, key, _ = path.partition("cacheConfiguration")
        if key and value is not None:
            yield Lead(before + key, WORLD, "the caches of the edge")
            return


def _inside(where: str, value: Any, step: str) -> list[tuple[str, Any]]:
    key, each = step.removesuffix("[]"), step.endswith("[]")
    inner = value.get(key) if isinstance(value, Mapping) else None
    at = f"{where}.{key}" if where else key
    if each:
        return [(f"{at}[{place}]", item) for place, item in enumerate(inner)] if isinstance(inner, list) else []
    return [] if inner is None else [(at, inner)]
