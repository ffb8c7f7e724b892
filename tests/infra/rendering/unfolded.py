"""Templates read as Resource Manager would: every resource by its id, nested ones too, with all that it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.rendering.armtemplate import NESTED

NOT_SENT = ("type", "apiVersion", "name", "scope", "dependsOn", "metadata")


@dataclass(frozen=True)
class Deployed:
    """A resource of a template. `before` are the ids of all that is done before it, and what that waited for."""

    id: str
    type: str
    api_version: str
    body: dict[str, Any]
    before: frozenset[str]


def unfolded(template: Mapping[str, Any], subscription: str, place: str = "") -> list[Deployed]:
    """Every resource, in an order that the template allows; `place` is its scope, where that is not the subscription.

    Fails where something waits for what is not in the same template, or two for each other."""
    return list(_in_order(template, subscription, place or subscription, frozenset()))


def _in_order(template: Mapping[str, Any], subscription: str, place: str, outer: frozenset[str]) -> Iterator[Deployed]:
    left = {_handle(one, subscription, place): one for one in template["resources"]}
    assert len(left) == len(template["resources"]), "two resources of one name"
    done: dict[str, frozenset[str]] = {}
    while left:
        ready = [handle for handle, one in left.items() if done.keys() >= set(one.get("dependsOn", ()))]
        assert ready, f"these wait for each other, or for what is not there: {list(left)}"
        for handle in ready:
            one = left.pop(handle)
            before = outer.union(*(done[each] for each in one.get("dependsOn", ())))
            made = list(_made(one, handle, subscription, before))
            done[handle] = before | {each.id for each in made}
            yield from made


def _made(one: Mapping[str, Any], handle: str, subscription: str, before: frozenset[str]) -> Iterator[Deployed]:
    if one["type"] == NESTED:
        group = f"{subscription}/resourceGroups/{one['resourceGroup']}"
        yield from _in_order(one["properties"]["template"], subscription, group, before)
    else:
        id = handle.replace("/providers/Microsoft.Resources/resourceGroups/", "/resourceGroups/")
        body = {key: _text(value) for key, value in one.items() if key not in NOT_SENT}
        yield Deployed(id, one["type"], one["apiVersion"], body, before)


def _handle(one: Mapping[str, Any], subscription: str, place: str) -> str:
    """The id that `dependsOn` names it by."""
    namespace, *types = one["type"].split("/")
    names = one["name"].split("/")
    assert len(types) == len(names), "a name has as many parts as its type"
    scope = one.get("scope") or (
        f"{subscription}/resourceGroups/{one['resourceGroup']}" if one["type"] == NESTED else place
    )
    return "/".join(
        [scope, "providers", namespace, *(part for pair in zip(types, names, strict=True) for part in pair)]
    )


def _text(value: Any) -> Any:
    """Without the escape of what looks like an expression."""
    if isinstance(value, str):
        return value[1:] if value.startswith("[[") else value
    if isinstance(value, Mapping):
        return {key: _text(item) for key, item in value.items()}
    return [_text(item) for item in value] if isinstance(value, list) else value
