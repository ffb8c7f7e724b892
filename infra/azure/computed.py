"""What only Azure writes into a resource: its id, principals, host names, addresses. Pure.

Every value is drawn from names by a hash, so that one name has one value, in every run. Secrets are never made.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from infra.azure import cluster_values, network_values, service_values
from infra.azure.draw import Draw, Values, fill, guid, principal
from infra.azure.inventory import Body, Inventory
from infra.azure.resource_id import key, name_of, type_of
from infra.azure.schema import UNKNOWN, Request
from infra.azure.values import Undecided
from infra.azure.world import World

SOFT_DELETED = frozenset({"microsoft.keyvault/vaults"})
FEATURE = "Microsoft.Features/featureProviders/subscriptionFeatureRegistrations"
STATELESS = frozenset(
    f"microsoft.{type}"
    for type in (
        "alertsmanagement/prometheusrulegroups",
        "authorization/locks",
        "authorization/policyassignments",
        "authorization/roleassignments",
        "authorization/roledefinitions",
        "consumption/budgets",
        "features/featureproviders/subscriptionfeatureregistrations",
        "insights/actiongroups",
        "insights/diagnosticsettings",
        "managedidentity/userassignedidentities",
        "managedidentity/userassignedidentities/federatedidentitycredentials",
        "security/pricings",
    )
)
"""Types whose properties have no provisioningState."""


def plain(request: Request) -> Body:
    """What a request puts there, before Azure adds to it."""
    body = copy.deepcopy(request.body)
    if request.location is not None:
        body.setdefault("location", request.location)
    return body


def complete(id: str, body: Body, world: World) -> Body:
    """The full body of a resource: what was asked for, and what Azure adds."""
    full = copy.deepcopy(body)
    full |= {"id": id, "name": name_of(id), "type": type_of(id)}
    if type_of(id).lower() not in STATELESS:
        fill(full, "properties.provisioningState", "Succeeded")
    if isinstance(full.get("identity"), dict):
        _identify(id, full["identity"], world)
    if draw := DRAWS.get(type_of(id).lower()):
        for path, value in draw(id, full, world).items():
            fill(full, path, value)
    return full


def registered(inventory: Inventory) -> frozenset[str]:
    """Preview features that are registered by resources: provider/name in lower case."""
    ids = [id for id, _ in inventory.of_type(FEATURE)]
    return frozenset(f"{id.split('/')[-3]}/{name_of(id)}".lower() for id in ids)


def is_soft_deleted(type: str) -> bool:
    """Whether what is deleted of this type can be recovered, and keeps its name."""
    return type.lower() in SOFT_DELETED


def _identify(id: str, identity: dict[str, Any], world: World) -> None:
    if "systemassigned" in str(identity.get("type", "")).lower():
        identity.setdefault("principalId", principal(id))
        identity.setdefault("tenantId", world.tenant)
    named = identity.get("userAssignedIdentities")
    if isinstance(named, dict):
        identity["userAssignedIdentities"] = {one: _user_assigned(one) for one in named}


def _user_assigned(id: str) -> dict[str, str]:
    return {"principalId": principal(id), "clientId": guid("client", key(id))}


def _tolerant(draw: Draw) -> Draw:
    """What is not known yet gives values that are not known yet: none."""

    def tried(id: str, body: Body, world: World) -> Values:
        try:
            return {path: value for path, value in draw(id, body, world).items() if value is not UNKNOWN}
        except Undecided:
            return {}

    return tried


DRAWS: Mapping[str, Draw] = {
    type.lower(): _tolerant(draw)
    for table in (cluster_values.DRAWS, network_values.DRAWS, service_values.DRAWS)
    for type, draw in table.items()
}
"""ARM type in lower case -> path -> value."""
