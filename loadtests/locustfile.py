"""A load test as Locust runs it: one user, which is no person but the dispatcher. The adapter to Locust.

loadtests/run/process.py runs it for `ops load run`: JSON lines on stdout. With `locust -f loadtests/locustfile.py
--headless --order JSON` Locust's own output comes with them, and with `--master` and `--worker` many machines send one
order together (loadtests/run/distributed.py).
"""

from __future__ import annotations

import argparse
import gc
import logging
import signal
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from locust import User, events, task  # importing it patches the standard library
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from infra.errors import OpsError
from loadtests.arrivals.schedule import schedule
from loadtests.order import Order
from loadtests.report.book import Book
from loadtests.report.progress import Progress
from loadtests.run.dispatcher import Dispatcher
from loadtests.run.distributed import Master, Worker, wait_before_quitting
from loadtests.run.entries import Entries
from loadtests.run.exporter import Exporter
from loadtests.run.ordered import read_order
from loadtests.run.pending import Pending
from loadtests.run.saying import say
from loadtests.run.starter import begin
from loadtests.wire.credential import secrets
from loadtests.wire.exchange import Ended
from loadtests.wire.request import Writer
from loadtests.wire.secret import Keys

EVERY = 1.0  # s between two lines of progress
COUNTED = 4  # times between two lines that what has ended is counted


class Replay(User):
    """The dispatcher of one order. Locust's own users wait for their answers, so they send nothing while one hangs."""

    fixed_count = 1
    shown = True  # in Locust's own statistics, for its UI and its files

    @task
    def replay(self) -> None:
        """Run the order that the environment was given, then end the test, whatever happened."""
        runner = self.environment.runner
        part = Worker(runner) if isinstance(runner, WorkerRunner) else Alone(self.environment)
        try:
            run(self.environment, part, shown=self.shown)
        except OpsError as error:  # for a person to mend: where in our code it was found would only hide it
            part.fail("; ".join(filter(None, (error.what, error.not_done, error.next))))
        except Exception as error:
            logging.exception("the load could not go on")
            part.fail(f"{type(error).__name__}: {error}")
        finally:
            part.leave()
        raise StopUser


class Alone:
    """The part of the only client: it has the whole order, and says all on stdout."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._options: Any = environment.parsed_options
        self._runner: Any = environment.runner

    def order(self) -> Order:
        """What the command line says."""
        return read_order(self._options.order, self._options.share)

    def begin(self, port: int, stop: Callable[[], None], *, attached: bool) -> float | None:
        """When to begin: at the moment that whoever started this client says, else at once."""
        say("started", {"port": port})
        return begin(stop) if attached else None

    def tell(self, progress: Progress) -> None:
        """Say how it goes."""
        say("progress", progress.model_dump(mode="json"))

    def close(self, book: Book) -> None:
        """Say what was counted."""
        say("book", {"book": book.to_json()})

    def fail(self, what: str) -> None:
        """Say why it did not come to its end."""
        say("failed", {"what": what})
        self._environment.process_exit_code = 1

    def leave(self) -> None:
        """End the test."""
        gevent.spawn(self._runner.quit)


def run(environment: Environment, part: Alone | Worker, *, shown: bool) -> None:
    """Send what the order says; tell how it goes and what came of it."""
    order = part.order()
    book = Book(order.region, order.service, order.api, order.slo)
    exporter, over = Exporter(order.service), Event()
    tellers = [exporter.count, Entries(environment, order).tell] if shown else [exporter.count]

    def count(one: Ended) -> None:
        sample = one.sample()
        good = book.add(sample)
        for tell in tellers:
            tell(sample, good)

    ended = Pending(count)
    dispatcher = Dispatcher(order, schedule(order), Writer(order, Keys(secrets(order.credentials))), book, ended.add)
    _obey(dispatcher)
    wait_before_quitting(environment, over, order.grace)
    gc.collect()
    gc.freeze()  # a collection that walks through all that Locust imports would stop the loop for tens of milliseconds
    try:
        port = exporter.open(order.targets, {"fleet": order.fleet, "region": order.region})
        start = part.begin(port, dispatcher.stop, attached=order.attached)
        teller = gevent.spawn(_tell, dispatcher, part, ended)
        dispatcher.run(start)
        teller.kill()
        ended.count()
        part.close(book)
    finally:
        exporter.close()
        over.set()


def _obey(dispatcher: Dispatcher) -> None:
    """Stop on SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, dispatcher.stop)


def _tell(dispatcher: Dispatcher, part: Alone | Worker, ended: Pending[Ended]) -> None:
    """Count what has ended, several times between two lines: whoever asks the exporter sees what was a moment ago."""
    while True:
        for _ in range(COUNTED):
            gevent.sleep(EVERY / COUNTED)
            ended.count()
        part.tell(dispatcher.progress())


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_order(parser: argparse.ArgumentParser) -> None:
    """The options of a client's command line."""
    parser.add_argument("--order", metavar="JSON|@FILE", help="what to send where; a worker asks its master")
    parser.add_argument("--share", metavar="FILE", help="a file with one row, INDEX,OF,FINGERPRINT: this client's part")


@events.init.add_listener  # type: ignore[untyped-decorator]
def _lead(environment: Environment, runner: Any, **_: Any) -> None:
    if isinstance(runner, MasterRunner):
        Master(environment, runner)
