"""Load tests from outside: starts the client as a process of its own and reads what it says.

Its own process, because gevent patches the standard library of whatever it runs in. Imports neither gevent nor locust.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import IO, Any

from infra.errors import Unavailable
from loadtests.order import Order
from loadtests.report.book import Book
from loadtests.report.load_report import LoadReport
from loadtests.report.progress import Progress

PATIENCE = 60.0  # s for Locust to be imported on a busy machine, and for a stopped client to end beyond its grace
LAST_LINES = 15  # of stderr: enough to see how it died
ROOT = Path(__file__).parents[2]


class LoadError(Unavailable):
    """The load client did not start, or died."""


class Load:
    """A load that is running. As a context manager it is stopped at the end, whatever happened."""

    def __init__(self, order: Order, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self.latest: Progress | None = None
        self._order, self._process, self._errors = order, process, errors
        self._started, self._ended = Event(), Event()
        self._progress: SimpleQueue[Progress | None] = SimpleQueue()
        self.book: Book | None = None
        self._began = ""
        self._failure = ""
        self.port = 0
        Thread(target=self._read, name=f"load {process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process that sends."""
        return self._process.pid

    def progress(self) -> Iterator[Progress]:
        """Each second's progress as it comes, until the load ends."""
        while (said := self._progress.get()) is not None:
            yield said

    def wait(self, timeout: float | None = None) -> LoadReport:
        """The report, when the load has ended. Raises LoadError if the client died, or is not done after `timeout`."""
        if not self._ended.wait(timeout):
            raise LoadError(f"the load client (process {self.pid}) did not end", next=f"kill {self.pid}")
        self._process.wait()
        if self.book is None:
            raise self._error("died")
        from loadtests.report.reckoning import load_report  # brings scipy: a second, in which the client can start

        return load_report(self._order, self.book, self._began)

    def stop(self) -> LoadReport:
        """Send nothing more, let open requests end, and return the report of what was done. Safe to repeat."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self.wait(self._order.grace + PATIENCE)

    def kill(self) -> None:
        """End it now, without a report. Safe to repeat."""
        self._process.kill()
        self._process.wait()

    def ready(self) -> Load:
        """This load, once it sends. Raises LoadError if it does not come to that."""
        self._started.wait(PATIENCE)
        if not self.port:
            self.kill()
            raise self._error("did not start")
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

    def _read(self) -> None:
        """In a thread of its own, so that the client never waits for a reader."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._hear(json.loads(line))
        self._started.set()
        self._ended.set()
        self._progress.put(None)

    def _hear(self, said: dict[str, Any]) -> None:
        match said.pop("kind"):
            case "started":
                self.port = int(said["port"])
                self._began = datetime.now(UTC).isoformat(timespec="seconds")
                self._started.set()
            case "progress":
                self.latest = Progress.model_validate(said)
                self._progress.put(self.latest)
            case "book":
                self.book = Book.from_json(said["book"])
            case _:
                self._failure = str(said.get("what", ""))

    def _error(self, what: str) -> LoadError:
        self._errors.seek(0)
        error = LoadError(f"the load client {what}: {self._failure or f'exit code {self._process.returncode}'}")
        for line in self._errors.read().splitlines()[-LAST_LINES:]:
            error.add_note(line)
        return error


def start(order: Order) -> Load:
    """Start a client; returns when it sends. It stops by itself when this process ends. Raises LoadError."""
    errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - read when the client has died
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtests.locustfile", "--order", _attached(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,  # Ctrl-C is for us alone: we pass it on, and still hear the report
    )
    return Load(order, process, errors).ready()


def _attached(order: Order) -> str:
    return order.model_copy(update={"attached": True}).model_dump_json()
