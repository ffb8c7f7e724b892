"""ARM templates of what a stack asks for: one per scope, the same bytes for the same requests. Pure.

A template deploys into one resource group or into the subscription (learn.microsoft.com, "Understand the structure and
syntax of ARM templates"; "Subscription deployments with ARM templates"), so a stack that asks for both has two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from infra.azure.resource_id import group_of, name_of, scope_of, type_of
from infra.azure.schema import Request
from infra.rendering.waiver import waived

LAST = ("dependsOn", "properties")
GROUP = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
SUBSCRIPTION = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
FIRST = ("type", "apiVersion", "name", "scope", "location", "tags", "sku", "kind", "identity", "zones")
"""The keys that a reader of a template expects first, in this order."""


def templates(requests: Iterable[Request], depends_on: Mapping[str, Collection[str]]) -> dict[str, dict[str, Any]]:
    """Resource group, or empty for the subscription -> its template. `depends_on`: id -> ids that come first."""
    scopes: dict[str, list[Request]] = {}
    for request in sorted(requests, key=lambda request: request.id.lower()):
        scopes.setdefault(_group(request.id), []).append(request)
    return {group: _template(group, wanted, depends_on) for group, wanted in sorted(scopes.items())}


def _template(group: str, requests: list[Request], depends_on: Mapping[str, Collection[str]]) -> dict[str, Any]:
    here = {request.id for request in requests}
    return {
        "$schema": GROUP if group else SUBSCRIPTION,
        "contentVersion": "1.0.0.0",
        "resources": [_resource(request, here.intersection(depends_on.get(request.id, ()))) for request in requests],
    }


def _resource(request: Request, before: Collection[str]) -> dict[str, Any]:
    body = {key: _literal(value) for key, value in request.body.items() if value is not None}
    resource = {"type": type_of(request.id), "apiVersion": request.api_version, "name": _name(request.id), **body}
    if "/providers/" in scope_of(request.id):
        resource["scope"] = scope_of(request.id)
    if waivers := list(waived(resource["type"])):
        resource["metadata"] = {"checkov": waivers}
    if before:
        resource["dependsOn"] = sorted(before)
    return {key: resource[key] for key in sorted(resource, key=_rank)}


def _group(id: str) -> str:
    """The resource group that a template with this resource is deployed into; a group itself is the subscription's."""
    return group_of(id) if "/providers/" in id else ""


def _name(id: str) -> str:
    """The name in a template: with the names of what it lies in, as its type has theirs: cluster/pool."""
    path = id.rpartition("/providers/")[2].split("/") if "/providers/" in id else ["", "", name_of(id)]
    return "/".join(path[2::2])


def _rank(key: str) -> tuple[int, str]:
    """The known keys first, what it depends on and the properties last."""
    known = [*FIRST, "", *LAST]
    return known.index(key if key in known else ""), key


def _literal(value: Any) -> Any:
    """A value that a template would take for an expression is escaped: "[x" is written "[[x"."""
    if isinstance(value, str):
        return f"[{value}" if value.startswith("[") else value
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in sorted(value.items())}
    return [_literal(item) for item in value] if isinstance(value, list | tuple) else value
