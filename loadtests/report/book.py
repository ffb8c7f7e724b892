"""What a run counts while it goes: outcomes, latencies and the client's own delays, mergeable exactly. Pure.

The dispatcher calls `schedule`, `send` and `add`; `beat`, `second` and `close` are told by whoever measures the client.
Workers, processes and regions each keep a book; `merged` is what one book of all of them would hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from loadtests.report import series
from loadtests.report.goodput import Thresholds, good
from loadtests.report.histogram import Histogram
from loadtests.report.histogram import merged as merged_histograms
from loadtests.report.series import Series, gap_buckets
from loadtests.wire.outcome import OK, Outcome, http
from loadtests.wire.sample import Sample

NAMES = ("ttft", "itl", "tpot", "e2e", "ttft_scheduled", "e2e_scheduled", "total")
LIMITED = http(429)
CLIENT = ("lag", "loop", "receive", "cpu")
TAILS = {
    "send_lag": ("lag", 0.99),
    "loop_lag": ("loop", 0.99),
    "receive_delay": ("receive", 0.99),
    "cpu_peak": ("cpu", 0.9),
}


class Key(NamedTuple):
    """Where a request went and what became of it."""

    region: str
    service: str
    endpoint: str
    arm: str
    release: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Machine:
    """The cost of one client process: its CPU seconds by wall second, and the busy share of all cores around it.

    The rest are its own delays in seconds at p99, its share of a core in the busiest tenth of all seconds, and the
    share of token events that it read too late. The book of one process knows them by its histograms and counts, and
    that of several here: among many, one that is late is not seen.
    """

    client_cpu: float = 0.0
    busy: float = 0.0
    send_lag: float | None = None
    loop_lag: float | None = None
    receive_delay: float | None = None
    cpu_peak: float | None = None
    merged: float | None = None


@dataclass(slots=True)
class Cell:
    """The requests of one key. `total` is of all of them, the latencies of ok ones only."""

    requests: int = 0
    good: int = 0
    tokens: int = 0
    prompt_tokens: int = 0
    events: int = 0
    received: int = 0
    retries: int = 0
    retry_wait: float = 0.0
    kernel: int = 0
    merged: int = 0
    histograms: defaultdict[str, Histogram] = field(default_factory=lambda: defaultdict(Histogram))

    def take(self, other: Cell) -> None:
        """Add all of another."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, histogram in other.histograms.items():
            self.histograms[name] = merged_histograms([self.histograms[name], histogram])

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        histograms = {name: histogram.to_json() for name, histogram in self.histograms.items()}
        return {**{name: getattr(self, name) for name in COUNTS}, "histograms": histograms}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Cell:
        """What `to_json` gave."""
        known = {"merged": 0, **data}  # older runs do not know it
        cell = cls(**{name: known[name] for name in COUNTS})
        cell.histograms.update({name: Histogram.from_json(one) for name, one in data["histograms"].items()})
        return cell


COUNTS = (
    "requests",
    "good",
    "tokens",
    "prompt_tokens",
    "events",
    "received",
    "retries",
    "retry_wait",
    "kernel",
    "merged",
)


