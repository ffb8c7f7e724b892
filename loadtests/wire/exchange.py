"""One request, timed: sent, and answered or given up on; asked again after HTTP 429 where that is allowed.

Locust's own streaming is not used: it stops the clock at the headers, or cuts the body into blocks of 1,024 bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter, time

import gevent
from gevent.event import Event

from loadtests.order import Retry, Timeouts
from loadtests.wire import outcome
from loadtests.wire.connection import Connection
from loadtests.wire.outcome import Outcome, judge
from loadtests.wire.pool import Pool
from loadtests.wire.reply import Reply
from loadtests.wire.retry import pause
from loadtests.wire.sample import UNKNOWN, Sample


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a request may take, what is done about a 429, and whether the answer is a stream or one JSON object."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: Retry = field(default_factory=Retry)
    streamed: bool = True


class Attempt:
    """One sending of a request, from the connection to the end of the answer. Moments are of the monotonic clock."""

    def __init__(self, pool: Pool, terms: Terms) -> None:
        self._pool, self._terms, self._over = pool, terms, Event()
        self._connection: Connection | None = None
        self.reply = Reply(self._over.set, streamed=terms.streamed)
        self.began = self.sent = self.ended = perf_counter()
        self.connect = self.delay = 0.0
        self.merged = 0
        self.kernel = False
        self.broken: Outcome | None = None

    def make(self, request: bytes) -> None:
        """Send `request` and read the answer. Raises nothing that a server can cause."""
        try:
            self.broken = self._connect() or self._send(request) or self._answer()
        finally:
            self.ended = self.reply.at if self.reply.complete else perf_counter()
            self._release()
            self.reply.close()
        if self.broken is None and self.reply.cut:
            self.broken = outcome.RESET

    @property
    def limited(self) -> bool:
        """Whether it was answered with 429, and may be made again."""
        return self.reply.status == 429

    def _connect(self) -> Outcome | None:
        """A connection that is free, else a new one: what to connect takes is no part of any latency."""
        self._connection = self._pool.take()
        if self._connection is not None:
            return None
        try:
            self._connection = self._pool.connect(self._terms.timeouts.connect)
        except TimeoutError:
            return outcome.TIMEOUT_CONNECT
        except ConnectionResetError:
            return outcome.RESET
        except (OSError, UnicodeError):
            return outcome.REFUSED
        self.connect = perf_counter() - self.began
        return None

    def _send(self, request: bytes) -> Outcome | None:
        """A request that is longer than the kernel's buffer is sent as fast as the server takes it."""
        assert self._connection is not None
        self._connection.expect(self.reply)
        self.sent = perf_counter()
        limit, phase = self._deadline()
        try:
            self._connection.send(request, limit - self.sent)
        except TimeoutError:
            return phase
        return None

    def _answer(self) -> Outcome | None:
        """Wait for the end, or until a phase took too long.

        Nobody is woken for a token. Text that comes during a wait of one gap puts its deadline behind that wait.
        """
        assert self._connection is not None
        while not self._over.is_set():
            limit, phase = self._deadline()
            left = limit - perf_counter()
            if left > 0:
                self._over.wait(min(left, self._terms.timeouts.gap))
                continue
            self._connection.look()  # the answer may be there, and only we are late
            if limit >= self._deadline()[0]:
                return None if self._over.is_set() else phase
        return None

    def _deadline(self) -> tuple[float, Outcome]:
        """The next moment at which this has taken too long, and what for."""
        timeouts, times = self._terms.timeouts, self.reply.times
        total = self.sent + timeouts.total
        if not self._terms.streamed:
            return total, outcome.TIMEOUT_TOTAL
        next = times[-1] + timeouts.gap if times else self.sent + timeouts.first_token
        if next >= total:
            return total, outcome.TIMEOUT_TOTAL
        return next, outcome.TIMEOUT_GAP if times else outcome.TIMEOUT_FIRST_TOKEN

    def _release(self) -> None:
        connection = self._connection
        if connection is None:
            return
        self.delay, self.merged = connection.delay, connection.merged
        self.kernel = connection.kernel and self.reply.status is not None
        if connection.open and self.reply.reusable and self.broken is None:
            self._pool.give(connection)
        else:
            connection.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that has ended, by its last attempt; `due` and `start` as in `exchange`, `first` when it began."""

    attempt: Attempt
    due: float
    start: float
    tries: int
    first: float

    def sample(self) -> Sample:
        """The request as one value: its outcome, and the times of it that exist."""
        attempt = self.attempt
        reply, sent = attempt.reply, attempt.sent
        reply.settle()
        times, last = reply.times, reply.last
        return Sample(
            outcome=judge(reply.seen(attempt.broken)),
            arm=reply.header("x-ops-arm") or UNKNOWN,
            release=reply.header("x-ops-release") or UNKNOWN,
            due=self.due,
            sent=sent - self.start,
            total=attempt.ended - sent,
            ttft=times[0] - sent if times else None,
            tpot=reply.tpot,
            e2e=None if last is None else last - sent,
            gaps=reply.gaps,
            tokens=reply.tokens or 0,
            prompt_tokens=reply.prompt_tokens,
            events=reply.events,
            received=reply.received,
            receive_delay=attempt.delay,
            merged=attempt.merged,
            kernel=attempt.kernel,
            retries=self.tries,
            retry_wait=attempt.began - self.first,
            connect=attempt.connect,
        )


def exchange(pool: Pool, write: Callable[[], bytes], terms: Terms, due: float, start: float) -> Ended:
    """Send what `write` writes, as often as the terms allow; the last answer counts.

    `due` is in seconds since `start`, a moment of the monotonic clock.
    """
    first = perf_counter()
    for tries in range(terms.retry.most + 1):
        attempt = Attempt(pool, terms)
        attempt.make(write())
        if not attempt.limited or tries == terms.retry.most:
            break
        wait = pause(attempt.reply.header, tries, time(), respect=terms.retry.respect_retry_after)
        if wait > terms.timeouts.total:
            break
        gevent.sleep(wait)
    return Ended(attempt, due, start, tries, first)
