"""Wakes a greenlet at a moment, to a fraction of a millisecond: the adapter to Linux's timerfd.

The timers of gevent's loop are as coarse as epoll's timeout, a whole millisecond and always late: of requests that are
due every 20 ms that makes a variation of 2 % that nobody asked for.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

import gevent
from gevent.event import Event

CLOCK_MONOTONIC = 1  # that of time.perf_counter on Linux
FLAGS = os.O_NONBLOCK | os.O_CLOEXEC  # TFD_NONBLOCK | TFD_CLOEXEC (timerfd_create(2)); Python has it from 3.13 on
READABLE = 1  # the flag of libev


class Interval(ctypes.Structure):
    """struct itimerspec: how often again (never), and how long from now; each in s and ns."""

    _fields_ = [(name, ctypes.c_long) for name in ("again", "again_nanos", "seconds", "nanos")]


class Alarm:
    """One greenlet's alarm. Where the system has no timerfd, it is the loop's own timer."""

    def __init__(self) -> None:
        self._rung = Event()
        self._libc = ctypes.CDLL(None, use_errno=True)
        create = getattr(self._libc, "timerfd_create", None)
        self._descriptor: int = create(CLOCK_MONOTONIC, FLAGS) if create else -1
        self._watcher = None
        if self._descriptor >= 0:
            self._watcher = gevent.get_hub().loop.io(self._descriptor, READABLE)
            self._watcher.start(self._ring)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is stopped; seconds above zero."""
        if self._watcher is not None:
            whole, part = divmod(max(1, round(seconds * 1e9)), 10**9)
            self._libc.timerfd_settime(self._descriptor, 0, ctypes.byref(Interval(0, 0, whole, part)), None)
        self._rung.wait(None if self._watcher else seconds)
        self._rung.clear()

    def stop(self) -> None:
        """End the wait that is under way, or the next one, at once."""
        self._rung.set()

    def close(self) -> None:
        """Give the timer back."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._descriptor)
            self._watcher = None

    def _ring(self) -> None:
        with suppress(BlockingIOError):  # it was set anew meanwhile
            os.read(self._descriptor, 8)
            self._rung.set()
