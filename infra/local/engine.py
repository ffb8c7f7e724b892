"""A model of a continuous-batching inference engine: first-in first-out queue, batch, prefill, decode, KV pool.

The model, in full. A request waits until the batch has a place and the KV pool has blocks for its prompt. Its prefill
takes `prefill_base + uncached prompt tokens / prefill_rate` and gives the first token; each further token takes
`decode + decode_per_sequence x (other sequences in the batch)`. Both are multiplied by the request's fate and the
server's age. A sequence takes KV blocks as it grows; when there are none, the youngest in the batch is preempted: it
loses its blocks, goes to the head of the queue and computes its prompt and output again. Prefills do not slow each
other down, and a sequence's speed follows the batch size from event to event.

It knows asyncio's time and nothing else of the world: no HTTP, no Prometheus, no wall clock. On a loop with virtual
time an hour takes milliseconds. What is due is computed from what was due before: late wake-ups do not add up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from infra.local.fate import Fate, drag, fate, leaked
from infra.local.generation import Finish, Finished, Meter, Output, Request, plan_output
from infra.local.kv import Pool, PrefixCache
from infra.simulate import Simulate


@dataclass(slots=True, eq=False)
class _Sequence:
    """A request on its way through the engine."""

    request: Request
    slowness: float
    target: int
    finish: Finish
    arrived: float
    turn: asyncio.Future[float]  # resolves to the time at which the sequence joined the batch
    cached: int | None = None
    blocks: int = 0
    generated: int = 0
    prefilled: bool = False
    over: bool = False
    preemptions: int = 0
    due: float = 0.0
    scheduled: float | None = None
    first: float | None = None
    last: float = field(default=0.0)

    @property
    def complete(self) -> bool:
        return self.prefilled and self.generated >= self.target


class Engine:
    """One simulated engine. Make it inside a running loop; loading starts then."""

    def __init__(self, simulate: Simulate, *, seed: int, release: str, meter: Meter, die: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._simulate, self._speed, self._faults = simulate, simulate.performance, simulate.faults
        self._seed, self._release, self._meter, self._die = seed, release, meter, die
        self._pool, self._cache = Pool(self._speed.kv_blocks), PrefixCache(self._speed.kv_blocks)
        self._waiting: deque[_Sequence] = deque()
        self._running: dict[_Sequence, None] = {}  # in the order in which they joined
        self._accepted = 0
        self._loaded = self._loop.time() + self._speed.load_time
        if self._faults.crash and self._faults.crash.every is not None:
            self._loop.call_at(self._loaded + self._faults.crash.every, die)

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._loop.time() >= self._loaded

    @property
    def running(self) -> int:
        """Sequences in the batch."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    @property
    def kv_usage(self) -> float:
        """Used share of the KV pool, leaked blocks included."""
        self._leak()
        return self._pool.usage

    def fate(self, request: str) -> Fate:
        """What will become of a request."""
        return fate(self._simulate, self._seed, self._release, request)

    async def generate(self, request: Request, fate: Fate) -> AsyncGenerator[Output, None]:
        """The outputs of a request as they are made. Closing the generator or cancelling the task aborts it."""
        sequence = self._arrive(request, fate)
        try:
            while not sequence.over:
                tokens = await (self._decode(sequence) if sequence.prefilled else self._prefill(sequence))
                if sequence.complete:
                    self._leave(sequence, sequence.finish)
                failed = sequence.finish is Finish.ERROR
                if tokens or (sequence.over and not failed):
                    yield Output(tokens, sequence.finish if sequence.over and not failed else None)
            if sequence.finish is Finish.ERROR:
                yield Output(0, Finish.ERROR)
        finally:
            if not sequence.over:
                self._leave(sequence, Finish.ABORT)

    # -- the queue and the batch --

    def _arrive(self, request: Request, fate: Fate) -> _Sequence:
        self._accepted += 1
        if self._faults.crash and self._accepted == self._faults.crash.after_requests:
            self._die()
        target, finish = plan_output(request, fate)
        arrived = self._loop.time()
        sequence = _Sequence(request, fate.slowness, target, finish, arrived, self._loop.create_future(), last=arrived)
        self._waiting.append(sequence)
        self._admit()
        return sequence

    def _admit(self) -> None:
        """Let waiting sequences join the batch, in order, while there is room."""
        self._leak()
        while self._waiting and len(self._running) < self._speed.max_num_seqs:
            sequence = self._waiting[0]
            if not (sequence.turn.cancelled() or self._take(sequence, 1)):
                if self._running:
                    return
                self._fail(sequence)  # it will never fit
            self._waiting.popleft()
            if not sequence.turn.cancelled():
                self._join(sequence)

    def _join(self, sequence: _Sequence) -> None:
        self._running[sequence] = None
        now = self._loop.time()
        if sequence.scheduled is None:
            sequence.scheduled = now
            sequence.cached = self._cache.hit(sequence.request.prefix) * self._speed.block_size
            self._meter.looked_up(sequence.request.prompt_tokens, sequence.cached)
        sequence.turn.set_result(now)

    def _leave(self, sequence: _Sequence, reason: Finish) -> None:
        sequence.over = True
        self._release_blocks(sequence)
        if sequence in self._running:
            del self._running[sequence]
        elif sequence in self._waiting:
            self._waiting.remove(sequence)
        self._meter.finished(_finished(sequence, reason, self._loop.time()))
        self._admit()

    # -- memory --

    def _leak(self) -> None:
        self._pool.lost = leaked(self._faults, self._pool.blocks, self._age())

    def _take(self, sequence: _Sequence, more: int) -> bool:
        """Blocks for `more` tokens than the sequence has now, all or none."""
        tokens = sequence.request.prompt_tokens + sequence.generated + more
        missing = -(-tokens // self._speed.block_size) - sequence.blocks
        if missing > 0:
            if not self._pool.take(missing):
                return False
            sequence.blocks += missing
        return True

    def _release_blocks(self, sequence: _Sequence) -> None:
        self._pool.give(sequence.blocks)
        sequence.blocks = 0

    def _grow(self, sequence: _Sequence, more: int) -> bool:
        """Room for `more` tokens, at the cost of the youngest; False when that is the sequence itself."""
        self._leak()
        while not self._take(sequence, more):
            if len(self._running) == 1:
                self._fail(sequence)  # the whole pool is too small for it
                return True
            youngest = next(reversed(self._running))
            self._preempt(youngest)
            if youngest is sequence:
                self._admit()
                return False
        return True

    def _preempt(self, sequence: _Sequence) -> None:
        del self._running[sequence]
        self._release_blocks(sequence)
        sequence.prefilled = False
        sequence.preemptions += 1
        sequence.turn = self._loop.create_future()
        self._waiting.appendleft(sequence)
        self._meter.preempted()

    @staticmethod
    def _fail(sequence: _Sequence) -> None:
        sequence.target, sequence.finish = sequence.generated, Finish.ERROR

    # -- time --

    async def _prefill(self, sequence: _Sequence) -> int:
        """Wait for a place and compute the prompt; gives one token, or none when preempted meanwhile."""
        turn = sequence.turn
        started = await turn
        uncached = sequence.request.prompt_tokens + sequence.generated - (sequence.cached or 0)
        seconds = self._speed.prefill_base + uncached / self._speed.prefill_rate
        sequence.due = started + seconds * self._slowness(sequence)
        await self._until(sequence.due)
        if sequence.turn is not turn:
            return 0
        sequence.prefilled = True
        return self._first(sequence) if sequence.first is None else self._gain(sequence, 1)

    async def _decode(self, sequence: _Sequence) -> int:
        """Make the tokens of the next event; none when preempted meanwhile."""
        turn = sequence.turn
        tokens = min(self._speed.stream_interval, sequence.target - sequence.generated)
        if not self._grow(sequence, tokens) or sequence.complete:
            return 0
        each = self._speed.decode + self._speed.decode_per_sequence * (len(self._running) - 1)
        sequence.due += tokens * each * self._slowness(sequence)
        await self._until(sequence.due)
        return self._gain(sequence, tokens) if sequence.turn is turn else 0

    def _first(self, sequence: _Sequence) -> int:
        tokens = min(1, sequence.target)
        sequence.generated = tokens
        sequence.first = sequence.last = self._loop.time()
        prompt, cached = sequence.request.prompt_tokens, sequence.cached or 0
        self._meter.prefilled(prompt, cached, tokens, sequence.first - sequence.arrived, len(self._running))
        return tokens

    def _gain(self, sequence: _Sequence, more: int) -> int:
        tokens = min(more, sequence.target - sequence.generated)
        if tokens:
            now = self._loop.time()
            self._meter.decoded(tokens, now - sequence.last, len(self._running))
            sequence.generated += tokens
            sequence.last = now
        return tokens

    def _slowness(self, sequence: _Sequence) -> float:
        return sequence.slowness * drag(self._faults, self._age())

    def _age(self) -> float:
        return max(0.0, self._loop.time() - self._loaded)

    async def _until(self, due: float) -> None:
        delay = due - self._loop.time()
        if delay > 0:
            await asyncio.sleep(delay)


def _finished(sequence: _Sequence, reason: Finish, now: float) -> Finished:
    scheduled = now if sequence.scheduled is None else sequence.scheduled
    first = sequence.first
    return Finished(
        reason=reason,
        prompt_tokens=sequence.request.prompt_tokens,
        cached_tokens=sequence.cached or 0,
        generated=sequence.generated,
        max_tokens=sequence.request.max_tokens,
        preemptions=sequence.preemptions,
        e2e=now - sequence.arrived,
        queue=scheduled - sequence.arrived,
        prefill=0.0 if first is None else first - scheduled,
        decode=0.0 if first is None else sequence.last - first,
    )
