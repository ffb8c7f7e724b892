"""Where a running load is, second by second. Pure: reads a book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from loadtests.report.book import Book, Machine
from loadtests.report.histogram import Histogram, merged
from loadtests.wire.outcome import OK

COUNTS = ("scheduled", "sent", "done", "ok", "bad", "good")


class Progress(BaseModel):
    """Where a running load is. `bad` are the requests that ended and were not ok; seconds, and requests a second.

    `ttft` is the histogram of all times to first token so far, from which those of several clients are told exactly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    elapsed: float
    scheduled: int
    sent: int
    done: int
    ok: int
    bad: int
    good: int
    rate: float
    ttft: dict[str, Any]
    busy: float

    @property
    def ttft_p50(self) -> float | None:
        """The median time to first token so far; None before there is one."""
        return Histogram.from_json(self.ttft).quantile(0.5)


def progress(book: Book, elapsed: float, rate: float, machine: Machine) -> Progress:
    """Where the load is after `elapsed` seconds, sending `rate` requests a second just now."""
    done, ok = book.done, book.outcomes()[OK]
    return Progress(
        elapsed=round(elapsed, 3),
        scheduled=book.scheduled,
        sent=book.sent,
        done=done,
        ok=ok,
        bad=done - ok,
        good=book.total("good"),
        rate=round(rate, 2),
        ttft=book.latency("ttft").to_json(),
        busy=machine.busy,
    )


def together(parts: Sequence[Progress]) -> Progress:
    """Where several clients that send one load are: as far as the farthest, on a machine as busy as any of them saw."""
    counts = {name: sum(getattr(part, name) for part in parts) for name in COUNTS}
    return Progress(
        **counts,
        elapsed=max(part.elapsed for part in parts),
        rate=round(sum(part.rate for part in parts), 2),
        ttft=merged(Histogram.from_json(part.ttft) for part in parts).to_json(),
        busy=max(part.busy for part in parts),
    )
