"""ARM templates of what a stack asks for: one in all, or one per scope; the same bytes for the same requests. Pure.

The one in all is deployed into the subscription, with a nested deployment for each resource group and step. One per
scope is for scanners that do not look into nested deployments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from infra.azure.resource_id import name_of, scope_of, type_of
from infra.azure.schema import Request
from infra.rendering.computed import referred
from infra.rendering.deployment import Before, Deployment, deployments, ordered, scope
from infra.rendering.waiver import waived

LAST = ("dependsOn", "properties")
GROUP = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
SUBSCRIPTION = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
FIRST = ("type", "apiVersion", "name", "scope", "location", "tags", "sku", "kind", "identity", "zones")
"""The keys that a reader of a template expects first, in this order."""


NESTED = "Microsoft.Resources/deployments"
NESTED_VERSION = "2025-04-01"  # learn.microsoft.com, REST API, "Deployments - Create Or Update At Subscription Scope"
LONGEST = 64  # characters of a deployment's name, same page

Texts = Mapping[str, str]
"""Value that Azure computes -> the expression that asks for it."""


def template(name: str, requests: Iterable[Request], depends_on: Before, computed: Texts) -> dict[str, Any]:
    """The stack's only template. `name` is what its nested deployments are called, with a number behind it."""
    asked = {request.id: request for request in requests}
    before = ordered(asked.values(), depends_on)
    parts = deployments(asked.values(), before)
    handles = _handles(_short(name), parts)
    resources: list[dict[str, Any]] = []
    for part in parts:
        if part.group:
            inside = _resources(part.requests, before, computed)
            resources.append(_nested(part, inside, handles, _first(part, before, handles)))
        else:
            first = {id: [handles[one] for one in ids] for id, ids in before.items()}
            resources += [_resource(request, first[request.id], computed) for request in part.requests]
    return _template("", resources)


def templates(requests: Iterable[Request], depends_on: Before, computed: Texts) -> dict[str, dict[str, Any]]:
    """Resource group, or empty for the subscription -> the template of what lies there, in any step."""
    scopes: dict[str, list[Request]] = {}
    for request in sorted(requests, key=lambda request: request.id.lower()):
        scopes.setdefault(scope(request.id), []).append(request)
    return {
        group: _template(group, _resources(wanted, ordered(wanted, depends_on), computed))
        for group, wanted in sorted(scopes.items())
    }


def _template(group: str, resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"$schema": GROUP if group else SUBSCRIPTION, "contentVersion": "1.0.0.0", "resources": resources}


def _nested(part: Deployment, inside: list[dict[str, Any]], handles: Texts, first: Collection[str]) -> dict[str, Any]:
    """Expressions are evaluated inside, so that a text that is escaped there is not evaluated twice."""
    return {
        "type": NESTED,
        "apiVersion": NESTED_VERSION,
        "name": name_of(handles[part.requests[0].id]),
        "resourceGroup": part.group,
        **({"dependsOn": sorted(first)} if first else {}),
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "template": _template(part.group, inside),
        },
    }


def _first(part: Deployment, before: Before, handles: Texts) -> set[str]:
    """What a nested deployment waits for: all that its resources wait for and that is not inside."""
    inside = {request.id for request in part.requests}
    return {handles[one] for id in inside for one in before[id] if one not in inside}


def _handles(name: str, parts: Iterable[Deployment]) -> dict[str, str]:
    """Id of a resource -> what the outer template waits for: the resource, or the deployment that it is in."""
    found = {request.id: _handle(request.id) for part in parts for request in part.requests}
    for number, part in enumerate((part for part in parts if part.group), 1):
        group = part.requests[0].id.partition("/providers/")[0]
        found |= {request.id: f"{group}/providers/{NESTED}/{name}-{number}" for request in part.requests}
    return found


def _handle(id: str) -> str:
    """A resource as `dependsOn` names it: as the function resourceId would, which a group has another id than."""
    above, _, group = id.rpartition("/resourceGroups/")
    return f"{above}/providers/{type_of(id)}/{group}" if above and "/" not in group else id


def _short(name: str) -> str:
    """With room for a number; what is cut off is told by its hash."""
    room = LONGEST - len("-000")
    return name if len(name) <= room else f"{name[: room - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _resources(requests: Iterable[Request], before: Before, computed: Texts) -> list[dict[str, Any]]:
    """Those of one template: each waits for those of the same one only."""
    here = {request.id: request for request in requests}
    return [
        _resource(request, [_handle(one) for one in here.keys() & set(before[request.id])], computed)
        for request in here.values()
    ]


def _resource(request: Request, before: Collection[str], computed: Texts) -> dict[str, Any]:
    body = {key: _literal(value) for key, value in request.body.items() if value is not None}
    if "properties" in body:  # nowhere else may a template use `reference`
        body["properties"] = referred(body["properties"], computed)
    resource = {"type": type_of(request.id), "apiVersion": request.api_version, "name": _name(request.id), **body}
    if "/providers/" in scope_of(request.id):
        resource["scope"] = scope_of(request.id)
    if waivers := list(waived(resource["type"])):
        resource["metadata"] = {"checkov": waivers}
    if before:
        resource["dependsOn"] = sorted(before)
    return {key: resource[key] for key in sorted(resource, key=_rank)}


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
