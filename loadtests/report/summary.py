"""What a load test found: counts by outcome and arm, latencies, and whether the client can be believed. Pure.

Latencies are of ok requests only and count from the moment a request was sent:
    ttft = first event with text - sent;  e2e = last event with text or the finish reason - sent;
    itl  = (last event with text - first event with text) / (tokens - 1), one value per request.
A late [DONE] is in none of them. How late requests were sent is a number of its own, the send lag.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from loadtests.order import Order
from loadtests.report.histogram import Histogram, merged
from loadtests.wire.outcome import Outcome

UNKNOWN = "unknown"  # the arm of a request that got no answer, or one without the header

# Above these the client or the machine adds to what it measures. A gevent loop is one server in a queue: at 70 % busy
# an event waits for two others on average (M/M/1), and two cores that servers share are no better.
MOST_BUSY = 0.70
MOST_LAG = 0.010  # s at p99: a tenth of a latency bucket around 100 ms


@dataclass(frozen=True, slots=True)
class Sample:
    """One request that has ended. Seconds; ttft, itl and e2e are None where there is no such moment."""

    outcome: Outcome
    arm: str
    release: str
    total: float
    ttft: float | None = None
    itl: float | None = None
    e2e: float | None = None
    tokens: int = 0
    events: int = 0
    received: int = 0


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Latency(_Value):
    """A distribution of seconds; None of an empty one."""

    count: int
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p99_9: float | None = None
    max: float | None = None


class Arm(_Value):
    """What the requests of one arm and release came to."""

    arm: str
    release: str
    requests: int
    outcomes: dict[Outcome, int]
    ttft: Latency
    itl: Latency
    e2e: Latency


class Machine(_Value):
    """The cost of the load: CPU seconds of the client by wall second, and the busy share of all cores."""

    client_cpu: float = 0.0
    busy: float = 0.0


class Progress(_Value):
    """Where a running load is. `bad` are the requests that ended and were not ok."""

    elapsed: float
    scheduled: int
    sent: int
    done: int
    ok: int
    bad: int
    rate: float
    ttft_p50: float | None
    busy: float


class Summary(_Value):
    """The report of a load test. scheduled >= sent >= done; what was sent and did not end is `unfinished`."""

    service: str
    trace: str
    max_output: int | None
    seed: int
    rate_asked: float
    rate_sent: float
    elapsed: float
    interrupted: bool
    scheduled: int
    sent: int
    done: int
    unfinished: int
    outcomes: dict[Outcome, int]
    arms: tuple[Arm, ...]
    ttft: Latency
    itl: Latency
    e2e: Latency
    send_lag: Latency
    tokens: int
    events: int
    machine: Machine
    warnings: tuple[str, ...]


class Book:
    """Counts as requests are due, are sent and end."""

    def __init__(self) -> None:
        self.scheduled = 0
        self.lag = Histogram()
        self.tokens = 0
        self.events = 0
        self.outcomes: defaultdict[tuple[str, str], Counter[Outcome]] = defaultdict(Counter)
        self._latencies: defaultdict[tuple[str, str], dict[str, Histogram]] = defaultdict(_empty)

    @property
    def sent(self) -> int:
        """Requests that were sent."""
        return self.lag.count

    def send(self, lag: float) -> None:
        """Count a request that is sent now, `lag` seconds after it was due."""
        self.lag.add(lag)

    def end(self, sample: Sample) -> None:
        """Count a request that has ended; only an ok one has latencies."""
        key = sample.arm, sample.release
        self.outcomes[key][sample.outcome] += 1
        self.tokens += sample.tokens
        self.events += sample.events
        if sample.outcome is not Outcome.OK:
            return
        latencies = self._latencies[key]
        for name, value in (("ttft", sample.ttft), ("itl", sample.itl), ("e2e", sample.e2e)):
            if value is not None:
                latencies[name].add(value)

    def total(self) -> Counter[Outcome]:
        """The outcomes of all arms together."""
        return sum(self.outcomes.values(), Counter[Outcome]())

    def latency(self, name: str) -> Histogram:
        """The distribution called `name` over all arms."""
        return merged([latencies[name] for latencies in self._latencies.values()])

    def arms(self) -> tuple[Arm, ...]:
        """Each arm and release that answered, in order of name."""
        return tuple(self._arm(*key) for key in sorted(self.outcomes))

    def _arm(self, arm: str, release: str) -> Arm:
        outcomes = self.outcomes[arm, release]
        latencies = {name: describe(values) for name, values in self._latencies[arm, release].items()}
        return Arm(arm=arm, release=release, requests=outcomes.total(), outcomes=_ordered(outcomes), **latencies)


def describe(values: Histogram) -> Latency:
    """Count, mean and percentiles."""
    if not values.count:
        return Latency(count=0)
    points = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999, "max": 1.0}
    quantiles = {name: _rounded(values.quantile(q)) for name, q in points.items()}
    return Latency(count=values.count, mean=_rounded(values.mean), **quantiles)


def progress(book: Book, elapsed: float, rate: float, machine: Machine) -> Progress:
    """Where the load is after `elapsed` seconds, sending `rate` requests a second just now."""
    total = book.total()
    return Progress(
        elapsed=round(elapsed, 3),
        scheduled=book.scheduled,
        sent=book.sent,
        done=total.total(),
        ok=total[Outcome.OK],
        bad=total.total() - total[Outcome.OK],
        rate=round(rate, 2),
        ttft_p50=_rounded(book.latency("ttft").quantile(0.5)),
        busy=machine.busy,
    )


def summarize(order: Order, book: Book, elapsed: float, machine: Machine, *, interrupted: bool) -> Summary:
    """The report of a run that sent for `elapsed` seconds."""
    total, lag = book.total(), describe(book.lag)
    return Summary(
        service=order.service,
        trace=order.trace,
        max_output=order.max_output,
        seed=order.seed,
        rate_asked=order.rate,
        rate_sent=round(book.sent / elapsed, 3) if elapsed > 0 else 0.0,
        elapsed=round(elapsed, 3),
        interrupted=interrupted,
        scheduled=book.scheduled,
        sent=book.sent,
        done=total.total(),
        unfinished=book.sent - total.total(),
        outcomes=_ordered(total),
        arms=book.arms(),
        ttft=describe(book.latency("ttft")),
        itl=describe(book.latency("itl")),
        e2e=describe(book.latency("e2e")),
        send_lag=lag,
        tokens=book.tokens,
        events=book.events,
        machine=machine,
        warnings=warnings(lag, machine),
    )


def warnings(lag: Latency, machine: Machine) -> tuple[str, ...]:
    """Why the client or the machine was the bottleneck; nothing where neither was."""
    found: list[str] = []
    if lag.p99 is not None and lag.p99 > MOST_LAG:
        found.append(f"the client sent 1 % of its requests more than {1000 * lag.p99:.0f} ms late")
    if machine.client_cpu > MOST_BUSY:
        found.append(f"the client's one core was {machine.client_cpu:.0%} busy")
    if machine.busy > MOST_BUSY:
        found.append(f"this machine's cores were {machine.busy:.0%} busy")
    if not found:
        return ()
    return (*found, "latencies are the laptop's, not the release's: use a lower rate")


def _empty() -> dict[str, Histogram]:
    return {"ttft": Histogram(), "itl": Histogram(), "e2e": Histogram()}


def _ordered(outcomes: Counter[Outcome]) -> dict[Outcome, int]:
    return {outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]}


def _rounded(value: float | None) -> float | None:
    """Microseconds are finer than anything measured here."""
    return None if value is None else round(value, 6)
