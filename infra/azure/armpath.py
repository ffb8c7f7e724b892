"""Where a resource lies: ARM id <-> the path parameters that the Pulumi SDK asks for. Pure: reads a data file.

arm_paths.json has one template per token, with the parameters' names on the wire. An extension resource (a role
assignment, a diagnostic setting, a backup extension) lies below the id of another resource, which is its scope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("arm_paths.json")
_PARAMETER = re.compile(r"\{(\w+)\}")
SUBSCRIPTION = "subscriptionId"
SCOPES = frozenset({"scope", "scopeId", "resourceUri"})
"""Parameters that are the id of another resource: with slashes in them."""


@cache
def templates() -> Mapping[str, str]:
    """Token -> the form of its ids."""
    return json.loads(_FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@cache
def parameters(token: str) -> tuple[str, ...]:
    """The path parameters that inputs must have, in the order of the path; the last one is the resource's name."""
    return tuple(name for name in _PARAMETER.findall(templates()[token]) if name != SUBSCRIPTION)


def arm_id(token: str, given: Mapping[str, object], subscription: str) -> str:
    """The id; a parameter that is missing or not yet known stands in it as {name}."""
    known = {name: value for name, value in given.items() if isinstance(value, str)} | {SUBSCRIPTION: subscription}
    return _PARAMETER.sub(_filled(known), templates()[token])


def _filled(known: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def fill(parameter: re.Match[str]) -> str:
        value = known.get(parameter[1], parameter[0])
        return f"/{value.strip('/')}" if parameter[1] in SCOPES else value

    return fill


def path_values(token: str, id: str) -> dict[str, str]:
    """The path parameters of an id, as inputs; {} when the id is not one of that token."""
    found = _reader(token).fullmatch(id)
    if found is None:
        return {}
    return {name: value for name, value in found.groupdict().items() if name != SUBSCRIPTION}


@cache
def _reader(token: str) -> re.Pattern[str]:
    template = templates()[token]
    pattern = "".join(
        f"(?P<{part}>{'.*' if part in SCOPES else '[^/]+'})" if place % 2 else re.escape(part)
        for place, part in enumerate(_PARAMETER.split(template))
    )
    return re.compile(pattern, re.IGNORECASE)


@cache
def named_types(token: str) -> Mapping[str, str]:
    """Path parameter -> the ARM type that it names: resourceName -> Microsoft.ContainerService/managedClusters."""
    segments = templates()[token].strip("/").split("/")
    found = {"resourceGroupName": "Microsoft.Resources/resourceGroups"}
    start = max(place for place, part in enumerate(segments) if part == "providers") if "providers" in segments else 0
    if not start or not segments[start + 1].startswith("Microsoft."):
        return found
    type = segments[start + 1]
    for kind, name in zip(segments[start + 2 :: 2], segments[start + 3 :: 2], strict=True):
        if chosen := _PARAMETER.fullmatch(kind):  # of DNS records: all kinds are named alike
            found[chosen[1]] = f"{type}/{kind}"
        type = f"{type}/{'A' if chosen else kind}"
        if parameter := _PARAMETER.fullmatch(name):
            found[parameter[1]] = type
    return found


def last_name(id: str) -> str:
    """The resource's own name."""
    return id.rpartition("/")[2]


def arm_type(token: str, id: str, declared: str) -> str:
    """The resource's type as declared; of a DNS record by its id, for one token stands for all kinds of records."""
    return f"{declared.rpartition('/')[0]}/{id.split('/')[-2]}" if "{recordType}" in templates()[token] else declared