class Book:
    """Counts as requests are due, are sent and end. Moments are seconds since the start of the run."""

    def __init__(self, region: str = "", service: str = "", endpoint: str = "", slo: Thresholds | None = None) -> None:
        self._place, self._slo = (region, service, endpoint), slo
        self.scheduled = 0
        self.sent = 0
        self.elapsed = 0.0
        self.interrupted = False
        self.lag = Histogram()  # how late requests were sent
        self.loop = Histogram()  # how late the event loop ran what was due
        self.receive = Histogram()  # the worst time of each request that something had come and was not read
        self.cpu = Histogram()  # the client's share of its core, second by second
        self.clients: list[Machine] = []  # one for each process that sent
        self.cells: defaultdict[Key, Cell] = defaultdict(Cell)
        self.series = Series()

    def schedule(self, due: float) -> None:
        """A request is due."""
        self.scheduled += 1
        self.series.at(due).scheduled += 1

    def send(self, at: float) -> None:
        """A request is sent now; whether it ever ends or not."""
        self.sent += 1
        self.series.at(at).sent += 1

    def add(self, sample: Sample) -> bool:
        """A request has ended; whether it counts as goodput. Only an ok one has latencies."""
        kept = good(sample, self._slo)
        self.lag.add(sample.lag)
        self.receive.add(sample.receive_delay)
        self.series.at(sample.at).done += 1
        self.series.at(sample.at).tokens += sample.tokens
        cell = self.cells[Key(*self._place, sample.arm, sample.release, sample.outcome)]
        _count(cell, sample, kept)
        if sample.outcome == OK:
            self.series.end(sample, kept)
            self._time(cell, sample)
        if sample.outcome == LIMITED:
            self.series.at(sample.sent).limited += 1
        return kept

    def beat(self, late: float) -> None:
        """The event loop ran something this much after it was due."""
        self.loop.add(late)

    def second(self, share: float) -> None:
        """The share of its core that the client took in one second."""
        self.cpu.add(share)

    def close(self, elapsed: float, machine: Machine, *, interrupted: bool = False) -> None:
        """Sending is over: how long it took, and what it cost this process."""
        self.elapsed, self.interrupted = elapsed, interrupted
        self.clients.append(machine)

    @property
    def machines(self) -> list[Machine]:
        """Every client process with its delays."""
        if len(self.clients) != 1:
            return self.clients
        tails = {name: getattr(self, of).quantile(q) for name, (of, q) in TAILS.items()}
        merged = self.total("merged") / max(1, self.total("events"))
        return [replace(self.clients[0], merged=merged, **tails)]

    @property
    def done(self) -> int:
        """Requests that ended, whatever became of them."""
        return sum(cell.requests for cell in self.cells.values())

    def outcomes(self) -> Counter[Outcome]:
        """The outcomes of all cells together."""
        counts = Counter[Outcome]()
        for key, cell in self.cells.items():
            counts[key.outcome] += cell.requests
        return counts

    def total(self, name: str) -> Any:
        """The sum of a count over all cells."""
        return sum(getattr(cell, name) for cell in self.cells.values())

    def latency(self, name: str, arm: str | None = None, release: str | None = None) -> Histogram:
        """The distribution called `name`, of all ok requests or those of one arm and release."""
        return merged_histograms(
            cell.histograms[name]
            for key, cell in self.cells.items()
            if key.outcome == OK
            and name in cell.histograms
            and arm in (None, key.arm)
            and release in (None, key.release)
        )

    def failures(self) -> Histogram:
        """How long requests took that were not ok."""
        return merged_histograms(cell.histograms["total"] for key, cell in self.cells.items() if key.outcome != OK)

    def _time(self, cell: Cell, sample: Sample) -> None:
        histograms, late = cell.histograms, sample.sent - sample.due
        for name, value in (("ttft", sample.ttft), ("e2e", sample.e2e)):
            if value is not None:
                histograms[name].add(value)
                histograms[f"{name}_scheduled"].add(value + late)
        if sample.tpot is not None:
            histograms["tpot"].add(sample.tpot)
        if sample.gaps:
            buckets = gap_buckets(sample)
            histograms["itl"].extend(sample.gaps, buckets)
            self.series.gaps(sample, buckets)

    def to_json(self) -> dict[str, Any]:
        """JSON values: all that is counted, so that a report can be made of it elsewhere and later."""
        return {
            "scheduled": self.scheduled,
            "sent": self.sent,
            "elapsed": self.elapsed,
            "interrupted": self.interrupted,
            **{name: getattr(self, name).to_json() for name in CLIENT},
            "clients": [asdict(one) for one in self.clients],
            "cells": [[*key, cell.to_json()] for key, cell in sorted(self.cells.items())],
            "series": self.series.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Book:
        """What `to_json` gave. Raises KeyError, TypeError or ValueError for anything else."""
        book = cls()
        book.scheduled, book.sent = int(data["scheduled"]), int(data["sent"])
        book.elapsed, book.interrupted = float(data["elapsed"]), bool(data["interrupted"])
        for name in CLIENT:
            setattr(book, name, Histogram.from_json(data[name]))
        book.clients = [Machine(**one) for one in data["clients"]]
        for *key, cell in data["cells"]:
            book.cells[Key(*key)] = Cell.from_json(cell)
        book.series = Series.from_json(data["series"])
        return book


def _count(cell: Cell, sample: Sample, kept: bool) -> None:
    cell.requests += 1
    cell.good += kept
    cell.tokens += sample.tokens
    cell.prompt_tokens += sample.prompt_tokens
    cell.events += sample.events
    cell.received += sample.received
    cell.retries += sample.retries
    cell.retry_wait += sample.retry_wait
    cell.kernel += sample.kernel
    cell.merged += sample.merged
    cell.histograms["total"].add(sample.total)


def merged(books: Iterable[Book]) -> Book:
    """One book of what several processes counted at the same time: as long as the longest, interrupted if one was."""
    books, whole = list(books), Book()
    for name in CLIENT:
        setattr(whole, name, merged_histograms(getattr(book, name) for book in books))
    for book in books:
        whole.scheduled += book.scheduled
        whole.sent += book.sent
        whole.elapsed = max(whole.elapsed, book.elapsed)
        whole.interrupted |= book.interrupted
        whole.clients += book.machines
        for key, cell in book.cells.items():
            whole.cells[key].take(cell)
    whole.series = series.merged([book.series for book in books])
    return whole
