"""Load tests from outside: starts the client processes of a load, and hears and merges what they say.

Several of them are one load: they begin at the same moment, are stopped together, and are counted as one process would
have counted. Imports neither gevent nor locust.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Event, Lock
from time import perf_counter
from types import TracebackType
from typing import Any

from infra.errors import Unavailable
from loadtests.order import Order, Share
from loadtests.report.book import Book, merged
from loadtests.report.load_report import LoadReport
from loadtests.report.progress import Progress, together
from loadtests.run.worker import ROOT, Worker

__all__ = ["ROOT", "Load", "LoadError", "start", "start_all"]

PATIENCE = 60.0  # s for Locust to be imported on a busy machine, and for a stopped client to end beyond its grace
AHEAD = 0.05  # s from the word to begin until it holds: every process has read it by then, or its first request is late


class LoadError(Unavailable):
    """The load client did not start, or died."""


class Load:
    """A load that is running. As a context manager it is stopped at the end, whatever happened."""

    def __init__(self, orders: Sequence[Order]) -> None:
        self.latest: Progress | None = None
        self._books: dict[Worker, Book] = {}
        self._heard: dict[Worker, Progress] = {}
        self._news, self._silent, self._ready = set[Worker](), set[Worker](), set[Worker]()
        self._progress: SimpleQueue[Progress | None] = SimpleQueue()
        self._all_ready, self._ended, self._lock = Event(), Event(), Lock()
        self._began, self._failure = "", ""
        self._lost: Worker | None = None
        self._workers: tuple[Worker, ...] = ()
        with self._lock:  # nobody is heard before all are there
            self._workers = tuple(Worker(order, self._hear) for order in orders)

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that send."""
        return tuple(worker.pid for worker in self._workers)

    @property
    def pid(self) -> int:
        """The process that sends; of several the first."""
        return self.pids[0]

    @property
    def books(self) -> list[tuple[Order, Book]]:
        """What each process was told and counted, in the order of the orders, as far as they have ended."""
        return [(worker.order, self._books[worker]) for worker in self._workers if worker in self._books]

    @property
    def book(self) -> Book | None:
        """What all of them counted, once all have ended; None before, and where one died."""
        books = [book for _, book in self.books]
        if len(books) < len(self._workers):
            return None
        return books[0] if len(books) == 1 else merged(books)

    def progress(self) -> Iterator[Progress]:
        """Each second's progress as it comes, until the load ends."""
        while (said := self._progress.get()) is not None:
            yield said

    def wait(self, timeout: float | None = None) -> LoadReport:
        """The report, when the load has ended. Raises LoadError if a client died, or is not done after `timeout`."""
        if not self._ended.wait(timeout):
            pids = " ".join(map(str, self.pids))
            raise LoadError(f"the load client (process {pids}) did not end", next=f"kill {pids}")
        for worker in self._workers:
            worker.wait()
        if (book := self.book) is None:
            raise self._error("died")
        from loadtests.report.reckoning import load_report  # brings scipy: a second, in which the client can start

        return load_report(_whole([worker.order for worker in self._workers]), book, self._began)

    def stop(self) -> LoadReport:
        """Send nothing more, let open requests end, and return the report of what was done. Safe to repeat."""
        for worker in self._workers:
            worker.stop()
        return self.wait(max(worker.order.grace for worker in self._workers) + PATIENCE)

    def kill(self) -> None:
        """End it now, without a report. Safe to repeat."""
        for worker in self._workers:
            worker.kill()

    def begin(self) -> Load:
        """This load, once it sends: all begin together, when the last is ready. Raises LoadError if that never is."""
        try:
            self._all_ready.wait(PATIENCE)
            if len(self._ready) < len(self._workers) or self._lost:
                self.kill()
                raise self._error("did not start")
        except BaseException:
            self.kill()
            raise
        moment, self._began = perf_counter() + AHEAD, datetime.now(UTC).isoformat(timespec="seconds")
        for worker in self._workers:
            worker.begin(moment)
        return self

    def __enter__(self) -> Load:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.stop()
        except LoadError:
            self.kill()
            if error is None:
                raise

    def _hear(self, worker: Worker, said: dict[str, Any] | None) -> None:
        """One word of one process, or its end; each comes in that one's own thread."""
        with self._lock:
            match (said or {"kind": None}).pop("kind"), said:
                case "started", _:
                    self._ready.add(worker)
                case "progress", told:
                    self._advance(worker, Progress.model_validate(told))
                case "book", {"book": book}:
                    self._books[worker] = Book.from_json(book)
                case None, _:
                    self._end(worker)
                case _, told:
                    self._failure = self._failure or str((told or {}).get("what", ""))
            if self._lost or len(self._ready) == len(self._workers):
                self._all_ready.set()

    def _advance(self, worker: Worker, said: Progress) -> None:
        """Tell where all are, once each has said something new."""
        self._heard[worker] = said
        self._news.add(worker)
        if self._news | self._silent >= set(self._workers):
            self._news.clear()
            self.latest = said if len(self._heard) == 1 else together(list(self._heard.values()))
            self._progress.put(self.latest)

    def _end(self, worker: Worker) -> None:
        """Of one process. Where it died, the others end too: a part of a load is another load."""
        self._silent.add(worker)
        if worker not in self._books and self._lost is None:
            self._lost = worker
            for other in self._workers:
                if other is not worker:
                    other.stop()
        if len(self._silent) == len(self._workers):
            self._ended.set()
            self._progress.put(None)

    def _error(self, what: str) -> LoadError:
        worker = self._lost or next((one for one in self._workers if one not in self._ready), self._workers[0])
        worker.wait()
        how, lines = worker.last_words()
        number = f" {self._workers.index(worker) + 1} of {len(self._workers)}" if len(self._workers) > 1 else ""
        error = LoadError(f"the load client{number} {what}: {self._failure or how}")
        for line in lines:
            error.add_note(line)
        return error


def start(order: Order, workers: int = 1) -> Load:
    """Start a load in so many processes; returns when it sends. It stops by itself when this process ends.

    Raises LoadError.
    """
    return start_all(shares(order, workers))


def start_all(orders: Sequence[Order]) -> Load:
    """Start one process for each order, as one load: all begin at the same moment. Raises LoadError."""
    return Load(orders).begin()


def shares(order: Order, workers: int) -> list[Order]:
    """The orders of so many processes that together send the whole order, and nothing of it twice."""
    return [order.part(index, workers) for index in range(workers)]


def _whole(orders: Sequence[Order]) -> Order:
    """What all of them send together, for the report: that of the first, with every region and address."""
    told = {name: ", ".join(dict.fromkeys(getattr(one, name) for one in orders)) for name in ("region", "url")}
    return orders[0].model_copy(update={**told, "share": Share()})
