"""Reads every connection of this process in turns of two milliseconds: the adapter to epoll and gevent's loop.

To wake for each token costs more than to read it. The kernel notes when each packet came, so a read may come a little
later and say the same: all that is there is read in one turn, then the reader sleeps. Streams whose tokens follow each
other so fast that two would meet in one turn are read at once.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, time

import gevent
from gevent.monkey import get_original

from loadtests.wire import stamp

TURN = 0.002  # s between two turns: takes 40 % off the CPU time of a token at 50 streams of 10 ms
FAST = 3 * TURN  # s between two reads of one stream below which turns might merge them
CALM = 1.0  # s without a fast stream before turns come back
MOST = 1024  # connections read in one turn
STEADY = 50e-6  # s between two looks at one clock within which the other was read at the same moment

Socket = get_original("socket", "socket")
epoll = get_original(
    "select", "epoll"
)  # gevent takes it away, since it would block the loop; polled with 0 it does not
POLLIN = 1


class Clock:
    """The two clocks of the kernel: what it stamps packets with (which may be set), and what runs evenly."""

    def __init__(self) -> None:
        self.now = perf_counter()
        self.offset = self.now - time()

    def read(self) -> None:
        """Look at both. A look that was interrupted would shift all times by the interruption, and is not used."""
        before = perf_counter()
        wall = time()
        self.now = perf_counter()
        if self.now - before < STEADY:
            self.offset = before - wall


class Reader:
    """One greenlet that waits for all connections. What it calls must not wait and must not raise."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._stamped = Socket()  # the kernel stamps while any socket asks for it, and takes a moment to begin
        stamp.ask(self._stamped)
        self._epoll = epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._hub = gevent.get_hub()
        self._ready = self._hub.loop.io(self._epoll.fileno(), POLLIN)
        self._fast = float("-inf")
        self._free = self.clock.now  # since when nothing but others kept this from its next turn
        self._late = False
        self._polled, self._away = self._free, 0.0
        self._leaving, self._back = self._hub.loop.prepare(ref=False), self._hub.loop.check(ref=False)
        self._leaving.start(self._leave)
        self._back.start(self._return)
        self._greenlet = gevent.spawn(self._run)

    def add(self, descriptor: int, read: Callable[[], None]) -> None:
        """Call `read` whenever something has come on the descriptor."""
        self._readers[descriptor] = read
        self._epoll.register(descriptor, POLLIN)

    def remove(self, descriptor: int) -> None:
        """Before it is closed."""
        del self._readers[descriptor]
        self._epoll.unregister(descriptor)

    def hurry(self) -> None:
        """A stream is so fast that turns would merge what came apart."""
        self._fast = self.clock.now

    def late(self, at: float) -> bool:
        """Whether what came at `at`, and is read now, may have come apart and been read together."""
        return self._late or self.clock.now - at > FAST

    @property
    def hurried(self) -> bool:
        """Whether there was a fast stream of late."""
        return self.clock.now - self._fast <= CALM

    def close(self) -> None:
        """Stop reading."""
        self._greenlet.kill()
        for watcher in (self._ready, self._leaving, self._back):
            watcher.stop()
            watcher.close()
        self._epoll.close()
        self._stamped.close()

    def _leave(self) -> None:
        """The loop waits now: what ran since it last did kept us from reading for so long."""
        self._away = perf_counter() - self._polled

    def _return(self) -> None:
        """The loop has waited."""
        self._polled = perf_counter()

    def _run(self) -> None:
        while True:
            if not self._turn():
                self._hub.wait(self._ready)
                self._free = self._polled - self._away
            elif not self.hurried:
                gevent.sleep(TURN)

    def _turn(self) -> bool:
        """Read what is there, once per connection; whether there was anything."""
        self.clock.read()
        self._late, self._free = self.clock.now - self._free > FAST, self.clock.now
        readers = self._readers
        ready = self._epoll.poll(0, MOST)
        for descriptor, _ in ready:
            if read := readers.get(descriptor):  # a connection may have been closed for what another said
                read()
        return bool(ready)
