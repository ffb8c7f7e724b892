"""Values inside an ARM body, by path. Pure.

A rule that meets a value that is not known yet cannot say no: `read` then raises Undecided, and the rule lets pass.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from infra.azure import difference
from infra.azure.schema import UNKNOWN

_parse = lru_cache(maxsize=4096)(difference.parse)  # rules ask for a few hundred paths, over and over


class Undecided(Exception):
    """What a rule asked for is not known yet."""


def read(body: Any, path: str, default: Any = None) -> Any:
    """The value at properties.networkProfile.podCidr, or `default` for nothing and null. Raises Undecided."""
    value = body
    for part in _parse(path):
        if value is UNKNOWN:
            raise Undecided(path)
        value = _step(value, part)
        if value is None:
            value = default
            break
    if value is UNKNOWN or (isinstance(value, list) and any(item is UNKNOWN for item in value)):
        raise Undecided(path)
    return value


def known(value: Any) -> bool:
    """Whether nothing in a value is unknown yet."""
    if isinstance(value, Mapping):
        return all(known(item) for item in value.values())
    return all(map(known, value)) if isinstance(value, list) else value is not UNKNOWN


def rows(body: Any, path: str) -> list[Any]:
    """The list at a path; an empty one where there is none. Raises Undecided."""
    value = read(body, path, [])
    return value if isinstance(value, list) else []


def written(body: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the body with another value at a path; None takes out what is there."""
    changed: Any = copy.deepcopy(dict(body))
    steps: list[Any] = list(_parse(path))
    *way, last = steps
    place = changed
    for part in way:
        place = place[part] if isinstance(place, list) else place.setdefault(part, {})
    if value is not None and isinstance(place, list) and last == len(place):
        place.append(value)
    elif value is not None:
        place[last] = value
    elif isinstance(place, list) or last in place:
        del place[last]
    return dict(changed)


def _step(value: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return value[part] if isinstance(value, list) and part < len(value) else None
    if not isinstance(value, Mapping):
        return None
    if part in value:
        return value[part]
    return next((item for name, item in value.items() if isinstance(name, str) and name.lower() == part.lower()), None)
