"""Who is called: people, the layers they take turns in, exceptions, and whom to call next. Pure; tells no time.

Times of day are local times with a zone, because people keep those; exceptions are instants. Turning them into UTC is
the on-call calculator's work, by one rule for the hours that daylight saving adds and takes.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic import field_validator as check

from infra.suggest import hint
from infra.units import Duration
from infra.yamlfile.part import Line, Name, Part, SecretReference, matching, no_twins
from infra.yamlfile.problem import brief

Severity = Literal["P1", "P2", "P3", "P4"]
Channel = Literal["chat", "ticket"]


def parse_time_zone(name: str) -> str:
    """An IANA time zone by name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{brief(name)} is no time zone{hint(name, available_timezones())}") from error
    return name


def parse_days(value: object) -> int:
    """Whole days in `1w` or `2d`: turns are counted in calendar days, not in hours, which differ when clocks change."""
    found = re.fullmatch(r"([1-9][0-9]?)(d|w)", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{brief(value)} is not understood; write calendar days or weeks such as 2d, 1w")
    return int(found[1]) * (7 if found[2] == "w" else 1)


def parse_instant(value: object) -> datetime:
    """An instant with its offset, 2026-12-24T08:00+01:00 or 2026-12-24T07:00Z."""
    trouble = f"{brief(value)} is not an instant; write one such as 2026-12-24T08:00+01:00"
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError as error:
        raise ValueError(trouble) from error
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"{trouble} (the offset must be there)")
    return instant


def parse_local(value: object) -> datetime:
    """A local date and time without offset, 2026-11-02T09:00."""
    trouble = f"{brief(value)} is not a local time; write one such as 2026-11-02T09:00, without offset"
    try:
        local = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError as error:
        raise ValueError(trouble) from error
    if local is None or local.tzinfo is not None:
        raise ValueError(trouble)
    return local


_ISO = PlainSerializer(lambda moment: moment.isoformat(), return_type=str, when_used="json")
_DAY = PlainSerializer(lambda days: f"{days}d", return_type=str, when_used="json")
_OCLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"

TimeZone = Annotated[str, AfterValidator(parse_time_zone)]
Days = Annotated[
    int, BeforeValidator(parse_days), _DAY, WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]?[dw]$"})
]
Instant = Annotated[
    datetime, BeforeValidator(parse_instant), _ISO, WithJsonSchema({"type": "string", "format": "date-time"})
]
Local = Annotated[
    datetime, BeforeValidator(parse_local), _ISO, WithJsonSchema({"type": "string", "examples": ["2026-11-02T09:00"]})
]
Clock = Annotated[str, matching(_OCLOCK, "write a time of day such as 09:00")]


class Person(Part):
    """Somebody who can be called."""

    name: Name = Field(description="How the roster calls them.")
    time_zone: TimeZone = Field(description="Where they sleep, such as Europe/Berlin.")
    contact: SecretReference = Field(description="Where the contact is kept, such as keyvault:oncall-ana.")


class Hours(Part):
    """The part of the day that a layer covers, in the layer's time zone; `to` may be past midnight."""

    start: Clock = Field(alias="from", description="First minute, such as 09:00.")
    end: Clock = Field(alias="to", description="End, such as 21:00.")

    @check("end")
    @classmethod
    def _is_some_time(cls, end: str, info: ValidationInfo) -> str:
        if end == info.data.get("start"):
            raise ValueError(f"{end} to {end} is no time at all; leave hours out for the whole day")
        return end


class Layer(Part):
    """People who take turns."""

    name: Name = Field(description="Such as primary, secondary.")
    participants: Annotated[tuple[str, ...], AfterValidator(no_twins)] = Field(
        min_length=1, description="People, in the order of their turns."
    )
    time_zone: TimeZone = Field(description="The zone that start and hours are meant in.")
    start: Local = Field(description="When the first turn began, local time, such as 2026-11-02T09:00.")
    every: Days = Field(description="Length of a turn in calendar days or weeks, such as 1w.")
    hours: Hours | None = Field(None, description="The part of the day it covers; all of it if not said.")


class Override(Part):
    """Somebody else is called, for a while."""

    layer: str = Field(description="The layer.")
    person: str = Field(description="Who is called instead.")
    start: Instant = Field(alias="from", description="First instant, with offset.")
    end: Instant = Field(alias="to", description="End, with offset.")
    reason: Line = Field(description="Why.")

    @check("end")
    @classmethod
    def _is_later(cls, end: datetime, info: ValidationInfo) -> datetime:
        start = info.data.get("start")
        if start is not None and end <= start:
            raise ValueError(f"it ends at {end.isoformat()}, before it begins")
        return end


class Step(Part):
    """Who is told, and how long after the alert when nobody has taken it."""

    after: Duration = Field(0.0, description="Time since the alert; at once if not said.")
    layers: Annotated[tuple[str, ...], AfterValidator(no_twins)] = Field((), description="Layers that are called.")
    channel: Channel | None = Field(
        None, description="Or where it is written, if nobody need wake up.", validate_default=True
    )

    @check("channel")
    @classmethod
    def _reaches_somebody(cls, channel: str | None, info: ValidationInfo) -> str | None:
        if channel is None and not info.data.get("layers", True):
            raise ValueError("a step that tells nobody; add layers or channel")
        return channel


class OnCall(Part):
    """The roster of a fleet."""

    people: tuple[Person, ...] = Field(min_length=1, description="Everybody who can be called.")
    layers: tuple[Layer, ...] = Field(min_length=1, description="Who takes turns with whom.")
    overrides: tuple[Override, ...] = Field((), description="Exceptions; the last one that covers an instant wins.")
    escalation: dict[Severity, tuple[Step, ...]] = Field(description="Severity -> who is told, step after step.")

    @check("escalation")
    @classmethod
    def _is_complete(cls, escalation: dict[str, tuple[Step, ...]]) -> dict[str, tuple[Step, ...]]:
        for severity in ("P1", "P2", "P3", "P4"):
            if not escalation.get(severity):
                raise ValueError(f"nobody is told of a {severity}; add steps for it")
        if not any(step.layers for step in escalation["P1"]):
            raise ValueError("a P1 must call a layer, not only write to a channel")
        for severity, steps in escalation.items():
            if [step.after for step in steps] != sorted(step.after for step in steps):
                raise ValueError(f"the steps of {severity} are not in the order of their times")
        return escalation
