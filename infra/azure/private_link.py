"""Private link connections: who asks a private link service to be let in, and who waits. Pure: events as values.

A connection from another subscription, such as Front Door's, waits until somebody approves it (learn.microsoft.com,
"Secure your origin with Private Link in Azure Front Door Premium").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infra.azure.inventory import Body, Inventory
from infra.azure.resource_id import key, name_of, type_of
from infra.azure.values import Undecided, read, rows

SERVICE = "microsoft.network/privatelinkservices"
LIST = "properties.privateEndpointConnections"
STATUS = "properties.privateLinkServiceConnectionState.status"


def connections(inventory: Inventory, id: str, before: Body | None, after: Body | None) -> Iterator[dict[str, Any]]:
    """The changes of private link services that follow from a resource being put or removed (`after` is None)."""
    old, new = _targets(before), _targets(after)
    for target in sorted(old.keys() | new.keys()):
        service = inventory.get(target)
        if service is None or type_of(target).lower() != SERVICE:
            continue
        kept = [one for one in rows(service, LIST) if key(read(one, "properties.privateEndpoint.id", "")) != key(id)]
        if target in new:
            kept = [*kept, _standing(service, id) or _connection(target, id, automatic=new[target])]
        yield {"do": "change", "id": target, "path": LIST, "value": kept}


def waiting(inventory: Inventory, service: str) -> Iterator[str]:
    """Paths to the status of each connection that nobody approved yet."""
    for place, connection in enumerate(rows(inventory.get(service), LIST)):
        if read(connection, STATUS) == "Pending":
            yield f"{LIST}[{place}].{STATUS}"


def _targets(body: Body | None) -> dict[str, bool]:
    """What a body asks to be let into, in lower case; and whether it is let in without being asked."""
    found: dict[str, bool] = {}
    for path, automatic in (("privateLinkServiceConnections", True), ("manualPrivateLinkServiceConnections", False)):
        for row in rows(body, f"properties.{path}"):
            found[key(_known(row, "properties.privateLinkServiceId"))] = automatic
    if origin := _known(body, "properties.sharedPrivateLinkResource.privateLink.id"):
        found[key(origin)] = False
    return found


def _known(body: Any, path: str) -> str:
    try:
        return str(read(body, path, ""))
    except Undecided:
        return ""


def _standing(service: Mapping[str, Any], id: str) -> dict[str, Any] | None:
    """The connection that is there already: an update does not ask again."""
    own = (one for one in rows(service, LIST) if key(read(one, "properties.privateEndpoint.id", "")) == key(id))
    return next(own, None)


def _connection(target: str, id: str, automatic: bool) -> dict[str, Any]:
    status = "Approved" if automatic else "Pending"
    name = f"{name_of(target)}.{name_of(id)}"
    properties = {"privateEndpoint": {"id": id}, "privateLinkServiceConnectionState": {"status": status}}
    return {"id": f"{target}/privateEndpointConnections/{name}", "name": name, "properties": properties}
