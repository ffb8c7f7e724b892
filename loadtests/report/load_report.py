"""The report of a load test: what was sent, what came of it, and whether the client can be believed. Pure.

Only ok requests have latencies. `metrics` counts from when a request was sent and `from_scheduled` from when it was
due; `steady` is the same without the warm-up, and what comparisons and gates go by.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from loadtests.report.latency import Latency, Metrics, Value
from loadtests.report.verdict import Verdict


class Client(Value):
    """The client's own delays, and what they make of the run; of several processes the worst decides."""

    verdict: Verdict = Field(description="INVALID: the figures are the client's and pass no gate.")
    reasons: tuple[str, ...] = Field(description="Why it is not VALID.")
    send_lag: Latency = Field(description="How late requests were sent, in seconds.")
    loop_lag: Latency = Field(description="How late the client's event loop ran what was due.")
    receive_delay: Latency = Field(description="The longest that something of a response lay unread, by request.")
    cpu: float = Field(description="CPU seconds of the busiest client process by wall second.")
    busy: float = Field(description="The busy share of all cores of this machine.")
    processes: int = Field(description="Client processes.")
    merged: float = Field(
        default=0.0, description="The share of token events that were read too late to have times of their own."
    )
    kernel_times: float = Field(description="The share of requests whose token times are the kernel's receive times.")


class Arrivals(Value):
    """scheduled >= sent >= done; what was sent and did not end is `unfinished`."""

    scheduled: int
    sent: int
    done: int
    unfinished: int
    rate_asked: float | None = Field(description="Requests a second, on average; None where only answers set the pace.")
    rate_sent: float = Field(description="Requests a second that were sent.")


class Arm(Value):
    """What the requests of one arm and release came to."""

    arm: str
    release: str
    requests: int
    outcomes: dict[str, int]
    metrics: Metrics


class FromScheduled(Value):
    """Latencies that count from when a request was due: waiting in the client is in them."""

    ttft: Latency
    e2e: Latency


class Goodput(Value):
    """The share of sent requests that were ok and kept the SLO; with its 95 % confidence interval."""

    slo: dict[str, float] = Field(description="Thresholds in seconds; none: every ok request is good.")
    good: int
    share: float | None
    low: float | None
    high: float | None
    rate: float = Field(description="Good requests a second.")


class Steady(Value):
    """The part of the run without its warm-up."""

    found: bool = Field(description="Whether the rule found a steady part; if not, all of the run counts.")
    start: float = Field(description="Seconds since the start of the run.")
    end: float
    why: str
    requests: int = Field(description="Requests that were sent in it.")
    metrics: Metrics
    goodput: Goodput


class Tokens(Value):
    """Tokens of prompts that were sent, and of answers that came."""

    prompt: int
    output: int
    output_rate: float = Field(description="Tokens of answers a second.")
    events: int = Field(description="Events that held tokens.")


class Cost(Value):
    """What the serving machines cost while this load ran, at list prices."""

    usd_per_hour: float
    per_million_tokens: float | None = Field(description="US dollars for a million tokens of answers.")
    per_million_good_tokens: float | None = Field(description="The same, of tokens in proportion to goodput.")


class LoadReport(Value):
    """The report of a load test. Times are seconds."""

    service: str
    fleet: str
    region: str
    model: str
    url: str
    profile: str = Field(description="The load profile.")
    pattern: dict[str, Any] = Field(description="What of the load profile was sent.")
    seed: int
    started: str = Field(description="When it was, in UTC; empty where nobody said.")
    elapsed: float = Field(description="For how long was sent.")
    interrupted: bool
    client: Client
    arrivals: Arrivals
    outcomes: dict[str, int] = Field(description="Requests by how they ended.")
    metrics: Metrics
    from_scheduled: FromScheduled
    failures: Latency = Field(description="How long requests took that were not ok.")
    retries: int
    arms: tuple[Arm, ...]
    steady: Steady
    goodput: Goodput
    tokens: Tokens
    cost: Cost | None = None
