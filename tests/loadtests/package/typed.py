"""Kubernetes objects against the types that the infrastructure is written with: each key, each value, nothing more."""

from __future__ import annotations

import importlib
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pulumi

PLACES = {"v1": "core.v1", "batch/v1": "batch.v1", "networking.k8s.io/v1": "networking.v1"}
OTHERS = {"ConfigMap": ("data", "immutable")}


def flaws(manifest: Mapping[str, Any]) -> list[str]:
    """What is wrong with an object, each with its path: a key that its type has not, one that it needs, a value."""
    kind, module = manifest["kind"], _module(PLACES[manifest["apiVersion"]])
    found = [*_typed(manifest["metadata"], _module("meta.v1").ObjectMetaArgsDict, f"{kind}.metadata")]
    for key, value in manifest.items():
        if key == "spec":
            found += _typed(value, getattr(module, f"{kind}SpecArgsDict"), f"{kind}.spec")
        elif key not in {"apiVersion", "kind", "metadata", *OTHERS.get(kind, ())}:
            found.append(f"{kind}: no {key}")
    return found


def _module(name: str) -> Any:
    return importlib.import_module(f"pulumi_kubernetes.{name}._inputs")


def _typed(value: Any, type_: Any, path: str) -> Iterator[str]:
    """Of a typed dictionary: `pulumi.Input` names types of pulumi's own."""
    module = importlib.import_module(type_.__module__)
    return _object(value, get_type_hints(type_, vars(module), vars(pulumi.output)), type_.__required_keys__, path)


def _object(value: Any, hints: Mapping[str, Any], needed: frozenset[str], path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: {value!r} is no object"
        return
    known = {_snake(key): key for key in value}
    yield from (f"{path}: no {known[key]}" for key in known.keys() - hints.keys())
    yield from (f"{path}: {key} is missing" for key in needed - known.keys())
    for key in known.keys() & hints.keys():
        yield from _value(value[known[key]], hints[key], f"{path}.{known[key]}")


def _value(value: Any, hint: Any, path: str) -> list[str]:
    """The least that is wrong by any of the types that it may have."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Union or str(origin) == "typing.NotRequired":
        return min((_value(value, one, path) for one in args if one is not type(None)), key=len)
    if is_typeddict(hint):
        return list(_typed(value, hint, path))
    if origin in (Sequence, list):
        if isinstance(value, str) or not isinstance(value, Sequence):
            return [f"{path}: {value!r} is no list"]
        return [flaw for number, one in enumerate(value) for flaw in _value(one, args[0], f"{path}[{number}]")]
    if origin in (Mapping, dict):
        if not isinstance(value, Mapping):
            return [f"{path}: {value!r} is no object"]
        return [flaw for key, one in value.items() for flaw in _value(one, args[1], f"{path}.{key}")]
    right = hint in (str, int, float, bool) and isinstance(value, hint) and (hint is bool) == isinstance(value, bool)
    return [] if right else [f"{path}: {value!r} is not {hint}"]


def _snake(name: str) -> str:
    """clusterIP -> cluster_ip, from -> from_."""
    if keyword.iskeyword(name):
        return f"{name}_"
    return re.sub(r"(?<=[a-z0-9])([A-Z]+)", lambda found: f"_{found[1]}", name).lower()
