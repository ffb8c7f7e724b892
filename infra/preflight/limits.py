"""What Azure grants a subscription and asks for it: quota, sizes and zones, prices, as one file had them on one day.

It lies beside the fleet file, <fleet>.limits.json, and is written from the cloud by azure/live.py or by hand. What it
does not say is unknown, and stays so. `read_limits` is pure; `load_limits` reads the file.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic import field_validator as check

from infra.azure.facts import SeenPrice, cpu_sizes, family_key, gpu_sizes, regions, seen_prices
from infra.errors import InvalidInput
from infra.region import Zone
from infra.suggest import hint
from infra.yamlfile.document import validate
from infra.yamlfile.part import Count, Flag, Guid, Line, Part, no_twins
from infra.yamlfile.problem import SourceError, brief
from infra.yamlfile.source import Source, read

Priority = Literal["reserved", "on-demand", "spot"]
Confidence = Literal["high", "medium", "low"]

REGIONAL, SPOT = "cores", "lowprioritycores"
"""Keys of the two quotas that count all families of a region: all but spot machines, and spot machines."""


class LimitsError(SourceError):
    """A limits file is not valid. Lists every problem."""


class NoLimits(InvalidInput):
    """There is no limits file where one was named."""


def _named(what: str, known: Collection[str]) -> AfterValidator:
    def among(name: str) -> str:
        if name not in known:
            raise ValueError(f"{brief(name)} is no {what}{hint(name, known)}")
        return name

    return AfterValidator(among)


def _key(family: str) -> str:
    if family != family_key(family):
        raise ValueError(f"{brief(family)}: write {family_key(family)}, as the APIs spell families differently")
    return family


def _day(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(f"{brief(value)} is no date; write one such as 2026-11-20") from error


Day = Annotated[date, BeforeValidator(_day)]
Location = Annotated[str, _named("Azure region", regions())]
Sku = Annotated[str, _named("size that we know", {**gpu_sizes(), **cpu_sizes()})]
FamilyKey = Annotated[str, AfterValidator(_key)]
Usd = Annotated[float, Field(gt=0, lt=100_000, allow_inf_nan=False)]


class Quota(Part):
    """vCPUs that machines of one family, or all of them, may have in a region."""

    limit: Count = Field(description="What is granted.")
    used: Count = Field(description="What is in use, by everything in the subscription.")
    ours: Count = Field(0, description="What of it this fleet's own machines use: they need it and do not compete.")

    @check("ours")
    @classmethod
    def _is_part(cls, ours: int, info: ValidationInfo) -> int:
        if ours > info.data.get("used", ours):
            raise ValueError(f"{ours} is more than what is used; the fleet's own machines are part of it")
        return ours

    @property
    def left(self) -> int:
        """What this fleet may have in all: what is left, and what it has."""
        return max(0, self.limit - self.used + self.ours)


class Offer(Part):
    """Whether a size can be had in a region."""

    zones: Annotated[tuple[Zone, ...], AfterValidator(no_twins)] = Field((), description="The zones that have it.")
    restricted: Flag = Field(False, description="Whether the subscription may not have it in the region.")
    restricted_zones: Annotated[tuple[Zone, ...], AfterValidator(no_twins)] = Field(
        (), description="Zones in which the subscription may not have it."
    )
    reason: Line | None = Field(None, description="Why it is restricted, in Azure's words.")
    reservable: Flag | None = Field(None, description="Whether capacity of it can be reserved; absent: not known.")

    @property
    def open_zones(self) -> tuple[int, ...]:
        """The zones in which the subscription may have it."""
        return tuple(zone for zone in sorted(self.zones) if zone not in self.restricted_zones)


class Price(Part):
    """US dollars an hour for one machine of a size in a region, Linux."""

    on_demand: Usd | None = Field(None, description="Pay as you go; a capacity reservation costs the same.")
    spot: Usd | None = Field(None, description="Spot, at the day's price.")
    reserved: Usd | None = Field(None, description="Under a reserved instance of a year, by the hour.")
    source: Line = Field(description="Where it was read.")
    confidence: Confidence = Field(description="How far it can be trusted.")


class RegionLimits(Part):
    """What is known of one Azure region."""

    quota: dict[FamilyKey, Quota] = Field(default={}, description="Quota family, cores or lowprioritycores -> vCPUs.")
    skus: dict[Sku, Offer] = Field(default={}, description="Size -> whether it can be had.")
    prices: dict[Sku, Price] = Field(default={}, description="Size -> price.")


@dataclass(frozen=True, slots=True)
class Rate:
    """What one machine costs an hour, and who says so."""

    usd: float
    source: str
    confidence: Confidence


class Limits(Part):
    """What is known of a subscription, and since when."""

    apiVersion: Literal["bellwether/v1"] = Field(description="The form of this file: bellwether/v1.")  # noqa: N815
    kind: Literal["Limits"] = Field(description="What this file is: Limits.")
    example: Flag = Field(False, description="Whether it is an example, and nobody asked Azure.")
    as_of: Day = Field(description="The day it was read.")
    sources: tuple[Line, ...] = Field(min_length=1, description="Where it was read.")
    subscription: Guid = Field(description="The subscription that the quota is of.")
    regions: dict[Location, RegionLimits] = Field(description="Azure region -> what is known of it.")

    def quota(self, location: str, family: str) -> Quota | None:
        """vCPUs of a quota family (any spelling), `cores` or `lowprioritycores` in an Azure region; None: unknown."""
        return self._region(location).quota.get(family_key(family))

    def sku(self, location: str, sku: str) -> Offer | None:
        """Whether a size can be had in an Azure region; None: unknown."""
        return self._region(location).skus.get(sku)

    def price(self, location: str, sku: str, priority: Priority) -> Rate | None:
        """What a machine costs an hour there; None: unknown. Never that of another region."""
        return _rate(self._region(location).prices.get(sku), priority)

    def _region(self, location: str) -> RegionLimits:
        return self.regions.get(location, _NOTHING)


_NOTHING = RegionLimits()


def seen_price(location: str, sku: str, priority: Priority) -> Rate | None:
    """What a machine cost there in one of the sources that ship with us; None: in none of them."""
    return _rate(seen_prices().get(sku, {}).get(location), priority)


def limits_file(fleet_file: Path) -> Path:
    """Where the limits of a fleet are: beside its file."""
    return fleet_file.with_suffix(".limits.json")


def load_limits(path: Path) -> Limits:
    """The limits in a file. Raises NoLimits where it is not there, LimitsError with all problems of it."""
    if not path.exists():
        raise NoLimits(
            f"there is no limits file {path}",
            not_done="nothing was checked against quota",
            next="ops fleet preflight --live writes it",
        )
    try:
        return read_limits(read(path))
    except LimitsError:
        raise
    except SourceError as error:
        raise LimitsError(error.problems, not_done="nothing was done") from error


def read_limits(source: Source) -> Limits:
    """The limits in a file's content: JSON, and so YAML. Raises LimitsError with all problems."""
    limits, problems = validate(source, Limits)
    if limits is None:
        raise LimitsError(problems, not_done="nothing was done")
    return limits


def text(limits: Limits) -> str:
    """The limits as they stand in a file: one line for each quota, size and price."""
    return _layout(limits.model_dump(mode="json", exclude_none=True, exclude_defaults=True), 4, "") + "\n"


def _layout(value: Any, depth: int, indent: str) -> str:
    if not depth or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    lines = [f"{inner}{json.dumps(key)}: {_layout(part, depth - 1, inner)}" for key, part in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _rate(price: Price | SeenPrice | None, priority: Priority) -> Rate | None:
    if price is None:
        return None
    usd = price.spot if priority == "spot" else price.on_demand
    if priority == "reserved" and isinstance(price, Price):
        # "Capacity reservations are priced at the same rate as the size" (learn.microsoft.com, "On-demand capacity
        # reservation"): only a reserved instance makes them cheaper.
        usd = price.reserved or price.on_demand
    return None if usd is None else Rate(usd, price.source, price.confidence)
