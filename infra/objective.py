"""What a service promises its users: a share of good events, by one SLI of a fixed vocabulary. Pure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo
from pydantic import field_validator as check

from infra.bounds import HISTOGRAMS
from infra.units import Duration, Ratio, format_duration
from infra.yamlfile.part import Part

Sli = Literal["availability", "ttft", "itl", "e2e", "queue", "quality", "api_latency", "edge_ttfb"]
Geography = Literal["africa", "asia-pacific", "europe", "middle-east", "north-america", "south-america"]
Task = Literal["generate", "embed", "classify"]

GENERATION = {"ttft", "itl"}  # only a stream of tokens has a first one, and gaps
CALL = {"api_latency"}  # a call that answers at once


class Objective(Part):
    """A promise: `target` of all events are good within `window`."""

    sli: Sli = Field(description="What is measured; latencies are good below `threshold`.")
    geography: Geography | None = Field(None, description="Where the users are; edge_ttfb only.", validate_default=True)
    target: Ratio = Field(description="The share of good events that is promised, below 100%.")
    threshold: Duration | None = Field(
        None,
        description="A latency is good at or below this; a bucket bound of the histogram it is counted on.",
        validate_default=True,
    )
    window: Duration = Field(30 * 86400.0, description="The time the promise is kept over; 30d if not said.")

    @check("geography")
    @classmethod
    def _belongs(cls, geography: str | None, info: ValidationInfo) -> str | None:
        sli = info.data.get("sli")
        if sli == "edge_ttfb" and geography is None:
            raise ValueError("edge_ttfb is promised to users somewhere; add geography, such as europe")
        if sli and sli != "edge_ttfb" and geography is not None:
            raise ValueError(f"{sli} is measured in the region, not at the users; geography is for edge_ttfb")
        return geography

    @check("target")
    @classmethod
    def _leaves_a_budget(cls, target: float) -> float:
        if not 0.5 <= target < 1:
            raise ValueError("a target lies between 50% and 100% and leaves an error budget; write one such as 99.9%")
        return target

    @check("threshold")
    @classmethod
    def _is_a_bound(cls, threshold: float | None, info: ValidationInfo) -> float | None:
        sli = info.data.get("sli")
        if sli is None or (sli not in HISTOGRAMS and threshold is None):
            return threshold
        if sli not in HISTOGRAMS:
            raise ValueError(f"{sli} counts answers and not seconds; leave threshold out")
        return _bound(sli, threshold)

    @property
    def budget(self) -> float:
        """The share of bad events that may be spent."""
        return 1 - self.target

    @property
    def label(self) -> str:
        """`ttft < 250ms`, `availability`, `edge_ttfb europe < 100ms`."""
        below = f"< {format_duration(self.threshold)}" if self.threshold else ""
        return " ".join(part for part in (self.sli, self.geography, below) if part)


def _bound(sli: str, threshold: float | None) -> float:
    """The threshold, when the histogram of the SLI counts at it."""
    histogram = HISTOGRAMS[sli]
    if threshold is None:
        few = ", ".join(format_duration(bound) for bound in histogram.bounds[:6])
        raise ValueError(f"{sli} needs a threshold, a bucket bound of {histogram.name} such as {few}")
    if threshold not in histogram.bounds:
        near = " and ".join(str(bound) for bound in histogram.nearest(threshold))
        are = "nearest are" if len(histogram.nearest(threshold)) > 1 else "nearest is"
        raise ValueError(f"{threshold:g} s is not a bucket bound of {histogram.name}; the {are} {near}")
    return threshold
