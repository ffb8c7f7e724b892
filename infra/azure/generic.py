"""azure-native:resources:Resource: any ARM resource at any API version, in ARM's own shape. Pure.

For what the typed SDK cannot say yet. It is checked like all others, so its types must be known at that version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infra.azure.arm_names import rules
from infra.azure.body import from_arm, to_arm
from infra.azure.node import Text
from infra.azure.shape import Shape, arm_shape, versions
from infra.azure.strict import Flaw, check
from infra.azure.unknown import UNKNOWN, plain

TOKEN = "azure-native:resources:Resource"
PATH = ("resourceGroupName", "resourceProviderNamespace", "parentResourcePath", "resourceType", "resourceName")
_BODY = ("location", "tags", "sku", "identity", "kind", "plan", "managedBy", "extendedLocation", "properties")
_WORD = Text(None, 1, None, False)


def arm_type(inputs: Mapping[str, Any]) -> str:
    """Namespace, types of the parents and its own: Microsoft.ContainerService/managedClusters/agentPools."""
    parents = str(inputs.get("parentResourcePath") or "").strip("/").split("/")[::2]
    words = [str(inputs.get("resourceProviderNamespace", "")), *parents, str(inputs.get("resourceType", ""))]
    return "/".join(word for word in words if word)


def arm_id(inputs: Mapping[str, Any], subscription: str) -> str:
    """The id; what is missing or not yet known stands in it as {name}."""
    group, provider, parent, type, name = (_part(inputs, key) for key in PATH)
    parts = [
        "subscriptions",
        subscription,
        "resourceGroups",
        group,
        "providers",
        provider,
        parent.strip("/"),
        type,
        name,
    ]
    return "/" + "/".join(part for part in parts if part)


def _part(inputs: Mapping[str, Any], key: str) -> str:
    value = inputs.get(key)
    return value if isinstance(value, str) else f"{{{key}}}"


def body(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What ARM is sent; properties that only ARM fills are left out where the types are known."""
    given = {key: inputs[key] for key in _BODY if inputs.get(key) is not None}
    shape = _shape(inputs)
    sent: dict[str, Any] = to_arm(shape.root, given) if shape else plain(given)
    return sent


def inputs(id: str, type: str, api_version: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that stand for an existing resource."""
    shape = arm_shape(type, api_version)
    given = {key: body[key] for key in _BODY if key in body}
    set_by_people = from_arm(shape.root, given, read_only=False) if shape else plain(given)
    return {**_path(id), "apiVersion": api_version, **set_by_people}


def _path(id: str) -> dict[str, str]:
    words = id.strip("/").split("/")
    parent = "/".join(words[6:-2])
    return dict(zip(PATH, (words[3], words[5], parent, words[-2], words[-1]), strict=True))


def flaws(inputs: Mapping[str, Any]) -> Iterator[Flaw]:
    """What is wrong with the inputs of a generic resource."""
    for key in (*PATH, "apiVersion"):
        value = inputs.get(key)
        if value is None:
            yield Flaw(key, "is missing: it is part of the resource's path")
        elif key != "parentResourcePath":
            yield from check(_WORD, value, key)
    for key in inputs:
        if key not in (*PATH, *_BODY, "apiVersion"):
            yield Flaw(key, f"there is no property {key} of a generic resource")
    if not any(inputs.get(key) in (None, UNKNOWN) for key in (*PATH[1:4], "apiVersion")):
        yield from _typed(inputs)


def _typed(inputs: Mapping[str, Any]) -> Iterator[Flaw]:
    type, shape = arm_type(inputs), _shape(inputs)
    if shape is None:
        known = ", ".join(versions(type))
        what = f"{type} is known at {known} only" if known else f"nothing is known of {type}"
        yield Flaw("apiVersion" if known else "resourceType", what)
        return
    for rule in rules(shape.type):
        yield from check(rule, inputs.get("resourceName"), "resourceName")
    yield from check(shape.root, {key: inputs[key] for key in _BODY if key in inputs})


def _shape(inputs: Mapping[str, Any]) -> Shape | None:
    return arm_shape(arm_type(inputs), str(inputs.get("apiVersion", "")))
