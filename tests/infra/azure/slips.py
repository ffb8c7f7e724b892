"""The kinds of mistakes: where in the inputs of a resource each can be made, and how.

A slip is a path and what to do there: (inputs to be changed, path, random) -> (the path to be named, what was done).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from infra.azure import armpath, generic
from infra.azure.node import Anything, Choice, Kinds, Many, Node, Number, Text, Thing, Truth
from infra.azure.shape import arm_shape, shape

Path = tuple[Any, ...]
Slip = tuple[Path, Callable[[dict[str, Any], Path, Random], tuple[Path, str]]]


@dataclass(frozen=True)
class Site:
    """A value of the inputs: where it is, what ARM says of it, and the object whose property it is."""

    path: Path
    value: Any
    node: Node
    within: Thing | None


def root(token: str, inputs: Mapping[str, Any]) -> Thing:
    if token == generic.TOKEN:
        found = arm_shape(generic.arm_type(inputs), str(inputs["apiVersion"]))
        assert found is not None
        return found.root
    return shape(token, "inputs").root


def path_keys(token: str) -> tuple[str, ...]:
    return (*generic.PATH, "apiVersion") if token == generic.TOKEN else armpath.parameters(token)


def sites(token: str, inputs: Mapping[str, Any]) -> Iterator[Site]:
    body = {key: value for key, value in inputs.items() if key not in path_keys(token)}
    yield from _below((), body, root(token, inputs), None)


def _below(path: Path, value: Any, node: Node, within: Thing | None) -> Iterator[Site]:
    yield Site(path, value, node, within)
    if isinstance(node, Kinds) and isinstance(value, Mapping):
        node = node.kinds[value[node.key]]()
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _below((*path, key), each, _child(node, key), node if isinstance(node, Thing) else None)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _below((*path, place), each, node.item if isinstance(node, Many) else Anything(), None)


def _child(node: Node, key: str) -> Node:
    if isinstance(node, Thing):
        return node.fields[key].node() if key in node.fields else node.rest() if node.rest else Anything()
    return Anything()


def _thing(site: Site) -> Thing | None:
    match site.node:
        case Thing():
            return site.node
        case Kinds():
            made = site.node.kinds[site.value[site.node.key]]()
            return made if isinstance(made, Thing) else None
    return None


def _typos(token: str, inputs: Mapping[str, Any], sites: list[Site]) -> Iterator[Slip]:
    for site in sites:
        if site.within is not None and site.path[-1] in site.within.fields:
            yield site.path, _mistype_key
    for key in path_keys(token):
        if key in inputs:
            yield (key,), _mistype_key


def _enums(token: str, inputs: Mapping[str, Any], sites: list[Site]) -> Iterator[Slip]:
    for site in sites:
        if isinstance(site.node, Choice):
            yield site.path, _mistype_value
        elif isinstance(site.node, Kinds):
            yield (*site.path, site.node.key), _mistype_value


def _types(token: str, inputs: Mapping[str, Any], sites: list[Site]) -> Iterator[Slip]:
    for site in sites:
        if site.path:
            yield site.path, _other_type


def _missings(token: str, inputs: Mapping[str, Any], sites: list[Site]) -> Iterator[Slip]:
    for site in sites:
        thing = _thing(site)
        for key in thing.required if thing else ():
            if isinstance(site.value, Mapping) and key in site.value and _held(thing, key, site.value):
                yield (*site.path, key), _leave_out
    for key in path_keys(token):
        yield (key,), _leave_out


def _held(thing: Thing | None, key: str, value: Mapping[str, Any]) -> bool:
    """Whether the object that must have the key is there without it, too."""
    assert thing is not None
    container = thing.fields[key].container
    others = {thing.fields[each].container for each in value if each != key and each in thing.fields}
    return container in thing.containers | others


def _read_onlys(token: str, inputs: Mapping[str, Any], sites: list[Site]) -> Iterator[Slip]:
    for site in sites:
        thing = _thing(site)
        for key, field in thing.fields.items() if thing else ():
            if field.read_only and key not in site.value and key not in path_keys(token):
                yield (*site.path, key), _set(_plausible(field.node()))


def _plausible(node: Node) -> Any:
    match node:
        case Choice(values):
            return values[0]
        case Number():
            return node.least or 1
        case Truth():
            return True
        case Many():
            return []
        case Text():
            return "abc"
    return {}


def _ranges(token: str, inputs: Mapping[str, Any], sites: list[Site]) -> Iterator[Slip]:
    """Of values that are there, and of those that somebody may add."""
    for site in sites:
        for wrong in _outside(site.node):
            yield site.path, _set(wrong)
        thing = _thing(site)
        for key, field in thing.fields.items() if thing else ():
            if not field.read_only and key not in site.value:
                for wrong in _outside(field.node()):
                    yield (*site.path, key), _set(wrong)


def _outside(node: Node) -> Iterator[Any]:
    match node:
        case Number(_, least, most):
            yield from (
                wrong for bound, wrong in ((least, (least or 0) - 1), (most, (most or 0) + 1)) if bound is not None
            )
        case Text(_, shortest, longest):
            yield from ("a" * (longest + 1),) if longest is not None else ()
            yield from ("a" * (shortest - 1),) if shortest else ()
        case Many(_, fewest, most) if fewest:
            yield []


def _names(token: str, inputs: Mapping[str, Any], sites: list[Site]) -> Iterator[Slip]:
    names = ("resourceName",) if token == generic.TOKEN else tuple(armpath.named_types(token))
    for key in names:
        if key in inputs and key in path_keys(token):
            yield (key,), _misname


MAKERS = {"typo": _typos, "enum": _enums, "type": _types, "missing": _missings, "read-only": _read_onlys,
           "range": _ranges, "name": _names}  # fmt: skip


def _holder(inputs: dict[str, Any], path: Sequence[str | int]) -> Any:
    held: Any = inputs
    for key in path[:-1]:
        held = held[key]
    return held


def _mistype_key(inputs: dict[str, Any], path: Path, random: Random) -> tuple[Path, str]:
    holder = _holder(inputs, path)
    wrong = _slip(path[-1], random, set(holder))
    holder[wrong] = holder.pop(path[-1])
    return (*path[:-1], wrong), f"was {path[-1]}"


def _mistype_value(inputs: dict[str, Any], path: Path, random: Random) -> tuple[Path, str]:
    holder = _holder(inputs, path)
    old = holder[path[-1]]
    holder[path[-1]] = _slip(old, random, {old})
    return path, f"{old} -> {holder[path[-1]]}"


def _slip(word: str, random: Random, taken: set[str]) -> str:
    """A letter lost, doubled, swapped or in the wrong case."""
    for _ in range(50):
        place = random.randrange(len(word))
        lost, doubled = word[:place] + word[place + 1 :], word[:place] + word[place] + word[place:]
        swapped = word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :]
        cased = word[:place] + word[place].swapcase() + word[place + 1 :]
        wrong = random.choice([lost, doubled, swapped, cased])
        if wrong and wrong not in taken and wrong != word:
            return wrong
    return f"{word}x"


def _other_type(inputs: dict[str, Any], path: Path, random: Random) -> tuple[Path, str]:
    holder = _holder(inputs, path)
    old = holder[path[-1]]
    choices: list[Any] = [7, "three", True, ["a"], {"a": "b"}]
    holder[path[-1]] = random.choice([each for each in choices if _sort(each) != _sort(old)])
    return path, f"{type(old).__name__} -> {holder[path[-1]]!r}"


def _sort(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _leave_out(inputs: dict[str, Any], path: Path, random: Random) -> tuple[Path, str]:
    del _holder(inputs, path)[path[-1]]
    return path, "left out"


def _set(value: Any) -> Any:
    def set_it(inputs: dict[str, Any], path: Path, random: Random) -> tuple[Path, str]:
        _holder(inputs, path)[path[-1]] = value
        return path, f"set to {str(value)[:20]}"

    return set_it


def _misname(inputs: dict[str, Any], path: Path, random: Random) -> tuple[Path, str]:
    name = str(inputs[path[0]])
    inputs[path[0]] = random.choice(
        [f"{name}?", f"{name}/x", f"{name} ", "", name + "a" * 300, f"%{name}", f"{name}&", f"{name}."]
    )
    return path, f"{name} -> {inputs[path[0]][:40]!r}"


def shown(path: Sequence[str | int]) -> str:
    """agentPoolProfiles[0].mode"""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")
