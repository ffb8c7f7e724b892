"""A loop that is late, and a meter that remembers."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from infra.local import virtual
from infra.local.generation import Finished

T = TypeVar("T")


class LateLoop(virtual.VirtualLoop):
    """A loop on a busy machine: with every sleep, `late` seconds pass in addition."""

    def __init__(self, late: float) -> None:
        self._late = late
        super().__init__()

    def jump(self, seconds: float) -> None:
        super().jump(seconds + self._late)


def run(work: Coroutine[Any, Any, T], late: float = 0.0) -> T:
    """Run `work` in virtual time."""
    return virtual.run(work, lambda: LateLoop(late))


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
