"""A connection, read with the kernel's own times: the adapter to TCP. Knows no HTTP."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import gevent
from gevent import socket
from gevent.monkey import get_original

from loadtests.wire.reader import FAST, Reader
from loadtests.wire.stamp import ANCILLARY, ask, seconds
from loadtests.wire.tls import Tls

Socket = get_original("socket", "socket")  # it is never waited for here, so gevent's own would only cost
READ = 65536  # bytes: more than any event, so a read takes all that is there
READABLE, WRITABLE = 1, 2  # the flags of libev
IN_A_ROW = 3  # quick tokens that make a fast stream; one or two are only bunched on their way


class Sink(Protocol):
    """Who is told what came."""

    def feed(self, data: bytes, at: float) -> int:
        """Take `data`, which came at `at` by the monotonic clock; how many token events it completed."""

    def hang_up(self, error: OSError | None) -> None:
        """Nothing more will come: the other side's end, or an error."""


class Connection:
    """One TCP connection. Its `sink` is told what comes, and what comes without one ends the connection."""

    def __init__(self, reader: Reader, family: int = socket.AF_INET) -> None:
        self._reader, self._clock = reader, reader.clock
        self._socket = Socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._receive = partial(self._socket.recvmsg, READ, ANCILLARY)
        self._tls: Tls | None = None
        self._last, self._quick = float("-inf"), 0
        self.sink: Sink | None = None
        self.open = False
        self.kernel = ask(self._socket)  # whether all times of `sink` are the kernel's
        self.delay = 0.0  # the worst time of it between the kernel's receive and our read, s
        self.merged = 0  # token events that lost a time of their own, since we read them late and together

    def connect(self, address: Any, tls: Tls | None = None) -> None:
        """Open it; a timeout is the caller's. Raises OSError."""
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._establish(address)
            if tls is not None:
                tls.shake_hands(self._send, self._next)
                self._tls = tls
        except BaseException:
            self._socket.close()
            raise
        self.open = True
        self._reader.add(self._socket.fileno(), self.read)

    def expect(self, sink: Sink) -> None:
        """Tell `sink` from now on what comes."""
        self.sink, self.delay, self.merged, self.kernel = sink, 0.0, 0, True

    def send(self, data: bytes, timeout: float) -> None:
        """Send all of `data` within `timeout` seconds. Raises TimeoutError.

        A server that has hung up may still have said why: the read that follows finds out.
        """
        with suppress(BrokenPipeError, ConnectionResetError):
            self._send(data if self._tls is None else self._tls.encrypt(data), timeout)

    def read(self) -> None:
        """Take what has come, with its time."""
        try:
            data, ancillary, _, _ = self._receive()
        except BlockingIOError:
            return
        except OSError as error:
            self._hang_up(error)
            return
        if not data:
            self._hang_up(None)
            return
        now = at = self._clock.now
        if ancillary:
            delay = now - seconds(ancillary) - self._clock.offset
            if delay > 0:
                at = now - delay
                if delay > self.delay:
                    self.delay = delay
        else:
            self.kernel = False
            self._reader.hurry()  # a turn would be seen in our own times
        if self._tls is None:
            self._give(data, at)
        else:
            self._take_apart(self._tls, data, at)

    def look(self) -> None:
        """Read out of turn: what may have come since the last one."""
        self._clock.read()
        if self.open:
            self.read()

    def idle(self) -> bool:
        """Whether it can carry a request: the other side has neither hung up nor said anything unasked."""
        self.look()
        return self.open

    def close(self) -> None:
        """Close it; safe to repeat."""
        if self.open:
            self.open = False
            self._reader.remove(self._socket.fileno())
            self._socket.close()

    def _give(self, data: bytes, at: float) -> None:
        if self.sink is None:
            self.close()
        elif tokens := self.sink.feed(data, at):
            if tokens > 1 and self._reader.late(at):
                self.merged += tokens - 1
            if at - self._last < FAST:
                self._quick += 1
                if self._quick >= IN_A_ROW:
                    self._reader.hurry()
            elif self._quick:
                self._quick = 0
            self._last = at

    def _take_apart(self, tls: Tls, data: bytes, at: float) -> None:
        """Records; a part of one, or one of TLS's own, has nothing for the sink."""
        try:
            plain, ended = tls.decrypt(data)
            if answer := tls.pending():
                self._socket.send(answer)
        except OSError as error:
            self._hang_up(error)
            return
        if plain:
            self._give(plain, at)
        if ended:
            self._hang_up(None)

    def _hang_up(self, error: OSError | None) -> None:
        self.close()
        if self.sink is not None:
            self.sink.hang_up(error)

    def _establish(self, address: Any) -> None:
        try:
            self._socket.connect(address)
        except BlockingIOError:
            self._wait(WRITABLE)
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, f"connecting to {address[0]}:{address[1]}")

    def _send(self, data: bytes, timeout: float | None = None) -> None:
        view = self._push(memoryview(data))
        if view:
            with gevent.Timeout(timeout, TimeoutError):
                while view:
                    self._wait(WRITABLE)
                    view = self._push(view)

    def _push(self, view: memoryview) -> memoryview:
        """What is left when the kernel takes no more."""
        try:
            while view:
                view = view[self._socket.send(view) :]
        except BlockingIOError:
            pass
        return view

    def _next(self) -> bytes:
        """The next bytes, for a handshake: nothing else is read by waiting."""
        while True:
            try:
                data: bytes = self._socket.recv(READ)
                return data
            except BlockingIOError:
                self._wait(READABLE)

    def _wait(self, flag: int) -> None:
        hub = gevent.get_hub()
        watcher = hub.loop.io(self._socket.fileno(), flag)
        try:
            hub.wait(watcher)
        finally:
            watcher.stop()
            watcher.close()
