"""Inputs of the Pulumi SDK <-> the body that ARM takes and gives. Pure.

Guided by the types alone: a property that ARM has in the object itself stays there, else it goes into `properties`,
unless sdk_shape.json has another place for it; the same in nested objects, lists, maps and each kind of a union.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.azure.node import Kinds, Many, NameSet, Node, Thing
from infra.azure.unknown import UNKNOWN, plain


def to_arm(node: Node, value: Any) -> Any:
    """What ARM is sent for an input, without read-only properties and nothings; what has the wrong type stays as is."""
    match node:
        case Thing() if isinstance(value, Mapping):
            return _thing_to_arm(node, value)
        case Kinds() if isinstance(value, Mapping):
            kind = _kind(node, value.get(node.key))
            return to_arm(kind, value) if kind else plain(value)
        case Many() if isinstance(value, list | tuple):
            return [to_arm(node.item, each) for each in value]
        case NameSet() if isinstance(value, list | tuple):
            return UNKNOWN if UNKNOWN in value else {str(each): {} for each in value}
    return plain(value)


def _kind(node: Kinds, value: Any) -> Node | None:
    made = node.kinds.get(value) if isinstance(value, str) else None
    return made() if made else None


def _thing_to_arm(thing: Thing, value: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for key, each in value.items():
        field = thing.fields.get(key)
        if each is None or (field and field.read_only):
            continue
        if field:
            _put(body, field.path, to_arm(field.node(), each))
        elif thing.rest:
            body[key] = to_arm(thing.rest(), each)
    return body


def _put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        body = body.setdefault(key, {})
    body[path[-1]] = value


def from_arm(node: Node, value: Any, *, read_only: bool) -> Any:
    """What the SDK shows of a value: with `read_only` all but what can only be written, else what people set."""
    match node:
        case Thing() if isinstance(value, Mapping):
            return _thing_from_arm(node, value, read_only)
        case Kinds() if isinstance(value, Mapping):
            kind = _kind(node, value.get(node.arm_key))
            return from_arm(kind, value, read_only=read_only) if kind else plain(value)
        case Many() if isinstance(value, list | tuple):
            return [from_arm(node.item, each, read_only=read_only) for each in value]
        case NameSet() if isinstance(value, Mapping):
            return sorted(value)
    return plain(value)


def _thing_from_arm(thing: Thing, value: Mapping[str, Any], read_only: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, field in thing.fields.items():
        if field.write_only if read_only else field.read_only:
            continue
        each = _get(value, field.path)
        if each is not None:
            shown[key] = from_arm(field.node(), each, read_only=read_only)
    if thing.rest:
        known = {field.path[0] for field in thing.fields.values()}
        rest = thing.rest()
        shown.update({key: from_arm(rest, value[key], read_only=read_only) for key in value if key not in known})
    return shown


def _get(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
