"""The kinds of types that ARM has: texts, choices, numbers, lists, objects and unions of objects. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A string; `secret` is never printed."""

    pattern: re.Pattern[str] | None
    shortest: int | None
    longest: int | None
    secret: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that ARM documents."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number in its range; `whole` without a fraction."""

    whole: bool
    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class Truth:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Anything:
    """What ARM does not describe."""


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    item: Node
    fewest: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class NameSet:
    """A list of names for the SDK, a map from each name to what ARM knows of it for ARM."""

    value: Node


@dataclass(frozen=True, slots=True)
class Field:
    """A property: its place in the ARM object, below `properties` where it is lifted."""

    path: tuple[str, ...]
    node: Callable[[], Node]
    required: bool
    read_only: bool
    write_only: bool

    @property
    def container(self) -> tuple[str, ...]:
        """What holds the property in the ARM object: () is the object itself."""
        return self.path[:-1]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: its properties by the SDK's names, and the type of further ones where ARM lets people name them."""

    fields: Mapping[str, Field]
    rest: Callable[[], Node] | None = None
    containers: frozenset[tuple[str, ...]] = frozenset()  # those that must be there
    required: tuple[str, ...] = ()
    aside: frozenset[str] = frozenset()  # what the SDK takes and does not send in the body

    def writable(self, key: str) -> bool:
        """Whether people may set the property."""
        return key in self.fields and not self.fields[key].read_only


@dataclass(frozen=True, slots=True)
class Kinds:
    """One of several objects, told apart by the value of one property."""

    key: str  # in the SDK
    arm_key: str
    kinds: Mapping[str, Callable[[], Node]]


Node = Text | Choice | Number | Truth | Anything | Many | NameSet | Thing | Kinds
