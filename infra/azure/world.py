"""The subscription as those see it who only read it: rules, functions, what Azure writes. Pure: protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from infra.azure.inventory import Body, Inventory


class Quota(Protocol):
    """Virtual processors of a family in a region."""

    @property
    def limit(self) -> int: ...
    @property
    def used(self) -> int: ...


class Limits(Protocol):
    """What the subscription may have, as of a day. None: not known."""

    def quota(self, location: str, family: str, /) -> Quota | None: ...
    def sku(self, location: str, sku: str, /) -> Any: ...


class World(Protocol):
    """The subscription as rules see it."""

    @property
    def id(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def limits(self) -> Limits | None: ...
    @property
    def features(self) -> frozenset[str]: ...
    @property
    def inventory(self) -> Inventory: ...
    @property
    def soft_deleted(self) -> Mapping[str, Body]: ...
    @property
    def busy(self) -> Mapping[str, str]: ...
    @property
    def taken(self) -> frozenset[str]: ...
