"""A load test as Locust runs it: one user, which is no person but the dispatcher. The adapter to Locust.

`python -m loadtests.locustfile --order JSON` is what `ops load run` starts: JSON lines on stdout. With
`locust -f loadtests/locustfile.py --headless --order JSON` Locust's own output comes with them.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import signal
import sys
from typing import Any

import gevent
from locust import User, events, task  # importing it patches the standard library
from locust.env import Environment
from locust.exception import StopUser

from loadtests.arrivals.schedule import schedule
from loadtests.order import Order
from loadtests.report.book import Book
from loadtests.run.dispatcher import Dispatcher
from loadtests.run.entries import Entries
from loadtests.run.exporter import Exporter
from loadtests.run.starter import begin
from loadtests.wire.credential import secrets
from loadtests.wire.request import Writer
from loadtests.wire.sample import Sample
from loadtests.wire.secret import Keys

EVERY = 1.0  # s between two lines of progress


class Replay(User):
    """The dispatcher of one order. Locust's own users wait for their answers, so they send nothing while one hangs."""

    fixed_count = 1

    @task
    def replay(self) -> None:
        """Run the order that the environment was given, then end the test, whatever happened."""
        try:
            run(self.environment, Order.model_validate_json(self.environment.parsed_options.order))
        except Exception as error:
            logging.exception("the load could not go on")
            say("failed", {"what": f"{type(error).__name__}: {error}"})
            self.environment.process_exit_code = 1
        finally:
            gevent.spawn(self.environment.runner.quit)
        raise StopUser


def run(environment: Environment, order: Order) -> None:
    """Send what the order says; say how it goes and what came of it."""
    book = Book(order.region, order.service, order.api, order.slo)
    exporter, entries = Exporter(order.service), Entries(environment, order)

    def ended(sample: Sample) -> None:
        good = book.add(sample)
        exporter.count(sample, good)
        entries.tell(sample, good)

    dispatcher = Dispatcher(order, schedule(order), Writer(order, Keys(secrets(order.credentials))), book, ended)
    _obey(dispatcher)
    gc.collect()
    gc.freeze()  # a collection that walks through all that Locust imports would stop the loop for tens of milliseconds
    try:
        port = exporter.open(order.targets, {"fleet": order.fleet, "region": order.region})
        say("started", {"port": port})
        start = begin(dispatcher.stop) if order.attached else None
        teller = gevent.spawn(_tell, dispatcher)
        dispatcher.run(start)
        teller.kill()
        say("book", {"book": book.to_json()})
    finally:
        exporter.close()


def say(kind: str, data: dict[str, Any]) -> None:
    """One JSON line on stdout. Where its reader has gone, nobody is told."""
    try:
        print(json.dumps({"kind": kind, **data}), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _obey(dispatcher: Dispatcher) -> None:
    """Stop on SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, dispatcher.stop)


def _tell(dispatcher: Dispatcher) -> None:
    while True:
        gevent.sleep(EVERY)
        say("progress", dispatcher.progress().model_dump(mode="json"))


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _add_order(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--order", required=True, metavar="JSON", help="what to send where (loadtests/order.py)")


def main() -> int:
    """Run one order with Locust as a library."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.locustfile", description="Replay a trace at a service.")
    _add_order(parser)
    logging.basicConfig(level=logging.WARNING)
    environment = Environment(user_classes=[Replay], events=events, parsed_options=parser.parse_args())
    runner = environment.create_local_runner()
    runner.start(1, spawn_rate=1)
    runner.greenlet.join()
    return environment.process_exit_code or 0


if __name__ == "__main__":
    raise SystemExit(main())
