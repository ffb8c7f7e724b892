"""What simulated model servers do with known requests, in virtual time: the truth that a load test should come upon.

The engines are those of the local region, and so are the fates; replicas are asked in turn, as Envoy does. What HTTP,
the gateway and a busy machine add is left out: an hour takes seconds, and is the same on every machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import cycle

from infra.errors import InvalidInput
from infra.local.engine import Engine
from infra.local.fate import End
from infra.local.generation import Finish, Finished, Request
from infra.local.virtual import run
from infra.simulate import Simulate

REFUSED = (End.REFUSED, End.HTTP_5XX)  # ends that the engine never sees


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and when it comes: seconds since the servers were loaded."""

    due: float
    request: Request


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a request: when its events came, in seconds since it was due, and how many tokens each had.

    `end` is its fate; `finish` is the engine's word, None where the request was refused before the engine.
    """

    asked: Asked
    end: End
    finish: Finish | None = None
    times: tuple[float, ...] = ()
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Servers:
    """Replicas of one release, each asked in turn."""

    simulate: Simulate
    replicas: int = 1
    seed: int = 0
    release: str = "v1"


def rehearse(servers: Servers, asked: Iterable[Asked]) -> list[Answered]:
    """All answers to requests that come in the order of their time, in that order.

    Raises InvalidInput for a release that crashes: when its replicas are back is their supervisor's doing.
    """
    if servers.simulate.faults.crash:
        what = f"release {servers.release} crashes: in virtual time there is nobody to start it again"
        raise InvalidInput(what, not_done="nothing was rehearsed", next="leave out faults.crash")
    return run(_rehearsed(servers, asked))


async def _rehearsed(servers: Servers, asked: Iterable[Asked]) -> list[Answered]:
    loop, turns = asyncio.get_running_loop(), cycle(list(_engines(servers)))
    began = loop.time() + servers.simulate.performance.load_time
    answers = []
    for one, engine in zip(asked, turns, strict=False):
        await asyncio.sleep(began + one.due - loop.time())
        answers.append(asyncio.create_task(_answer(engine, one)))
    return list(await asyncio.gather(*answers))


def _engines(servers: Servers) -> Iterator[Engine]:
    for _ in range(servers.replicas):
        yield Engine(servers.simulate, seed=servers.seed, release=servers.release, meter=_Deaf(), die=_Deaf)


async def _answer(engine: Engine, asked: Asked) -> Answered:
    loop = asyncio.get_running_loop()
    due, fate = loop.time(), engine.fate(asked.request.id)
    if fate.end in REFUSED:
        return Answered(asked, fate.end)
    times, tokens, finish = list[float](), list[int](), None
    async with aclosing(engine.generate(asked.request, fate)) as outputs:
        async for output in outputs:
            finish = output.finish
            if output.tokens:
                times.append(loop.time() - due)
                tokens.append(output.tokens)
    return Answered(asked, fate.end, finish, tuple(times), tuple(tokens))


class _Deaf:
    """A meter of which nothing is read."""

    def looked_up(self, tokens: int, hits: int) -> None: ...

    def prefilled(self, prompt: int, cached: int, generated: int, latency: float, running: int) -> None: ...

    def decoded(self, tokens: int, gap: float, running: int) -> None: ...

    def preempted(self) -> None: ...

    def finished(self, finished: Finished) -> None: ...
