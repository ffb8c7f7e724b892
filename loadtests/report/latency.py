"""A distribution of seconds as a report shows it: count, mean, percentiles, and how sure they are. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from loadtests.report.histogram import Histogram

POINTS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}


class Value(BaseModel):
    """What a report is made of: frozen, and nothing in it that its schema does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Latency(Value):
    """A distribution of seconds; None of an empty one."""

    count: int = Field(description="Values: requests, or gaps between tokens for itl.")
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p99_9: float | None = None
    max: float | None = None
    ci: dict[str, tuple[float, float]] = Field(
        default={}, description="95 % confidence intervals by percentile, where there is enough to say."
    )


class Metrics(Value):
    """The latencies of ok requests; docs/load.md defines each."""

    ttft: Latency = Field(description="Time to first token.")
    itl: Latency = Field(description="Inter-token latency, one value per gap.")
    tpot: Latency = Field(description="Time per output token, one value per request.")
    e2e: Latency = Field(description="From sent to the last token.")


def describe(values: Histogram) -> Latency:
    """Count, mean and percentiles of a whole run."""
    if not values.count:
        return Latency(count=0)
    points: dict[str, Any] = {name: rounded(values.quantile(q)) for name, q in POINTS.items()}
    return Latency(count=values.count, mean=rounded(values.mean), max=rounded(values.greatest), **points)


def rounded(value: float | None) -> float | None:
    """Microseconds are finer than anything measured here."""
    return None if value is None else round(value, 6)
