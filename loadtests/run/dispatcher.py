"""Sends what is due, whatever became of those before; or, in a closed loop, the next when one has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from time import perf_counter

import gevent
from gevent.event import Event
from gevent.pool import Group

from loadtests.arrivals.arrival import Arrival
from loadtests.arrivals.route import belongs
from loadtests.order import Order
from loadtests.report.book import Book
from loadtests.report.progress import Progress, progress
from loadtests.run.alarm import Alarm
from loadtests.run.meter import Meter, Pulse
from loadtests.wire.exchange import Ended, Terms, exchange
from loadtests.wire.pool import Pool
from loadtests.wire.request import Writer

LOOK = 0.1  # s between two looks at whether the last requests have ended
OPENING = 1.0  # s over which a closed loop opens its streams: those that begin together end together, burst after burst


class Dispatcher:
    """One run of an order. `ended` is called with every request that has ended, in the greenlet that sent it.

    It writes into the book what is due and sent; what became of a request is for whoever is told of its end.
    """

    def __init__(
        self,
        order: Order,
        arrivals: Iterable[Arrival],
        writer: Writer,
        book: Book,
        ended: Callable[[Ended], None],
    ) -> None:
        self._order, self._arrivals, self._writer, self._ended = order, iter(arrivals), writer, ended
        self._is_ours = belongs(order)
        self._book, self._pool, self._open = book, Pool(order.url), Group()
        self._terms = Terms(order.timeouts, order.retry, writer.streamed)
        self._stop, self._hurry, self._alarm = Event(), Event(), Alarm()
        self._told = (0.0, 0)
        self._meter, self._recent, self._start = Meter(), Meter(), perf_counter()

    def run(self, start: float | None = None) -> None:
        """Send everything, wait for what is open, and close the book. After `stop`: early, with what there is.

        Times count from `start` on the clock of `perf_counter`, which is that of every process of this machine; if not
        said, from now.
        """
        self._start = perf_counter() if start is None else start
        self._pause(0.0)
        self._meter, self._recent = Meter(), Meter()
        with Pulse(self._book):
            if self._order.streams is None:
                self._dispatch(self._arrivals)
            else:
                self._keep_open(self._order.streams)
        self._book.close(self._elapsed(), self._meter.read(), interrupted=self._stop.is_set())
        self._drain()

    def stop(self) -> None:
        """Send nothing more and let open requests end, for a few seconds. Said twice: end them now."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()
        self._alarm.stop()

    def progress(self) -> Progress:
        """Where the run is; rate and busy share are those since the last call."""
        machine, self._recent = self._recent.read(), Meter()
        now, sent = self._elapsed(), self._book.sent
        (since, before), self._told = self._told, (now, sent)
        return progress(self._book, now, (sent - before) / (now - since), machine)

    def _dispatch(self, arrivals: Iterator[Arrival]) -> None:
        """The open loop: a greenlet for each request when it is due. It never waits for one."""
        for arrival in arrivals:
            self._pause(arrival.due)
            if self._stop.is_set():
                return
            if not self._is_ours(arrival):
                continue  # after its time has passed: a region without users for minutes must not hold up the loop
            self._book.schedule(arrival.due)
            self._open.start(self._open.greenlet_class(self._send, arrival))
        self._pause(self._order.duration or 0.0)

    def _keep_open(self, streams: int) -> None:
        """The closed loop: so many greenlets, each of which takes the next arrival when its request has ended."""
        over = min(OPENING, (self._order.duration or OPENING) / 10)
        for number in range(streams):
            self._pause(over * number / streams)
            if self._stop.is_set():
                return
            self._open.spawn(self._stream)
        while self._open and self._goes_on():
            self._stop.wait(LOOK)

    def _stream(self) -> None:
        for arrival in self._arrivals:
            if not self._goes_on():
                return
            due = self._elapsed()
            self._book.schedule(due)
            self._send(replace(arrival, due=due))

    def _goes_on(self) -> bool:
        duration = self._order.duration
        return not self._stop.is_set() and (duration is None or self._elapsed() < duration)

    def _pause(self, due: float) -> None:
        """Wait until `due` seconds after the start, or until the run is stopped."""
        if due <= self._elapsed():
            gevent.sleep(0)  # late as it is, what is ready goes first, or nothing would be sent at all
        while (left := due - self._elapsed()) > 0 and not self._stop.is_set():
            self._alarm.wait(left)

    def _send(self, arrival: Arrival) -> None:
        self._book.send(self._elapsed())
        write = partial(self._writer.write, arrival)
        self._ended(exchange(self._pool, write, self._terms, arrival.due, self._start))

    def _drain(self) -> None:
        """Let open requests end within the grace; cut off what is left, which is counted as unfinished."""
        deadline = self._elapsed() + self._order.grace
        while self._open and not self._hurry.is_set() and (left := deadline - self._elapsed()) > 0:
            self._open.join(timeout=min(left, LOOK))
        self._open.kill()
        self._pool.close()
        self._alarm.close()

    def _elapsed(self) -> float:
        return perf_counter() - self._start
