"""One request over one connection, timed: the adapter to HTTP/1.1 by gevent sockets and llhttp. Judges nothing itself.

Locust's own streaming is not used: it stops the clock at the headers, or cuts the body into blocks of 1,024 bytes.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from urllib.parse import urlsplit

import gevent
from gevent import socket
from gevent.monkey import get_original
from geventhttpclient.response import HTTPParseError, HTTPResponse

from loadtests.report.summary import UNKNOWN, Sample
from loadtests.wire.outcome import Broken, Seen, judge
from loadtests.wire.sse import Event, Kind, Parser

READ = 65536  # bytes: more than any event, so a read takes all that is there
poll = get_original("select", "poll")  # gevent's own costs a turn of the loop


class TimedOutError(Exception):
    """The request took longer than it may."""


class Connection:
    """A TCP connection and the watcher that says when there is something to read on it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.connect(address)
        except BaseException:
            self._socket.close()
            raise
        self._hub = gevent.get_hub()
        self._readable = self._hub.loop.io(self._socket.fileno(), 1)

    def send(self, data: bytes) -> None:
        """Send all of `data`. A server that has hung up may still have said why: the read that follows finds out."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def read(self) -> bytes:
        """What has come, after waiting for something; nothing at the end."""
        self._hub.wait(self._readable)
        data: bytes = self._socket.recv(READ)
        return data

    def idle(self) -> bool:
        """Whether the other side has neither hung up nor said anything out of turn."""
        poller = poll()
        poller.register(self._socket.fileno(), select.POLLIN)
        return not poller.poll(0)

    def close(self) -> None:
        """Close it; safe to repeat."""
        self._readable.stop()
        self._readable.close()
        self._socket.close()


class Pool:
    """Connections to one server, without a limit: an arrival process must not wait for a free one."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = socket.gethostbyname(parts.hostname), parts.port or 80
        self._free: list[Connection] = []

    def take(self) -> Connection:
        """A connection that is open as far as can be known, the most recently used first."""
        while self._free:
            connection = self._free.pop()
            if connection.idle():
                return connection
            connection.close()
        return Connection(self._address)

    def give(self, connection: Connection) -> None:
        """Take a connection back whose response was read to its end."""
        self._free.append(connection)

    def close(self) -> None:
        """Close the free ones."""
        while self._free:
            self._free.pop().close()


class Reply(HTTPResponse):
    """One response: llhttp takes the framing off, the parser cuts the body into events."""

    def __init__(self) -> None:
        super().__init__("POST")
        self._parser = Parser()
        self.events: list[Event] = []
        self.received = 0
        self.is_stream = False

    def _on_headers_complete(self) -> int | bool | None:
        result = super()._on_headers_complete()
        self.is_stream = str(self.get("content-type", "")).startswith("text/event-stream")
        return result

    def _on_body(self, buf: bytearray) -> None:
        self.received += len(buf)
        if self.is_stream:
            self.events += self._parser.feed(bytes(buf))

    def header(self, name: str) -> str:
        """A header's value, or `unknown`."""
        value = self.get(name)
        return value if isinstance(value, str) and value else UNKNOWN


class Tally:
    """What the events of one response came to, and when."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.last: float | None = None
        self.finish_at: float | None = None
        self.events = 0
        self.tokens: int | None = None
        self.done = self.error = self.malformed = False

    def see(self, event: Event, now: float) -> None:
        """Count one event that was read at `now`."""
        if event.token:
            self.events += 1
            self.last = now
            if self.first is None:
                self.first = now
        if event.kind is Kind.TOKEN:
            return
        self.done |= event.kind is Kind.DONE
        self.error |= event.kind is Kind.ERROR
        self.malformed |= event.kind is Kind.MALFORMED
        if event.finish is not None:
            self.finish_at = now
        if event.tokens is not None:
            self.tokens = event.tokens


def exchange(pool: Pool, request: bytes, timeout: float, clock: Callable[[], float] = perf_counter) -> Sample:
    """Send one request, read its response to the end or for `timeout` seconds. Raises nothing a server can cause."""
    reply, tally, sent = Reply(), Tally(), clock()
    broken, malformed = Broken.NOT, False
    connection: Connection | None = None
    try:
        with gevent.Timeout(timeout, TimedOutError):
            connection = pool.take()
            connection.send(request)
            _read(connection, reply, tally, clock)
    except TimedOutError:
        broken = Broken.TIMEOUT
    except ConnectionRefusedError:
        broken = Broken.REFUSED
    except HTTPParseError:
        malformed = True
    except OSError:
        broken = Broken.RESET
    finally:
        if connection is not None:
            _release(pool, connection, reply)
    return _sample(reply, tally, sent, clock(), broken, malformed=malformed)


def _read(connection: Connection, reply: Reply, tally: Tally, clock: Callable[[], float]) -> None:
    """Read until the response is complete; every event gets the time of the read that completed it."""
    while not (reply.message_complete and reply.get_code() >= 200):
        data = connection.read()
        now = clock()
        if not data:
            _end(reply)
            return
        reply.feed(data)
        if reply.events:
            for event in reply.events:
                tally.see(event, now)
            reply.events.clear()


def _end(reply: Reply) -> None:
    """The other side hung up: the end of a body that has no other end, else a connection cut in the middle."""
    delimited = "content-length" in reply or "transfer-encoding" in reply
    if not reply.headers_complete or delimited:
        raise ConnectionResetError


def _release(pool: Pool, connection: Connection, reply: Reply) -> None:
    if reply.should_close():
        connection.close()
    else:
        pool.give(connection)


def _sample(reply: Reply, tally: Tally, sent: float, now: float, broken: Broken, *, malformed: bool) -> Sample:
    """The request as one value: its outcome, and the times of it that exist."""
    seen = Seen(
        status=reply.get_code() or None if reply.headers_complete else None,
        stream=reply.is_stream,
        finish=tally.finish_at is not None,
        done=tally.done,
        error=tally.error,
        malformed=malformed or tally.malformed,
        broken=broken,
    )
    ended = max((at for at in (tally.last, tally.finish_at) if at is not None), default=None)
    return Sample(
        outcome=judge(seen),
        arm=reply.header("x-ops-arm"),
        release=reply.header("x-ops-release"),
        total=now - sent,
        ttft=None if tally.first is None else tally.first - sent,
        itl=_itl(tally),
        e2e=None if ended is None else ended - sent,
        tokens=tally.tokens or 0,
        events=tally.events,
        received=reply.received,
    )


def _itl(tally: Tally) -> float | None:
    """Mean seconds per token after the first; needs the usage event, because an event may hold several tokens."""
    if tally.first is None or tally.last is None or tally.tokens is None or tally.tokens < 2:
        return None
    return (tally.last - tally.first) / (tally.tokens - 1)
