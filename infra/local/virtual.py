"""Time that passes at once: an event loop whose clock jumps to what is due next. Waits for nothing, reads no clock."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Never waits: where a real loop sleeps, its clock moves. It serves what is computed, and no sockets."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        """Virtual seconds since the loop began."""
        return self.now

    def jump(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += seconds


class _Jump(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing is due and nothing will ever be"
        if timeout > 0:
            self._loop.jump(timeout)
        return []


def run(work: Coroutine[Any, Any, T], loop: Callable[[], VirtualLoop] = VirtualLoop) -> T:
    """Run `work` in virtual time."""
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(work)
