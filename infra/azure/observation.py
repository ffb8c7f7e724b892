"""What a resource's inputs would be had someone declared what is there now: drift, as inputs. Pure.

A value that is as the state remembers it keeps the input that made it, so that what Azure writes differently (case,
defaults) is no drift; a value that moved is taken from what is there, also where the inputs never spoke of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from infra.azure.difference import MISSING, Path, parse


def observed(inputs: Any, before: Any, now: Any) -> Any:
    """The inputs as they would read now. `before` is what the state remembers of the outputs, `now` what is there."""
    if now is MISSING or before == now:
        return inputs if now is not MISSING or before is MISSING else MISSING
    if isinstance(now, Mapping) and isinstance(inputs, Mapping):
        return _mapping(inputs, before if isinstance(before, Mapping) else {}, now)
    if isinstance(now, list) and isinstance(inputs, list):
        old = before if isinstance(before, list) else []
        return [observed(_at(inputs, place), _at(old, place), item) for place, item in enumerate(now)]
    return now


def without(value: Any, paths: Collection[str]) -> Any:
    """A value without what lies at the paths."""
    doomed = [parse(path) for path in paths]
    return _without(value, doomed) if doomed else value


def _mapping(inputs: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of the inputs, and keys that the inputs do not have and that moved."""
    moved = [key for key in now if key not in inputs and before.get(key) != now[key]]
    pairs = {
        key: observed(inputs.get(key, MISSING), before.get(key, MISSING), now.get(key, MISSING))
        for key in [*inputs, *moved]
    }
    return {key: value for key, value in pairs.items() if value is not MISSING}


def _without(value: Any, paths: list[Path]) -> Any:
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if (key,) not in paths}
        return {key: _without(item, _below(paths, key)) for key, item in kept.items()}
    if isinstance(value, list):
        kept_items = [(place, item) for place, item in enumerate(value) if (place,) not in paths]
        return [_without(item, _below(paths, place)) for place, item in kept_items]
    return value


def _below(paths: list[Path], part: str | int) -> list[Path]:
    return [path[1:] for path in paths if len(path) > 1 and path[0] == part]


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else MISSING
