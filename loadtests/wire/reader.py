"""Reads every connection of this process in turns of three milliseconds: the adapter to epoll and gevent's loop.

To wake for each token costs more than to read it. The kernel notes when each packet came, so a read may come a little
later and say the same: all that is there is read in one turn, then the reader sleeps. Streams whose tokens follow each
other so fast that two would meet in one turn are read at once, and so is what the kernel does not stamp.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, time

import gevent
from gevent.monkey import get_original

from loadtests.wire import stamp

TURN = 0.003  # s between two turns: of 50 streams of 10 ms a turn finds a dozen tokens
FAST = 2 * TURN  # s between two reads of one stream below which turns might merge them
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
    """Watchers of gevent's loop, for all connections. What they call must not wait and must not raise."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._stamped = Socket()  # the kernel stamps while any socket asks for it, and takes a moment to begin
        stamp.ask(self._stamped)
        self._epoll = epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._fast = float("-inf")
        self._free = self.clock.now  # since when nothing but others kept this from its next turn
        self._late = False
        self._polled, self._away = self._free, 0.0
        loop = gevent.get_hub().loop
        self._ready, self._rest = loop.io(self._epoll.fileno(), POLLIN), loop.timer(TURN, TURN)
        self._leaving, self._back = loop.prepare(ref=False), loop.check(ref=False)
        self._leaving.start(self._leave)
        self._back.start(self._return)
        self._ready.start(self._begin)

    def add(self, descriptor: int, read: Callable[[], None]) -> None:
        """Call `read` whenever something has come on the descriptor."""
        self._readers[descriptor] = read
        self._epoll.register(descriptor, POLLIN)

    def remove(self, descriptor: int) -> None:
        """Before it is closed."""
        del self._readers[descriptor]
        self._epoll.unregister(descriptor)

    def hurry(self) -> None:
        """Read at once for a while: turns would merge what came apart, or be seen in its times."""
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
        for watcher in (self._ready, self._rest, self._leaving, self._back):
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

    def _begin(self) -> None:
        """Something has come after a while in which nothing did: read it, and from now on in turns."""
        self._free = self._polled - self._away
        if self._turn() and not self.hurried:
            self._ready.stop()
            self._rest.again(self._go_on)

    def _go_on(self) -> None:
        """The next turn. After one that finds nothing, wait until something comes."""
        if not self._turn() or self.hurried:
            self._rest.stop()
            self._ready.start(self._begin)

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
