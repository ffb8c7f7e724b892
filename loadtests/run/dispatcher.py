"""The open loop: each request is sent when it is due, whatever became of those before. Shell of the pure parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter

from gevent.event import Event
from gevent.pool import Group

from loadtests.arrivals.arrival import Arrival
from loadtests.order import Order, Writer
from loadtests.report.summary import Book, Progress, Sample, Summary, progress, summarize
from loadtests.run.meter import Meter
from loadtests.wire.exchange import Pool, exchange


class Dispatcher:
    """One run of an order. `ended` is called with every request that has ended, in the greenlet that sent it."""

    def __init__(
        self, order: Order, arrivals: Iterable[Arrival], writer: Writer, ended: Callable[[Sample], None]
    ) -> None:
        self._order, self._arrivals, self._writer, self._ended = order, arrivals, writer, ended
        self._book, self._pool, self._open = Book(), Pool(order.url), Group()
        self._stop, self._hurry = Event(), Event()
        self._told = (0.0, 0)
        self._meter, self._recent, self._start = Meter(), Meter(), perf_counter()

    def run(self) -> Summary:
        """Send everything, wait for what is open, and report. After `stop`: early, with what there is."""
        self._meter, self._recent, self._start = Meter(), Meter(), perf_counter()
        for arrival in self._arrivals:
            if self._pause(arrival.due):
                break
            self._book.scheduled += 1
            self._open.start(self._open.greenlet_class(self._send, arrival))
        self._pause(self._order.duration or 0.0)
        elapsed, machine, interrupted = self._elapsed(), self._meter.read(), self._stop.is_set()
        self._drain()
        return summarize(self._order, self._book, elapsed, machine, interrupted=interrupted)

    def stop(self) -> None:
        """Send nothing more and let open requests end, for a few seconds. Said twice: end them now."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def progress(self) -> Progress:
        """Where the run is; rate and busy share are those since the last call."""
        machine, self._recent = self._recent.read(), Meter()
        now, sent = self._elapsed(), self._book.sent
        (since, before), self._told = self._told, (now, sent)
        return progress(self._book, now, (sent - before) / (now - since), machine)

    def _pause(self, due: float) -> bool:
        """Wait until `due` seconds after the start, not at all if that is past. True if the run was stopped."""
        late = self._elapsed() - due
        return self._stop.is_set() if late >= 0 else bool(self._stop.wait(-late))

    def _send(self, arrival: Arrival) -> None:
        request = self._writer.write(arrival)
        self._book.send(self._elapsed() - arrival.due)
        sample = exchange(self._pool, request, self._order.timeout)
        self._book.end(sample)
        self._ended(sample)

    def _drain(self) -> None:
        """Let open requests end within the grace; cut off what is left, which is counted as unfinished."""
        deadline = self._elapsed() + self._order.grace
        while self._open and not self._hurry.is_set() and (left := deadline - self._elapsed()) > 0:
            self._open.join(timeout=min(left, 0.1))
        self._open.kill()
        self._pool.close()

    def _elapsed(self) -> float:
        return perf_counter() - self._start
