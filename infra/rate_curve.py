"""How the rate of requests goes over time: by the day, in a step, or row by row. Pure: says it, and draws nothing."""

from __future__ import annotations

from pydantic import Field, ValidationInfo
from pydantic import field_validator as check

from infra.units import Duration, Rate, SomeDuration, SomeRate, Times, format_duration, format_rate, format_times
from infra.yamlfile.part import Part, Positive

LEAST = 100.0  # requests in a window: by chance alone their number is then within 10 % two times in three (1/sqrt(100))
MOST_VARIATION = 20.0  # CV of gaps; the largest of a recorded trace is 13.2 (Azure's code trace of 2023)


def variation(cv: object) -> float:
    """A coefficient of variation of gaps. Raises ValueError that says what would be right."""
    if isinstance(cv, bool) or not isinstance(cv, (int, float)) or not 0 < cv <= MOST_VARIATION:
        raise ValueError("write a variation of gaps (CV) above 0 and up to 20: 1 is Poisson, 2 to 6 are real clients")
    return float(cv)


class Diurnal(Part):
    """A day: from the trough up to the peak and down again, as a cosine, over and over."""

    trough: SomeRate = Field(description="Requests at the quietest time; the run begins there.")
    peak: SomeRate = Field(description="Requests at the busiest time, half a period later.")
    period: SomeDuration = Field(86400.0, description="Length of a day; 1d if not said, minutes for a test.")

    @check("peak")
    @classmethod
    def _rises(cls, peak: float, info: ValidationInfo) -> float:
        if (trough := info.data.get("trough")) and peak <= trough:
            shown = f"{format_rate(peak)} is not above the trough"
            raise ValueError(f"{shown}; real days have 2.3 to 4.9 times as much, here {format_rate(4 * trough)} for 4x")
        return peak

    @property
    def mean(self) -> float:
        """Requests a second over a whole period."""
        return (self.trough + self.peak) / 2


class RateStep(Part):
    """A sudden load: `factor` times the base, and back. Every `window` inside it has that many times as much."""

    base: SomeRate = Field(description="Requests before and after it.")
    factor: Times = Field(description="How many times as much it is.")
    at: Duration = Field(description="When it begins, from the start of the run.")
    window: SomeDuration = Field(
        description="The time over which the factor is meant: 10x over a second is a burst, over minutes a flood."
    )
    lasting: Duration = Field(alias="for", description="How long it stays; at least a window.")

    @check("factor")
    @classmethod
    def _is_more(cls, factor: float) -> float:
        if factor <= 1:
            raise ValueError(f"{format_times(factor)} is no step up; write more than 1x, such as 10x")
        return factor

    @check("window")
    @classmethod
    def _can_be_counted(cls, window: float, info: ValidationInfo) -> float:
        known = info.data
        if "at" in known and known["at"] < window:
            shown = f"the base has {format_duration(known['at'])} before the step"
            raise ValueError(f"{shown}, less than this window; begin later or write a shorter window")
        if {"base", "factor"} <= known.keys() and (most := known["base"] * known["factor"] * window) < LEAST:
            shown = f"{format_times(known['factor'])} over {format_duration(window)} is {most:g} requests"
            least = format_duration(round(LEAST / (known["base"] * known["factor"]), 3))
            raise ValueError(f"{shown}, too few to tell from chance; write at least {least}, or a higher base")
        return window

    @check("lasting")
    @classmethod
    def _holds_a_window(cls, lasting: float, info: ValidationInfo) -> float:
        if (window := info.data.get("window")) and lasting < window:
            raise ValueError(f"{format_duration(lasting)} holds no window; write at least {format_duration(window)}")
        return lasting


class CurveRow(Part):
    """A stretch of time with one rate and one variation of gaps."""

    lasting: SomeDuration = Field(alias="for", description="How long it lasts; ServeGen's have 10m.")
    rate: Rate = Field(description="Requests in it, on average; 0/s is a pause.")
    cv: float = Field(1.0, description="Variation of the gaps (CV); 1, as Poisson has it, if not said.")

    @check("cv", mode="before")
    @classmethod
    def _is_a_variation(cls, cv: object) -> float:
        return variation(cv)


class ClosedLoop(Part):
    """A closed loop: so many streams, opened over a second; each sends its next request when the last has ended."""

    streams: Positive = Field(description="Requests that are open at the same time.")
