"""How the installed Pulumi SDK shows ARM's types, read from its classes: what infra/azure/sdk_shape.json must say.

`python -m tests.infra.azure.sdk > infra/azure/sdk_shape.json` writes it anew after an upgrade of the SDK.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import typing
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.azure.armpath import parameters
from infra.azure.shape import entries

CLIENT_NAMES = {
    "iPAddressOrRange": "value",
    "notBefore": "nbf",
    "expires": "exp",
    "roleType": "type",
    "networkRuleSet": "networkAcls",
    "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly",
    "enableNfsV3": "isNfsV3Enabled",
    "encryptionIdentity": "identity",
    "webTestKind": "Kind",
    "webTestName": "Name",
    "location": "Id",
    "headerFieldName": "key",
    "headerFieldValue": "value",
    "encryptionUserAssignedIdentity": "userAssignedIdentity",
    "encryptionFederatedIdentityClientId": "federatedIdentityClientId",
    "virtualNetworkResourceId": "id",
}
"""The SDK's name -> ARM's, where they are not alike: x-ms-client-name in the API's description."""

READ_ONLY = 2
Twist = dict[str, Any]
Places = dict[tuple[str, ...], int]  # where a property is in the ARM object -> its type


def typed_tokens() -> list[str]:
    return sorted(token for token in entries() if not token.startswith("arm:"))


def classes(token: str) -> tuple[type, type]:
    """The class of a resource's arguments and that of the resource."""
    _, package, name = token.split(":")
    resource = getattr(importlib.import_module(f"pulumi_azure_native.{package}"), name)
    module = sys.modules[resource.__module__]
    arguments = next(vars(module)[each] for each in (f"{name}InitArgs", f"{name}Args") if _made_in(module, each))
    return arguments, resource


def _made_in(module: Any, name: str) -> bool:
    return bool(getattr(vars(module).get(name), "__module__", "") == module.__name__)


def input_names(arguments: type) -> dict[str, bool]:
    """Property name on the wire -> whether the SDK asks for it."""
    from pulumi import _types

    needed = _types._required_property_names(arguments)
    return {name: name in needed for name in _types.input_type_types(arguments)}


def api_version(resource: type) -> str:
    source = Path(str(sys.modules[resource.__module__].__file__)).read_text(encoding="utf-8")
    found = re.search(r"Uses Azure REST API version ([\w-]+)", source)
    assert found, resource
    return found[1]


def twists(token: str) -> dict[str, Twist]:
    """Index of an ARM type -> what the SDK shows otherwise."""
    arguments, resource = classes(token)
    found: dict[str, Twist] = defaultdict(dict)
    for side, root in (("inputs", arguments), ("outputs", resource)):
        _Walk(entries()[token]["types"], side, found, frozenset(parameters(token))).thing(root, (0,), root=True)
    return {index: _sorted(twist) for index, twist in sorted(found.items(), key=lambda each: int(each[0])) if twist}


def _sorted(twist: Twist) -> Twist:
    return {key: value if isinstance(value, str) else _plain(value) for key, value in sorted(twist.items())}


def _plain(value: Any) -> Any:
    return dict(sorted(value.items())) if isinstance(value, dict) else sorted(value)


