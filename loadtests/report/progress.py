"""Where a running load is, second by second. Pure: reads a book."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from loadtests.report.book import Book, Machine
from loadtests.wire.outcome import OK


class Progress(BaseModel):
    """Where a running load is. `bad` are the requests that ended and were not ok; seconds, and requests a second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    elapsed: float
    scheduled: int
    sent: int
    done: int
    ok: int
    bad: int
    good: int
    rate: float
    ttft_p50: float | None
    busy: float


def progress(book: Book, elapsed: float, rate: float, machine: Machine) -> Progress:
    """Where the load is after `elapsed` seconds, sending `rate` requests a second just now."""
    done, ok, p50 = book.done, book.outcomes()[OK], book.latency("ttft").quantile(0.5)
    return Progress(
        elapsed=round(elapsed, 3),
        scheduled=book.scheduled,
        sent=book.sent,
        done=done,
        ok=ok,
        bad=done - ok,
        good=book.total("good"),
        rate=round(rate, 2),
        ttft_p50=None if p50 is None else round(p50, 6),
        busy=machine.busy,
    )
