"""Whoever started this client: says when to begin, and stops it by going away. The adapter to the pipe between them."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import gevent
from gevent.os import make_nonblocking, nb_read

PIPE = 0  # stdin


def begin(stop: Callable[[], None]) -> float:
    """Wait for the moment at which this client and those beside it begin, on the clock of `perf_counter`.

    From then on `stop` is called when the starter is gone; at once where it went without a word.
    """
    make_nonblocking(PIPE)
    said = b""
    while not said.endswith(b"\n"):
        part = nb_read(PIPE, 4096)
        if not part:
            stop()
            return perf_counter()
        said += part
    gevent.spawn(_listen, stop)
    return float(said)


def _listen(stop: Callable[[], None]) -> None:
    while nb_read(PIPE, 4096):
        pass
    stop()