class _Walk:
    """Goes through the SDK's classes and ARM's types side by side."""

    def __init__(self, types: list[dict[str, Any]], side: str, found: dict[str, Twist], path: frozenset[str]) -> None:
        self.types, self.side, self.found, self.path = types, side, found, path
        self.seen: set[tuple[type, tuple[int, ...]]] = set()

    def thing(self, shown: type, indices: tuple[int, ...], *, root: bool = False) -> None:
        if (shown, indices) in self.seen:
            return
        self.seen.add((shown, indices))
        own = {key: spot for index in indices for key, spot in self.types[index]["p"].items()}
        hints = _hints(shown, root and self.side == "outputs")
        twist = self.found[str(indices[-1])]
        inner = self._lifted(own, hints, twist)
        places = self._places(own, inner)
        left = self._unshown(hints, places, own, inner)
        for key, hint in hints.items():
            spot = self._spot(key, places, left, twist)
            if spot is not None:
                self.value(key, hint, spot, twist)
            elif self.side == "inputs" and not (root and key in self.path):
                twist.setdefault("aside", set()).add(key)
        hidden = twist.pop("hidden", set())
        if self.side == "inputs":
            self._never(left, twist, hidden, root)

    def _lifted(self, own: Mapping[str, Any], hints: Mapping[str, Any], twist: Twist) -> Mapping[str, Any]:
        held = self.types[own["properties"][0]] if "properties" in own else {}
        inner: Mapping[str, Any] = held.get("p", {}) if held.get("k") == "object" else {}
        if not inner or "properties" not in hints:
            return inner
        twist["keep"] = self.side if twist.get("keep") in (None, self.side) else "both"
        return {}

    def _places(self, own: Mapping[str, Any], inner: Mapping[str, Any]) -> Places:
        places: Places = {("properties", key): index for key, (index, _) in inner.items()}
        return {**places, **{(key,): index for key, (index, _) in own.items() if key != "properties" or not inner}}

    def _unshown(
        self,
        hints: Mapping[str, Any],
        places: Places,
        own: Mapping[str, Any],
        inner: Mapping[str, Any],
    ) -> Places:
        """What the SDK shows under no name of ARM's, and may show under another: with what lies one level deeper."""
        left = {}
        for place, index in places.items():
            flags = (inner if len(place) > 1 else own)[place[-1]][1]
            if place[-1] not in hints and not (self.side == "inputs" and flags & READ_ONLY):
                left[place] = index
        for place, index in list(left.items()):
            if self.types[index]["k"] == "object":
                left.update({(*place, key): spot[0] for key, spot in self.types[index]["p"].items()})
        return left

    def _spot(self, key: str, places: Places, left: Places, twist: Twist) -> int | None:
        for known in ((key,), ("properties", key)):
            if known in places:
                return places[known]
        place = self._renamed(key, left)
        if place is None:
            return None
        twist.setdefault("names", {})[key] = list(place)
        index = left[place]
        for parent in [each for each in left if each == place[: len(each)] and each in places]:
            twist.setdefault("hidden", set()).add(parent)
        return index

    def _renamed(self, key: str, left: Places) -> tuple[str, ...] | None:
        wanted = {_letters(key), _letters(CLIENT_NAMES.get(key, key))}
        found = sorted((place for place in left if _letters(place[-1]) in wanted), key=len)
        return found[0] if found else None

    def _never(self, left: Places, twist: Twist, hidden: set[tuple[str, ...]], root: bool) -> None:
        identity = {"id", "name", "type", "apiVersion", "systemData"} if root else set()
        shallow = {place for place in left if place[:-1] in ((), ("properties",))} - hidden
        never = {place[-1] for place in shallow} - identity - ({"properties"} if twist.get("keep") is None else set())
        if never:
            twist["never"] = never

    def value(self, key: str, hint: Any, index: int, twist: Twist) -> None:
        kind, shown = _kind(hint)
        arm = self.types[index]
        match kind, arm["k"]:
            case "list", "object" if "a" in arm:
                twist.setdefault("sets", set()).add(key)
            case "list", "array":
                self.value(key, shown, arm["i"], twist)
            case "map", "object" if "a" in arm:
                self.value(key, shown, arm["a"], twist)
            case "things", "object":
                self.thing(shown[0], (index,))
            case "things", "oneof":
                self._kinds(shown, index)
            case "plain", "int" if float in shown:
                twist.setdefault("numbers", set()).add(key)

    def _kinds(self, shown: Sequence[type], index: int) -> None:
        arm = self.types[index]
        for each in shown:
            constants = _constants(each)
            value = next((value for value in arm["e"] if value in constants), None)
            if value is None and len(arm["e"]) == 1:
                value = next(iter(arm["e"]))
            if value is not None:
                self.thing(each, (index, arm["e"][value]))


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _constants(shown: type) -> set[str]:
    """What the SDK's documentation says that properties of the class always are: the values that tell kinds apart."""
    from pulumi import _types

    texts = (prop.fget.__doc__ or "" for _, _, prop in _types._py_properties(shown))
    return {value for text in texts for value in re.findall(r"Expected value is '([^']*)'", text)}


def _hints(shown: type, resource: bool) -> dict[str, Any]:
    from pulumi import _types

    if resource:
        hints = _types.resource_types(shown)
        hints.pop("azureApiVersion", None)
        return dict(hints)
    return dict(_types.input_type_types(shown) if _types.is_input_type(shown) else _types.output_type_types(shown))


def _kind(hint: Any) -> tuple[str, Any]:
    from pulumi import _types

    members = [each for each in _members(hint) if not typing.is_typeddict(each)]
    things = [
        each
        for each in members
        if inspect.isclass(each) and (_types.is_input_type(each) or _types.is_output_type(each))
    ]
    if things:
        return "things", things
    for each in members:
        if typing.get_origin(each) in (list, Sequence):
            return "list", typing.get_args(each)[0]
        if typing.get_origin(each) in (dict, Mapping):
            return "map", typing.get_args(each)[1]
    return "plain", members


def _members(hint: Any) -> list[Any]:
    from pulumi import _types

    if typing.get_origin(hint) is not typing.Union:
        return [hint]
    nested = [each for each in typing.get_args(hint) if each is not type(None) and not _types._is_plumbing_arg(each)]
    return [member for each in nested for member in _members(each)]


def main() -> None:
    lines = []
    for token in typed_tokens():
        found = twists(token)
        if found:
            body = ",\n".join(f"    {json.dumps(index)}: {json.dumps(twist)}" for index, twist in found.items())
            lines.append(f"  {json.dumps(token)}: {{\n{body}\n  }}")
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
