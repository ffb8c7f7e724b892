"""Values that stand for names: the same name, the same value, in every run; and where they are put. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from infra.azure.inventory import Body
from infra.azure.resource_id import key
from infra.azure.world import World

Values = Mapping[str, Any]
Draw = Callable[[str, Body, World], Values]
"""Id, body and subscription -> path -> value."""


def guid(*words: str) -> str:
    """A GUID that stands for the words, without their case."""
    digest = hashlib.sha256("\n".join(word.lower() for word in words).encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))


def principal(id: str) -> str:
    """The object id in Entra of a resource's identity."""
    return guid("principal", key(id))


def fill(body: Any, path: str, value: Any) -> None:
    """Set what is not there yet."""
    *way, last = path.split(".")
    for part in way:
        if body.get(part) is None:
            body[part] = {}
        body = body[part]
        if not isinstance(body, dict):
            return
    if body.get(last) is None:
        body[last] = value


def short(id: str) -> str:
    """Eight characters that stand for a resource."""
    return guid(key(id)).replace("-", "")[:8]
