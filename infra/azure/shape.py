"""What one ARM resource looks like: its types, and where the Pulumi SDK shows each property. Pure: reads data files.

arm_types.json has the types as ARM states them. The SDK shows them differently: it lifts `properties` objects into
their parents, has names of its own here and there, lists identities where ARM has a map: sdk_shape.json says where.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from infra.azure.node import Anything, Choice, Field, Kinds, Many, NameSet, Node, Number, Text, Thing, Truth

_HERE = Path(__file__).parent
_REQUIRED, _READ_ONLY, _WRITE_ONLY = 1, 2, 4  # the bits of a property in arm_types.json, see its `flags`
_IDENTITY = frozenset({"id", "name", "type", "apiVersion"})  # of a resource: its path, not its body

_STREAM = "Microsoft-InsightsMetrics"
STREAMS = (
    *("Microsoft-PrometheusMetrics", "Microsoft-ContainerLogV2", "Microsoft-KubeEvents"),
    *("Microsoft-KubePodInventory", "Microsoft-KubeNodeInventory"),
)
"""Streams of Kubernetes: documented ("Data collection rule structure in Azure Monitor"), and not in the open enums."""

Side = Literal["inputs", "outputs"]


class Shape:
    """The types of one resource as the SDK takes (`inputs`) or shows (`outputs`) them; without `lift` as ARM does."""

    def __init__(self, entry: Mapping[str, Any], twists: Mapping[str, Any], side: Side, *, lift: bool = True) -> None:
        self._types: list[dict[str, Any]] = entry["types"]
        self._twists = twists
        self._side = side
        self._lift = lift
        self._nodes: dict[tuple[int, bool], Node] = {}
        arm, _, version = str(entry["arm"]).partition("@")
        self.type = arm
        self.api_version = version

    @cached_property
    def root(self) -> Thing:
        """The resource itself."""
        return self._thing((0,), root=True)

    @cached_property
    def name(self) -> Node:
        """What ARM says of the resource's name."""
        return self._node(self._types[0]["p"]["name"][0])

    def _node(self, index: int, fraction: bool = False) -> Node:
        key = (index, fraction)
        if key not in self._nodes:
            self._nodes[key] = self._made(index, fraction)
        return self._nodes[key]

    def _made(self, index: int, fraction: bool) -> Node:
        kind = self._types[index]
        match kind["k"]:
            case "string":
                return Text(_compiled(kind.get("re")), kind.get("min"), kind.get("max"), kind.get("secret", False))
            case "enum":
                return Choice(tuple(kind["v"]) + (STREAMS if _STREAM in kind["v"] else ()))
            case "int":
                return Number(not fraction, kind.get("min"), kind.get("max"))
            case "bool":
                return Truth()
            case "array":
                return Many(self._node(kind["i"], fraction), kind.get("min"), kind.get("max"))
            case "object":
                return self._thing((index,)) if kind["p"] or "a" in kind else Anything()
            case "oneof":
                return self._kinds(index)
        return Anything()

    def _kinds(self, index: int) -> Kinds:
        kind = self._types[index]
        names = {arm: sdk for j in kind["e"].values() for sdk, (arm, *_) in self._twist(j).get("names", {}).items()}
        kinds = {value: _later(self._variant, index, j) for value, j in kind["e"].items()}
        return Kinds(names.get(kind["d"], kind["d"]), kind["d"], kinds)

    @cache  # noqa: B019  (a shape lives as long as the process)
    def _variant(self, base: int, own: int) -> Node:
        return self._thing((base, own))

    def _twist(self, index: int) -> Mapping[str, Any]:
        return self._twists.get(str(index), {})  # type: ignore[no-any-return]

    def _thing(self, indices: tuple[int, ...], *, root: bool = False) -> Thing:
        """An object of the types at `indices`: one, or what all kinds have in common and what one has of its own."""
        properties = {key: spot for index in indices for key, spot in self._types[index]["p"].items()}
        twist = self._twist(indices[-1])
        fields = dict(self._fields(properties, twist, root))
        held = properties.get("properties", (0, 0))[1] & _REQUIRED or root
        rest = self._types[indices[-1]].get("a")
        return Thing(
            fields,
            _later(self._node, rest) if rest is not None else None,
            frozenset({(), ("properties",)} if held else {()}),
            tuple(key for key, each in fields.items() if each.required and not each.read_only),
            frozenset(twist.get("aside", ())),
        )

    def _fields(
        self, properties: Mapping[str, Any], twist: Mapping[str, Any], root: bool
    ) -> Iterator[tuple[str, Field]]:
        places: dict[str, tuple[tuple[str, ...], int, int]] = {}
        lifted = self._lifted(properties, twist)
        for key, (index, flags) in lifted.items():
            places[key] = (("properties", key), index, flags)
        for key, (index, flags) in properties.items():
            if key == "properties" and lifted:
                continue
            if not self._gives_way(key, flags, places.get(key), root):
                places[key] = ((key,), index, flags)
        named = self._named(twist, lifted)
        for key, path in named.items():
            places[key] = (tuple(path), *self._at(properties, path))
        taken = {tuple(path[:end]) for path in named.values() for end in range(1, len(path) + 1)}
        never = twist.get("never", ()) if self._side == "inputs" else ()
        for key, (at, index, flags) in places.items():
            if (key in named or (at not in taken and key not in never)) and not (
                root and self._of_the_path(key, at, flags)
            ):
                yield key, self._field(key, at, index, flags, twist)

    def _named(self, twist: Mapping[str, Any], lifted: Mapping[str, Any]) -> dict[str, list[str]]:
        names = twist.get("names", {})
        return {key: path for key, path in names.items() if path[0] != "properties" or lifted}

    def _lifted(self, properties: Mapping[str, Any], twist: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self._lift or "properties" not in properties or twist.get("keep") in (self._side, "both"):
            return {}
        inner = self._types[properties["properties"][0]]
        return inner["p"] if inner["k"] == "object" else {}

    def _gives_way(self, key: str, flags: int, inner: tuple[Any, int, int] | None, root: bool) -> bool:
        """Whether the object's own property is hidden behind the lifted one of the same name."""
        if inner is None or self._side == "outputs":
            return False
        own_is_closed = flags & _READ_ONLY or (root and key in _IDENTITY)
        return bool(own_is_closed and not inner[2] & _READ_ONLY)

    def _at(self, properties: Mapping[str, Any], path: list[str]) -> tuple[int, int]:
        index, flags = properties[path[0]]
        for key in path[1:]:
            index, flags = self._types[index]["p"][key]
        return index, flags

    def _of_the_path(self, key: str, at: tuple[str, ...], flags: int) -> bool:
        """Whether it is the name, which inputs have as a path parameter."""
        return self._side == "inputs" and len(at) == 1 and key in _IDENTITY and not flags & _READ_ONLY

    def _field(self, key: str, at: tuple[str, ...], index: int, flags: int, twist: Mapping[str, Any]) -> Field:
        fraction = key in twist.get("numbers", ())
        node = _later(self._node, index, fraction)
        if key in twist.get("sets", ()) and self._side == "inputs":
            node = _later(NameSet, Anything())
        closed = bool(flags & _READ_ONLY) or self._closed(index)
        return Field(at, node, bool(flags & _REQUIRED), closed, bool(flags & _WRITE_ONLY))

    @cache  # noqa: B019
    def _closed(self, index: int) -> bool:
        """Whether the type is an object that only ARM fills."""
        kind = self._types[index]
        if kind["k"] != "object" or "a" in kind or not kind["p"]:
            return False
        return all(flags & _READ_ONLY for _, flags in kind["p"].values())


def _later(make: Callable[..., Node], *arguments: Any) -> Callable[[], Node]:
    """Types refer to themselves, and most are never asked for: each is made when it is."""
    made: list[Node] = []

    def node() -> Node:
        if not made:
            made.append(make(*arguments))
        return made[0]

    return node


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


@cache
def entries() -> Mapping[str, Any]:
    """Token, or `arm:<type>@<version>` -> its types; see arm_types.json for source and licence."""
    return json.loads((_HERE / "arm_types.json").read_text(encoding="utf-8"))["types"]  # type: ignore[no-any-return]


@cache
def _twists() -> Mapping[str, Any]:
    return json.loads((_HERE / "sdk_shape.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@cache
def shape(token: str, side: Side) -> Shape:
    """The shape of a typed resource."""
    return Shape(entries()[token], _twists().get(token, {}), side)


@cache
def arm_shape(type: str, api_version: str) -> Shape | None:
    """The shape of any resource whose types are known at that version, with nothing lifted."""
    key = _by_arm().get(f"{type}@{api_version}".lower())
    if key is None:
        return None
    identity = entries()[key]["types"][0]["p"].get("identity", (0, 0))[0]
    return Shape(entries()[key], {str(identity): {"sets": ["userAssignedIdentities"]}}, "inputs", lift=False)


@cache
def _by_arm() -> Mapping[str, str]:
    return {str(entry["arm"]).lower(): key for key, entry in entries().items()}


def versions(type: str) -> list[str]:
    """The API versions at which the types of an ARM type are known."""
    return sorted(key.partition("@")[2] for key in _by_arm() if key.partition("@")[0] == type.lower())
