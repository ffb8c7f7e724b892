"""Where a run became steady: the warm-up is cut off by rule, never by hand. Pure: numbers in, a cut out.

The rule is MSER-5 (White, "An effective truncation heuristic for bias reduction in simulation output", 1997): cut where
the standard error of the mean of what is left is least. It looks at open requests and at the mean time to first token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from loadtests.report.histogram import middle
from loadtests.report.series import Series

BATCH = 5  # slots in one batch: the 5 of MSER-5; short runs are judged slot by slot
SHORTEST = 10  # slots: of fewer, a half is too little to tell a warm-up from chance
LEAST_GAIN = 0.1  # of the error: a series without a warm-up gains less by chance, and should not be cut at all


@dataclass(frozen=True, slots=True)
class Steady:
    """From when to when a run was steady, in slots and seconds; `found` is False where no cut made it so."""

    found: bool
    first: int  # slot
    last: int  # slot, not included
    start: float  # s
    end: float  # s
    why: str


def steady(series: Series, elapsed: float) -> Steady:
    """The steady part of what was sent in `elapsed` seconds; the whole of it where there is none, and why."""
    slots = min(len(series.slots), max(1, int(elapsed / series.width + 0.5)))
    end = min(elapsed, float(slots * series.width))
    if slots < SHORTEST:
        least = SHORTEST * series.width
        return Steady(False, 0, slots, 0.0, end, f"shorter than {least} s: all of it counts, its warm-up too")
    cuts = [_cut(values) for values in (_open(series, slots), _ttft(series, slots)) if values]
    if any(cut is None for cut in cuts):
        return Steady(False, 0, slots, 0.0, end, "it never became steady: all of it counts")
    first = max((cut for cut in cuts if cut is not None), default=0)
    start = float(first * series.width)
    return Steady(True, first, slots, start, end, f"by MSER-5 the first {start:g} s are its warm-up and left out")


def mser(values: Sequence[float]) -> int | None:
    """How many values to cut off the front, or None where more than half would have to go.

    Cuts beyond the half are not looked at: the few values at the end agree by chance. Nor is a gain below `LEAST_GAIN`.
    """
    count = len(values)
    sums, squares = [0.0, *accumulate(values)], [0.0, *accumulate(value * value for value in values)]

    def error(cut: int) -> float:
        left, total = count - cut, sums[count] - sums[cut]
        return float(max(0.0, squares[count] - squares[cut] - total * total / left) / left**2)

    best = min(range(count // 2 + 1), key=error)
    rounding = 1e-12 * squares[count] / count**2
    if error(best) + rounding >= (1 - LEAST_GAIN) * error(0):
        return 0
    return None if best == count // 2 else best


def _cut(values: list[float]) -> int | None:
    size = BATCH if len(values) >= SHORTEST * BATCH else 1
    batches = [sum(values[at : at + size]) / size for at in range(0, len(values) - size + 1, size)]
    cut = mser(batches)
    return None if cut is None else cut * size


def _open(series: Series, slots: int) -> list[float]:
    """Requests that were sent and had not ended, at the end of each slot."""
    changes = (slot.sent - slot.done for slot in series.slots[:slots])
    return [float(count) for count in accumulate(changes)]


def _ttft(series: Series, slots: int) -> list[float]:
    """The mean time to first token by slot; that of the slot before where nothing was ok. Empty if nothing ever was."""
    means, last = list[float](), None
    for slot in series.slots[:slots]:
        if slot.ttft:
            last = sum(middle(bucket) * count for bucket, count in slot.ttft.items()) / slot.ttft.total()
        if last is not None:
            means.append(last)
    return [means[0]] * (slots - len(means)) + means if means else []
