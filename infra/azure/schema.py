"""What ARM takes: inputs of a resource -> the request that is sent, its flaws, the outputs that come back. Pure.

Inputs come as the Pulumi SDK sends them: ARM property names, with every `properties` object lifted into its parent.
Knows types, enums, patterns and ranges; what a resource provider refuses beyond them is in infra/azure/rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from infra.azure import armpath, generic
from infra.azure.arm_names import rules
from infra.azure.body import from_arm, to_arm
from infra.azure.facts import regions
from infra.azure.shape import shape
from infra.azure.strict import Flaw, check, shown
from infra.azure.unknown import UNKNOWN, Unknown
from infra.errors import InvalidInput
from infra.suggest import hint

__all__ = ["UNKNOWN", "Flaw", "Request", "TypeUnknown", "Unknown", "flaws", "inputs", "outputs", "request", "tokens"]


class TypeUnknown(InvalidInput):
    """A resource of a type that has no entry in arm_types.json."""


@dataclass(frozen=True, slots=True)
class Request:
    """One PUT to ARM; `body` is what is sent, with nothing that only ARM writes."""

    token: str
    id: str
    type: str
    api_version: str
    name: str
    location: str | None
    body: dict[str, Any]


@cache
def tokens() -> frozenset[str]:
    """Every Pulumi type token that is known."""
    return frozenset(armpath.templates()) | {generic.TOKEN}


def request(token: str, inputs: Mapping[str, Any], subscription: str) -> Request:
    """The request that these inputs stand for; a part of the id that is not known yet stands in it as {name}.

    Raises TypeUnknown. Inputs with flaws give a request with the same flaws.
    """
    if token == generic.TOKEN:
        id, body = generic.arm_id(inputs, subscription), generic.body(inputs)
        type, version = generic.arm_type(inputs), str(inputs.get("apiVersion", ""))
    else:
        types = shape(_known(token), "inputs")
        id, body = armpath.arm_id(token, inputs, subscription), to_arm(types.root, inputs)
        type, version = armpath.arm_type(token, id, types.type), types.api_version
    location = body.get("location")
    return Request(
        token, id, type, version, armpath.last_name(id), location if isinstance(location, str) else None, body
    )


def outputs(token: str, request_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """An ARM body as the SDK shows it: `properties` lifted, read-only values, id, name and type included.

    What ARM's types do not have is not shown, nor what can only be written.
    """
    said = {"id": request_id, "name": armpath.last_name(request_id), **body}
    if token == generic.TOKEN:
        return {"type": _type_of(request_id), **said}
    types = shape(_known(token), "outputs")
    said.setdefault("type", armpath.arm_type(token, request_id, types.type))
    lifted: dict[str, Any] = from_arm(types.root, said, read_only=True)
    return {**lifted, "id": said["id"], "azureApiVersion": types.api_version}


def inputs(token: str, request_id: str, body: Mapping[str, Any], api_version: str = "") -> dict[str, Any]:
    """The inputs that stand for an existing resource: what people can set, and the path. For imports and for drift.

    `api_version` is only for generic resources.
    """
    if token == generic.TOKEN:
        return generic.inputs(request_id, _type_of(request_id), api_version, body)
    shown_to_people: dict[str, Any] = from_arm(shape(_known(token), "inputs").root, body, read_only=False)
    return {**shown_to_people, **armpath.path_values(token, request_id)}


def flaws(token: str, inputs: Mapping[str, Any]) -> list[Flaw]:
    """Everything that is wrong with the inputs: unknown, mistyped, missing, read-only, out of range, misnamed."""
    if token not in tokens():
        return [Flaw("", f"nothing is known of {token}{hint(token, tokens())}")]
    found = generic.flaws(inputs) if token == generic.TOKEN else _flaws(token, inputs)
    return sorted({*found, *_location(inputs)}, key=lambda flaw: (flaw.path, flaw.what))


def _flaws(token: str, inputs: Mapping[str, Any]) -> Iterator[Flaw]:
    root = shape(token, "inputs").root
    path = armpath.parameters(token)
    types = armpath.named_types(token)
    for key in path:
        yield from _parameter(key, inputs.get(key), types.get(key))
    yield from check(root, {key: value for key, value in inputs.items() if key not in path or root.writable(key)})


def _parameter(key: str, value: object, type: str | None) -> Iterator[Flaw]:
    if value is None:
        yield Flaw(key, "is missing: it is part of the resource's path")
    elif key in armpath.SCOPES:
        yield from _scope(key, value)
    elif value is not UNKNOWN and not isinstance(value, str):
        yield Flaw(key, f"{shown(value)} is not a string")
    else:
        for rule in rules(type or ""):
            yield from check(rule, value, key)


def _scope(key: str, value: object) -> Iterator[Flaw]:
    if value is UNKNOWN:
        return
    if not isinstance(value, str):
        yield Flaw(key, f"{shown(value)} is not a string")
    elif value.strip("/").partition("/")[0] not in ("subscriptions", "providers"):
        yield Flaw(key, f"{shown(value)} is not the id of a subscription, a group or a resource")


def _location(inputs: Mapping[str, Any]) -> Iterator[Flaw]:
    value = inputs.get("location")
    if isinstance(value, str) and value != "global" and value.replace(" ", "").lower() not in regions():
        yield Flaw("location", f"{shown(value)} is not a region{hint(value, regions())}")


def _known(token: str) -> str:
    if token in armpath.templates():
        return token
    raise TypeUnknown(
        f"nothing is known of the type {token}{hint(token, tokens())}",
        not_done="No request was made for it.",
        next="use a type of infra/azure/arm_paths.json, or add its types there and in arm_types.json",
    )


def _type_of(id: str) -> str:
    """The ARM type that a plain id names."""
    provider, *words = id.rpartition("/providers/")[2].split("/")
    return "/".join([provider, *words[::2]])
