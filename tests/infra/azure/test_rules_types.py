"""The rules speak of types and properties that ARM has, spelled as ARM spells them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import infra.azure.schema as schema
from infra.azure.resource_id import type_of
from infra.azure.rules import RULES
from infra.azure.rules.immutable import ALWAYS, immutable, types
from infra.azure.rules.need import NEEDS
from tests.infra.azure import casebook

TYPES = json.loads((Path(schema.__file__).parent / "arm_types.json").read_text(encoding="utf-8"))["types"]
BY_NAME = {entry["arm"].partition("@")[0]: entry["types"] for entry in TYPES.values()}
RECORDS = {f"Microsoft.Network/dnsZones/{kind}" for kind in ("AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT")}


def has(kinds: list[dict[str, Any]], place: int, path: list[str]) -> bool:
    """Whether a path leads somewhere in an ARM type; where ARM describes nothing, everything does."""
    kind = kinds[place]
    if not path or kind["k"] == "any":
        return True
    if kind["k"] == "array":
        return has(kinds, kind["i"], path)
    inside = kind.get("p", {})
    if path[0] in inside:
        return has(kinds, inside[path[0]][0], path[1:])
    return "a" in kind or any(has(kinds, place, path) for place in _kinds(kind))


def _kinds(kind: dict[str, Any]) -> list[int]:
    found = kind.get("e", kind.get("o", []))
    return list(found.values()) if isinstance(found, dict) else list(found)


@pytest.mark.parametrize("type", sorted(types()))
def test_what_cannot_change_is_a_property_of_the_type(type: str) -> None:
    for path in sorted(immutable(type) - ALWAYS):
        parts = path.replace("[*]", "").split(".")
        assert has(BY_NAME[type], 0, parts), path


def test_rules_are_about_types_that_there_are() -> None:
    named = {type for rule in RULES.values() for type in rule.types} | set(NEEDS)
    assert named - {"*"} - RECORDS <= set(BY_NAME)


@pytest.mark.parametrize("base", [name for name, base in casebook.bases().items() if "like" not in base])
def test_the_cases_have_properties_that_arm_has(base: str) -> None:
    id, body = casebook.based(base, {})
    kinds = BY_NAME.get(type_of(id)) or BY_NAME[re.sub("(dnsZones)/.*", r"\1/A", type_of(id))]
    for path in paths(body):
        assert has(kinds, 0, path), ".".join(path)


def paths(value: Any) -> list[list[str]]:
    """Paths to all that is in a body, without places in lists."""
    if isinstance(value, dict):
        return [[key, *rest] for key, item in value.items() for rest in paths(item)]
    return [path for item in value for path in paths(item)] if isinstance(value, list) else [[]]


def test_ids_of_rules_say_where_they_belong() -> None:
    assert all("." in id for id in RULES)
