"""What a load costs: the adapter to psutil and gevent's loop for this process and this machine."""

from __future__ import annotations

from time import perf_counter, process_time

import gevent
import psutil

from loadtests.report.book import Book, Machine

BEAT = 0.05  # s: twenty turns of the loop a second see any stall of note, and cost it a thousandth


class Meter:
    """Shares from when it was made until it is read."""

    def __init__(self) -> None:
        self._wall = perf_counter()
        self._cpu = process_time()
        self._idle, self._all = _machine()

    def read(self) -> Machine:
        """CPU seconds of this process by wall second, and the busy share of all cores."""
        idle, whole = _machine()
        busy = 1 - (idle - self._idle) / max(whole - self._all, 1e-9)
        return Machine(client_cpu=round(self.share(), 4), busy=round(min(1.0, max(0.0, busy)), 4))

    def share(self) -> float:
        """CPU seconds of this process by wall second."""
        return (process_time() - self._cpu) / max(perf_counter() - self._wall, 1e-9)


class Pulse:
    """A greenlet that wakes every `BEAT` and writes into a book how late it was, and every second what that took."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._greenlet = gevent.Greenlet(self._run)

    def __enter__(self) -> Pulse:
        self._greenlet.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._greenlet.kill()

    def _run(self) -> None:
        while True:
            meter = Meter()
            for _ in range(round(1 / BEAT)):
                due = perf_counter() + BEAT
                gevent.sleep(BEAT)
                self._book.beat(max(0.0, perf_counter() - due))
            self._book.second(meter.share())


def _machine() -> tuple[float, float]:
    """Idle and all seconds of all cores since they started. Time stolen by a hypervisor is not idle."""
    times = psutil.cpu_times()
    return times.idle + getattr(times, "iowait", 0.0), sum(times) - getattr(times, "guest", 0.0)
