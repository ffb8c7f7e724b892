"""A run as slots of time: what was due, sent and done in each, and the latencies of it. Pure: never asks the time.

A slot is one second, and twice as long as often as a run outgrows `MOST` slots; series of different widths merge
exactly, because the wider width is a whole multiple of the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from loadtests.report.histogram import bucket_of, buckets_of
from loadtests.wire.sample import Sample

MOST = 600  # slots: ten minutes by the second, finer than a page has pixels, and a bound on what a long run keeps
LATENCIES = ("ttft", "itl", "tpot", "e2e")
COUNTS = ("scheduled", "sent", "done", "ok", "good", "tokens", "limited")


@dataclass(slots=True)
class Slot:
    """What happened in one span of time; gaps are of when they were. `ok`, `good`, `limited` (answered with 429) and
    latencies are of what was sent in it.

    A latency is kept as the buckets of loadtests/report/histogram.py.
    """

    scheduled: int = 0
    sent: int = 0
    done: int = 0
    ok: int = 0
    good: int = 0
    tokens: int = 0
    limited: int = 0
    ttft: Counter[int] = field(default_factory=Counter)
    itl: Counter[int] = field(default_factory=Counter)
    tpot: Counter[int] = field(default_factory=Counter)
    e2e: Counter[int] = field(default_factory=Counter)

    def take(self, other: Slot) -> None:
        """Add all of another."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in LATENCIES:
            getattr(self, name).update(getattr(other, name))

    def to_json(self) -> list[Any]:
        """Counts, then buckets as [number, count, ...]: a slot is written often."""
        flat = ([n for pair in sorted(getattr(self, name).items()) for n in pair] for name in LATENCIES)
        return [*(getattr(self, name) for name in COUNTS), *flat]

    @classmethod
    def from_json(cls, data: list[Any]) -> Slot:
        """What `to_json` gave."""
        slot = cls()
        counts, buckets = data[: -len(LATENCIES)], data[-len(LATENCIES) :]
        # Runs that were kept before `limited` was counted have one count less.
        for name, count in zip(COUNTS, [*counts, 0][: len(COUNTS)], strict=True):
            setattr(slot, name, int(count))
        for name, flat in zip(LATENCIES, buckets, strict=True):
            setattr(slot, name, Counter(dict(zip(map(int, flat[::2]), map(int, flat[1::2]), strict=True))))
        return slot


@dataclass(slots=True)
class Series:
    """Slots of `width` seconds from the start of a run."""

    width: int = 1
    slots: list[Slot] = field(default_factory=list)

    def at(self, moment: float) -> Slot:
        """The slot of a moment, made where there was none; a moment before the start is in the first."""
        number = max(0, int(moment / self.width))
        while number >= MOST:
            self.widen()
            number = max(0, int(moment / self.width))
        while len(self.slots) <= number:
            self.slots.append(Slot())
        return self.slots[number]

    def widen(self) -> None:
        """Make slots twice as long."""
        wide = []
        for place in range(0, len(self.slots), 2):
            slot = self.slots[place]
            if place + 1 < len(self.slots):
                slot.take(self.slots[place + 1])
            wide.append(slot)
        self.width, self.slots = 2 * self.width, wide

    def end(self, sample: Sample, good: bool) -> None:
        """Count a request that has ended and was ok."""
        slot = self.at(sample.sent)
        slot.ok += 1
        slot.good += good
        for name, value in (("ttft", sample.ttft), ("tpot", sample.tpot), ("e2e", sample.e2e)):
            if value is not None:
                getattr(slot, name)[bucket_of(value)] += 1

    def gaps(self, sample: Sample, buckets: list[int]) -> None:
        """Count its gaps in the slots that they ended in."""
        moments = list(accumulate(sample.gaps, initial=sample.sent + (sample.ttft or 0.0)))[1:]
        self.at(moments[-1])  # first, since it may widen all
        done = 0
        while done < len(moments):
            slot = self.at(moments[done])
            end = bisect_left(moments, self._end(moments[done]), done + 1)
            slot.itl.update(buckets[done:end])
            done = end

    def _end(self, moment: float) -> float:
        """Where the slot of a moment ends."""
        return (max(0, int(moment / self.width)) + 1) * self.width

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"width": self.width, "slots": [slot.to_json() for slot in self.slots]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Series:
        """What `to_json` gave."""
        return cls(int(data["width"]), [Slot.from_json(slot) for slot in data["slots"]])


def gap_buckets(sample: Sample) -> list[int]:
    """The bucket of each gap, reckoned once for all that count it."""
    return buckets_of(sample.gaps)


def merged(parts: list[Series]) -> Series:
    """Several series in one, as wide as the widest."""
    whole = Series(max((part.width for part in parts), default=1))
    for part in parts:
        copy = Series.from_json(part.to_json())
        while copy.width < whole.width:
            copy.widen()
        for number, slot in enumerate(copy.slots):
            whole.at(number * whole.width).take(slot)
    return whole
