"""An event loop whose time jumps to the next thing that is due, and a meter that remembers."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from infra.local.generation import Finished

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Never waits: where a real loop sleeps, its clock moves. `late` seconds pass in addition with every sleep."""

    def __init__(self, late: float = 0.0) -> None:
        self.now = 0.0
        super().__init__(_Jump(self, late))

    def time(self) -> float:
        return self.now


class _Jump(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop, late: float) -> None:
        super().__init__()
        self._loop, self._late = loop, late

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing is due and nothing will ever be"
        if timeout > 0:
            self._loop.now += timeout + self._late
        return super().select(0)


def run(work: Coroutine[Any, Any, T], late: float = 0.0) -> T:
    """Run `work` in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(late)) as runner:
        return runner.run(work)


@dataclass
class Recorder:
    """A Meter that keeps everything."""

    lookups: list[tuple[int, int]] = field(default_factory=list)
    prefills: list[tuple[int, int, int, float, int]] = field(default_factory=list)
    decodes: list[tuple[int, float, int]] = field(default_factory=list)
    preemptions: int = 0
    over: list[Finished] = field(default_factory=list)

    def looked_up(self, tokens: int, hits: int) -> None:
        self.lookups.append((tokens, hits))

    def prefilled(self, prompt: int, cached: int, generated: int, latency: float, running: int) -> None:
        self.prefills.append((prompt, cached, generated, latency, running))

    def decoded(self, tokens: int, gap: float, running: int) -> None:
        self.decodes.append((tokens, gap, running))

    def preempted(self) -> None:
        self.preemptions += 1

    def finished(self, finished: Finished) -> None:
        self.over.append(finished)
