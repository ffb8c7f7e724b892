"""Inputs against ARM's types, nothing let pass: what is unknown, mistyped, missing, read-only or out of range. Pure.

Stricter than ARM in one respect: a value that ARM does not document is refused even where ARM would take others, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.azure.node import Anything, Choice, Field, Kinds, Many, NameSet, Node, Number, Text, Thing, Truth
from infra.azure.unknown import UNKNOWN
from infra.suggest import hint

SHOWN = 60  # characters of a value that a message repeats


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with an input, at its path in the SDK's property names: agentPoolProfiles[0].mode."""

    path: str
    what: str


def check(node: Node, value: Any, path: str = "") -> Iterator[Flaw]:
    """The flaws of a value; nothing (None) is as good as absent, UNKNOWN passes."""
    if value is None or value is UNKNOWN:
        return
    match node:
        case Thing():
            yield from _thing(node, value, path)
        case Many():
            yield from _many(node, value, path)
        case Kinds():
            yield from _kinds(node, value, path)
        case Text():
            yield from _text(node, value, path)
        case Choice():
            yield from _choice(node, value, path)
        case Number():
            yield from _number(node, value, path)
        case Truth() if not isinstance(value, bool):
            yield Flaw(path, f"{shown(value)} is neither true nor false")
        case NameSet():
            yield from _many(Many(_NAME, None, None), value, path)
        case Truth() | Anything():
            pass


_NAME = Text(None, 1, None, False)


def _thing(thing: Thing, value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, Mapping):
        yield Flaw(path, f"{shown(value)} is not an object")
        return
    given = {key: each for key, each in value.items() if each is not None}
    for key, each in given.items():
        yield from _property(thing, key, each, f"{path}.{key}" if path else str(key))
    yield from _missing(thing, given, path)


def _property(thing: Thing, key: str, value: Any, path: str) -> Iterator[Flaw]:
    field = thing.fields.get(key)
    if field is None:
        yield from check(thing.rest(), value, path) if thing.rest else _unknown(thing, key, path)
    elif field.read_only:
        yield Flaw(path, "is read-only: ARM fills it, nobody sets it")
    else:
        yield from check(field.node(), value, path)


def _unknown(thing: Thing, key: str, path: str) -> Iterator[Flaw]:
    if key not in thing.aside:
        known = [name for name, field in thing.fields.items() if not field.read_only]
        yield Flaw(path, f"there is no property {key}{hint(key, known)}")


def _missing(thing: Thing, given: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    """Required properties; those of a nested object only where something of it is given, or it must be there."""
    absent = [key for key in thing.required if key not in given]
    if not absent:
        return
    held = thing.containers | {thing.fields[key].container for key in given if key in thing.fields}
    for key in absent:
        if thing.fields[key].container in held:
            yield Flaw(f"{path}.{key}" if path else key, f"is missing: {_wanted(thing.fields[key])}")


def _wanted(field: Field) -> str:
    match field.node():
        case Choice(values):
            return f"one of {', '.join(values[:6])}"  # enough to show what kind of value it is
        case Text():
            return "a string"
        case Number(whole):
            return "a whole number" if whole else "a number"
        case Truth():
            return "true or false"
        case Many() | NameSet():
            return "a list"
    return "an object"


def _many(many: Many, value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, list | tuple):
        yield Flaw(path, f"{shown(value)} is not a list")
        return
    yield from _sized(len(value), many.fewest, many.most, path, "items")
    for place, each in enumerate(value):
        if each is None:
            yield Flaw(f"{path}[{place}]", "is nothing")
        yield from check(many.item, each, f"{path}[{place}]")


def _kinds(kinds: Kinds, value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, Mapping):
        yield Flaw(path, f"{shown(value)} is not an object")
        return
    kind = value.get(kinds.key)
    if kind is UNKNOWN:
        return
    at = f"{path}.{kinds.key}" if path else kinds.key
    if kind is None:
        yield Flaw(at, f"is missing: one of {', '.join(kinds.kinds)}")
        yield from _of_no_kind(kinds, value, path)
    elif not isinstance(kind, str) or kind not in kinds.kinds:
        yield Flaw(at, f"{shown(kind)} is not one of the values{hint(kind, kinds.kinds)}")
    else:
        yield from check(kinds.kinds[kind](), value, path)


def _of_no_kind(kinds: Kinds, value: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    """Keys that none of the kinds has: the missing one with a slip in it, perhaps."""
    things = [made for made in (kind() for kind in kinds.kinds.values()) if isinstance(made, Thing)]
    known = {key for thing in things for key in thing.fields}
    for key in sorted(set(value) - known):
        yield Flaw(f"{path}.{key}" if path else key, f"there is no property {key}{hint(key, known)}")


def _text(text: Text, value: Any, path: str) -> Iterator[Flaw]:
    value_shown = "the value" if text.secret else shown(value)
    if not isinstance(value, str):
        yield Flaw(path, f"{value_shown} is not a string")
        return
    sized = list(_sized(len(value), text.shortest, text.longest, path, "characters"))
    yield from sized
    if not sized and text.pattern and not text.pattern.search(value):  # some of ARM's patterns are slow on long texts
        yield Flaw(path, f"{value_shown} does not match {text.pattern.pattern}")


def _choice(choice: Choice, value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield Flaw(path, f"{shown(value)} is not a string")
    elif value not in choice.values:
        yield Flaw(path, f"{shown(value)} is not one of the values{hint(value, choice.values)}")


def _number(number: Number, value: Any, path: str) -> Iterator[Flaw]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Flaw(path, f"{shown(value)} is not a number")
    elif number.whole and not float(value).is_integer():
        yield Flaw(path, f"{shown(value)} is not a whole number")
    elif number.least is not None and value < number.least:
        yield Flaw(path, f"{shown(value)} is below {number.least}")
    elif number.most is not None and value > number.most:
        yield Flaw(path, f"{shown(value)} is above {number.most}")


def _sized(size: int, least: int | None, most: int | None, path: str, what: str) -> Iterator[Flaw]:
    if least is not None and size < least:
        yield Flaw(path, f"has {size} {what}; at least {least}")
    if most is not None and size > most:
        yield Flaw(path, f"has {size} {what}; at most {most}")


def shown(value: Any) -> str:
    """A value as a message repeats it."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
