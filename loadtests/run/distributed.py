"""A load that several Locust workers send together: the adapters to Locust's master and to one of its workers.

The master gives each worker its share of the order when it asks, lets all begin when the last one can, and merges what
they counted. Its messages travel beside Locust's own, whose statistics go on as they are.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from infra.errors import OpsError
from loadtests.order import Order
from loadtests.report.book import Book
from loadtests.report.progress import Progress
from loadtests.run.distributed_crew import Crew
from loadtests.run.ordered import read_order
from loadtests.run.saying import say

LOOK = 0.5  # s between two looks at who is there
# Locust counts down from three, once a second without a sign of life of a worker. One that was silent for so long did
# not send on time; before the beginning it may be reading a trace on a busy machine.
SENDING, STARTING = 0, -30
SILENCE = 10.0  # s without a sign of life of the master, which gives one a second, until a worker stops sending
HANDING = 5.0  # s for books to come in and be merged when the last request has ended
HERE, PART, READY, GO, STOP, BOOK, FAILED = (
    f"load_{word}" for word in ("here", "part", "ready", "go", "stop", "book", "failed")
)


def wait_before_quitting(environment: Environment, over: Event, grace: float) -> None:
    """Locust quits at SIGTERM as it was made to, beside our own handler: let what that one began come to its end."""
    environment.events.quitting.add_listener(  # type: ignore[no-untyped-call]
        lambda **_: over.wait(grace + HANDING)
    )


class OneEach(UsersDispatcher):
    """One user on each worker that is there at the start, whoever comes or goes later and however many were asked for.

    The user is a dispatcher: two on one worker would send its share twice, and none would send nothing of it.
    """

    def new_dispatch(self, target_user_count: int, spawn_rate: float, user_classes: Any = None) -> None:
        """Begin with all at once."""
        count = len(self._worker_nodes)
        for user in self._user_classes:
            user.fixed_count = count
        super().new_dispatch(count, float(count), user_classes)

    def add_worker(self, worker_node: Any) -> None:
        """It has no share."""

    def remove_worker(self, worker_node: Any) -> None:
        """Nobody else takes its share."""


class Master:
    """The part of the master: it sends nothing, and answers for what all counted."""

    def __init__(self, environment: Environment, runner: MasterRunner) -> None:
        self._environment, self._runner = environment, runner
        assert environment.parsed_options is not None, "Locust starts a master with its command line only"
        self._options = environment.parsed_options
        self._crew: Crew | None = None
        self._began, self._over = "", Event()
        environment.dispatcher_class = OneEach
        self._options.num_users = self._options.expect_workers
        environment.events.test_start.add_listener(self._start)  # type: ignore[no-untyped-call]
        for kind, heard in {HERE: self._here, READY: self._ready, BOOK: self._book, FAILED: self._failed}.items():
            runner.register_message(kind, heard)

    def _start(self, **_: Any) -> None:
        """Before Locust starts the users: fix who takes part."""
        members = [client.id for client in self._runner.clients.ready]
        try:
            self._crew = Crew(read_order(self._options.order), members)
        except OpsError as error:
            return self._fail(error.what)
        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, self._stop)
        wait_before_quitting(self._environment, self._over, self._crew.order.grace)
        gevent.spawn(self._watch)

    def _stop(self) -> None:
        """Let all come to their end; before the beginning, which workers do not hear of, there is none to come to."""
        if self._began:
            self._runner.send_message(STOP)
        else:
            self._fail("it was stopped before it began; nothing was sent")

    def _here(self, msg: Any, **_: Any) -> None:
        part = self._crew.part(msg.node_id) if self._crew else None
        if part:
            self._runner.send_message(PART, {"order": part.model_dump_json()}, msg.node_id)

    def _ready(self, msg: Any, **_: Any) -> None:
        if self._crew and self._crew.ready(msg.node_id):
            self._began = datetime.now(UTC).isoformat(timespec="seconds")
            say("started", {"workers": len(self._runner.clients)})
            self._runner.send_message(GO)

    def _book(self, msg: Any, **_: Any) -> None:
        if self._crew and self._crew.close(msg.node_id, Book.from_json(msg.data["book"])):
            closing = gevent.spawn(self._close, self._crew)
            closing.link_exception(lambda failed: self._fail(f"no report could be made: {failed.exception}"))

    def _close(self, crew: Crew) -> None:
        from loadtests.report.reckoning import load_report  # brings scipy, which workers do without
        from loadtests.report.run_file import Run

        self._crew = None
        book = crew.book()
        say("LoadRun", Run(load_report(crew.order, book, self._began), book).to_json())
        self._over.set()
        self._runner.quit()

    def _failed(self, msg: Any, **_: Any) -> None:
        if self._crew:
            self._fail(f"{self._crew.told(msg.node_id)} could not go on: {msg.data['what']}")

    def _watch(self) -> None:
        while self._crew:
            least = SENDING if self._began else STARTING
            alive = {client.id for client in self._runner.clients.all if client.heartbeat >= least}
            for worker in self._crew.lost(alive)[:1]:
                self._fail(f"{self._crew.told(worker)} was lost: its share of the load was not sent, or is not counted")
            gevent.sleep(LOOK)

    def _fail(self, what: str) -> None:
        """End the load for all, without a report: a part of a load is another load."""
        self._crew = None
        self._over.set()
        say("failed", {"what": what})
        self._environment.process_exit_code = 1
        gevent.spawn(self._runner.quit)


class Worker:
    """The part of one worker: it asks for its share, begins when all do, and hands its book to the master."""

    def __init__(self, runner: WorkerRunner) -> None:
        self._runner = runner
        self._part, self._go, self._ended = AsyncResult(), Event(), False
        runner.register_message(PART, lambda msg, **_: self._part.set(msg.data["order"]))
        runner.register_message(GO, lambda **_: self._go.set())

    def order(self) -> Order:
        """This worker's part of the master's order."""
        self._runner.send_message(HERE)
        return Order.model_validate_json(self._part.get())

    def begin(self, port: int, stop: Callable[[], None], *, attached: bool) -> None:
        """Wait until all workers can begin. `stop` is called when the master is told to end."""
        self._runner.register_message(STOP, lambda **_: stop())
        self._runner.send_message(READY)
        self._go.wait()
        gevent.spawn(self._mind, stop)

    def _mind(self, stop: Callable[[], None]) -> None:
        """A load does not outlive its master: nobody could end it."""
        heard = Event()
        events = self._runner.environment.events
        events.heartbeat_received.add_listener(lambda **_: heard.set())  # type: ignore[no-untyped-call]
        while heard.wait(SILENCE):
            heard.clear()
        stop()

    def tell(self, progress: Progress) -> None:
        """Locust's own reports say how it goes."""

    def close(self, book: Book) -> None:
        """Hand over what was counted; before it Locust's last statistics, which the master would not wait for."""
        self._runner._send_stats()
        self._runner.send_message(BOOK, {"book": book.to_json()})
        self._ended = True

    def fail(self, what: str) -> None:
        """Tell the master why this part did not come to its end."""
        self._runner.send_message(FAILED, {"what": what})
        self._ended = True

    def leave(self) -> None:
        """The master ends all workers when it has heard the last one; one that Locust ended earlier says so."""
        if not self._ended:
            self.fail("Locust stopped it before its end (--run-time, or a stop in its web page)")
