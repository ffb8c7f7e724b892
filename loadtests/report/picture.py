"""Which plots a run has, and what is in them: latency over time, distributions, gaps, arrivals. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from loadtests.report.histogram import GROWTH, SMALLEST, Histogram
from loadtests.report.interval import quantile_of
from loadtests.report.plot import Axis, Point, heat, lines
from loadtests.report.run_file import Run
from loadtests.report.series import Slot

COLUMNS = 120  # of a heat map: three units of the sheet each
COARSE = 10  # buckets of 1 % in one row of a heat map: 10.5 %
LEAST_SHARE = 0.002  # of a column: a rarer gap has the lightest shade


def over_time(run: Run) -> str:
    """p50 and p99 of the time to first token and of whole requests, by when they were sent."""
    curves = {
        f"{name} {point}": _curve(run, name, q)
        for name in ("ttft", "e2e")
        for point, q in (("p50", 0.5), ("p99", 0.99))
    }
    steady = run.report.steady
    y = _seconds([value for points in curves.values() for _, value in points])
    return lines("Latency over time", _time(run), y, curves, (steady.start, steady.end))


def distributions(run: Run) -> str:
    """The share of values that are no longer than so many seconds."""
    curves = {name: _steps(run.book.latency(name)) for name in ("ttft", "itl", "e2e")}
    x = _seconds([value for points in curves.values() for value, _ in points])
    return lines("Share of values up to a time", x, Axis(0.0, 1.0, lambda v: f"{v:.0%}"), curves, None)


def gaps(run: Run) -> str:
    """How often gaps between tokens were how long, by when: the fuller the colour, the more of them."""
    columns = list(_columns(run))
    y = _seconds([_edge(row) for _, rows in columns for bucket in rows for row in (bucket, bucket + 1)])
    ends = f"{LEAST_SHARE:.1%}", "all gaps of that time"
    return heat("Gaps between tokens over time", _time(run), y, _cells(columns), ends)


def arrivals(run: Run) -> str:
    """Requests that were due, sent and done, and refused with 429 where some were, by when."""
    width, slots = run.book.series.width, run.book.series.slots
    names = ["scheduled", "sent", "done", *(["limited"] if any(slot.limited for slot in slots) else [])]
    curves = {
        name: [((number + 0.5) * width, getattr(slot, name) / width) for number, slot in enumerate(slots)]
        for name in names
    }
    most = max((value for points in curves.values() for _, value in points), default=0.0)
    y = Axis(0.0, max(most * 1.05, 1.0), lambda v: f"{v:g}/s")
    return lines("Requests a second", _time(run), y, curves, None)


def duration(seconds: float) -> str:
    """A tick: 500 us, 20 ms, 1.5 s."""
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if seconds * factor >= 1 - 1e-9:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _curve(run: Run, name: str, q: float) -> list[Point]:
    width, found = run.book.series.width, list[Point]()
    for number, slot in enumerate(run.book.series.slots):
        value = quantile_of(getattr(slot, name), q)
        if value is not None:
            found.append(((number + 0.5) * width, value))
    return found


def _steps(values: Histogram) -> list[Point]:
    """A step at each bucket's end; a bucket that adds less than half a unit of the sheet is left out."""
    found, last = [(max(values.least, SMALLEST), 0.0)] if values.count else [], 0.0
    for end, share in values.curve():
        if share - last >= 0.002 or share == 1.0:
            found.append((min(end, max(values.greatest, SMALLEST)), share))
            last = share
    return found


def _columns(run: Run) -> Iterator[tuple[Point, Counter[int]]]:
    """Spans of time, and how many gaps each has by row."""
    width, slots = run.book.series.width, run.book.series.slots
    size = max(1, math.ceil(len(slots) / COLUMNS))
    for first in range(0, len(slots), size):
        rows = _rows(slots[first : first + size])
        if rows:
            yield (float(first * width), float((first + size) * width)), rows


def _rows(slots: Sequence[Slot]) -> Counter[int]:
    rows = Counter[int]()
    for slot in slots:
        for bucket, count in slot.itl.items():
            rows[bucket // COARSE] += count
    return rows


def _cells(columns: Sequence[tuple[Point, Counter[int]]]) -> Iterator[tuple[Point, Point, float]]:
    """Each row of a column with its share of the column, by ratio: a gap in a hundred must be seen."""
    for span, rows in columns:
        for row, count in sorted(rows.items()):
            share = max(count / rows.total(), LEAST_SHARE)
            yield span, (_edge(row), _edge(row + 1)), 1 - math.log(share) / math.log(LEAST_SHARE)


def _edge(row: int) -> float:
    return SMALLEST * math.exp(row * COARSE * GROWTH)


def _time(run: Run) -> Axis:
    end = max(len(run.book.series.slots) * run.book.series.width, 1)
    return Axis(0.0, float(end), lambda v: f"{v:g} s")


def _seconds(values: Sequence[float]) -> Axis:
    """A scale by ratio that holds all values, with a little room."""
    if not values:
        return Axis(0.001, 1.0, duration, log=True)
    return Axis(max(min(values), SMALLEST) / 1.1, max(*values, 2 * SMALLEST) * 1.1, duration, log=True)
