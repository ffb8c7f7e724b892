"""What a process and its children cost while they run: CPU seconds over time, and memory. Reads /proc."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

EVERY = 0.1  # s: a hundredth of a run, and 0.2 % of a core
TICK = os.sysconf("SC_CLK_TCK")
KILO = 1024  # bytes of what /proc calls kB
WEIGH = 10  # readings of CPU for one of memory: that one holds the process up for about a millisecond
LAST = 19  # the kindest niceness: looking must not delay the server that shares the core


@dataclass
class Usage:
    """Readings of (s since the epoch, CPU s of all processes so far), and the most memory at once, MB.

    Memory is the proportional set size: a page that n processes share counts as the nth part of it in each.
    """

    readings: list[tuple[float, float]] = field(default_factory=list)
    memory: float = 0.0

    def within(self, start: float, end: float) -> tuple[float, float, float]:
        """The first and the last reading between two times, and the CPU seconds from one to the other."""
        inside = [one for one in self.readings if start <= one[0] <= end]
        if len(inside) < 2:
            return start, end, 0.0
        (first, less), (last, more) = inside[0], inside[-1]
        return first, last, more - less


class Watch:
    """Reads what a process uses until the end of the block."""

    def __init__(self, pid: int) -> None:
        self.usage = Usage()
        self._pid, self._over, self._gone = pid, threading.Event(), dict[int, float]()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._read()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LAST)
        while not self._over.wait(EVERY):
            self._read()

    def _read(self) -> None:
        pids = _tree(self._pid)
        for pid in pids:
            try:
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile; what it used by then stays counted
                continue
            self._gone[pid] = (int(stat[11]) + int(stat[12])) / TICK  # utime and stime (proc(5))
        self.usage.readings.append((time.time(), sum(self._gone.values())))
        if len(self.usage.readings) % WEIGH == 0:
            self.usage.memory = max(self.usage.memory, sum(map(_memory, pids)))


def _memory(pid: int) -> float:
    """Proportional set size of a process, MB; 0 of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * KILO / 1e6


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found
