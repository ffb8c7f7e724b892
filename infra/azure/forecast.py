"""What a preview can say of a resource's outputs: what its inputs say, and UNKNOWN where only Azure writes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.azure.node import Many, Node, Thing
from infra.azure.schema import UNKNOWN
from infra.azure.shape import entries, shape


def made(token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a resource that is not there yet."""
    if token not in entries():
        return dict(inputs)
    return dict(_made(shape(token, "outputs").root, inputs))


def changed(outputs: Any, inputs: Any) -> Any:
    """The outputs of a resource that is there and gets new inputs: what they do not speak of stays."""
    if isinstance(outputs, Mapping) and isinstance(inputs, Mapping):
        return {**outputs, **{key: changed(outputs.get(key), value) for key, value in inputs.items()}}
    if isinstance(outputs, list) and isinstance(inputs, list) and len(outputs) == len(inputs):
        return [changed(old, new) for old, new in zip(outputs, inputs, strict=True)]
    return outputs if isinstance(outputs, Mapping) and isinstance(inputs, list) else inputs


def _made(node: Node, value: Any) -> Any:
    match node:
        case Thing() if isinstance(value, Mapping):
            fields = node.fields
            known = {key: _made(fields[key].node(), item) if key in fields else item for key, item in value.items()}
            return {key: UNKNOWN for key, field in fields.items() if field.read_only} | known
        case Thing() if isinstance(value, list):
            return UNKNOWN  # of identities the SDK takes a list of ids and shows a map of what Azure knows of each
        case Many() if isinstance(value, list):
            return [_made(node.item, item) for item in value]
    return value
