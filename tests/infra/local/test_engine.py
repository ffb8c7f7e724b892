"""The engine's model, to the last digit, in virtual time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.engine import Engine
from infra.local.fate import End, Fate
from infra.local.generation import Finish, Output, Request, plan_output
from infra.local.kv import prefix_hashes
from infra.simulate import Simulate
from tests.infra.local.virtual import Recorder, run

BASE = {"prefill_base": "20ms", "prefill_rate": "1000/s", "decode": "10ms", "stream_interval": 4}


@dataclass
class Bench:
    """An engine, what it reported, and when each output came."""

    engine: Engine
    meter: Recorder
    deaths: list[float] = field(default_factory=list)

    async def ask(self, request: Request, fate: Fate | None = None, after: float = 0.0) -> list[tuple[float, Output]]:
        await asyncio.sleep(after)
        loop = asyncio.get_running_loop()
        outputs = self.engine.generate(request, fate or well())
        return [(loop.time(), output) async for output in outputs]


def on_bench(
    work: Callable[[Bench], Coroutine[Any, Any, Any]],
    faults: dict[str, object] | None = None,
    late: float = 0.0,
    **performance: object,
) -> Any:
    """Run `work` with a fresh engine in virtual time."""
    simulate = Simulate.model_validate({"performance": {**BASE, **performance}, "faults": faults or {}})

    async def main() -> Any:
        meter, deaths = Recorder(), list[float]()
        loop = asyncio.get_running_loop()
        engine = Engine(simulate, seed=1, release="v1", meter=meter, die=lambda: deaths.append(loop.time()))
        return await work(Bench(engine, meter, deaths))

    return run(main(), late)


def well(length: int = 1000, slowness: float = 1.0) -> Fate:
    return Fate(End.WELL, 0.5, slowness, length)


def request(name: str = "r", prompt: int = 100, tokens: int = 9, **more: Any) -> Request:
    return Request(name, prompt, tokens, ignore_eos=True, **more)


def times(outputs: Iterable[tuple[float, Output]]) -> list[float]:
    return [round(at, 9) for at, _ in outputs]


def test_the_first_token_takes_the_prefill_and_each_event_its_tokens() -> None:
    outputs = on_bench(lambda bench: bench.ask(request()))
    assert times(outputs) == [0.12, 0.16, 0.20]  # 20 ms + 100 tokens at 1000/s, then 4 x 10 ms, twice
    assert [output for _, output in outputs] == [Output(1), Output(4), Output(4, Finish.LENGTH)]


def test_the_meter_hears_every_interval() -> None:
    async def work(bench: Bench) -> Recorder:
        await bench.ask(request())
        return bench.meter

    meter = on_bench(work)
    assert [(p, c, g, round(t, 9), r) for p, c, g, t, r in meter.prefills] == [(100, 0, 1, 0.12, 1)]
    assert [(tokens, round(gap, 9)) for tokens, gap, _ in meter.decodes] == [(4, 0.04), (4, 0.04)]
    (over,) = meter.over
    assert (over.reason, over.prompt_tokens, over.generated, over.preemptions) == (Finish.LENGTH, 100, 9, 0)
    assert [round(at, 9) for at in (over.e2e, over.queue, over.prefill, over.decode)] == [0.2, 0, 0.12, 0.08]


def test_decoding_slows_down_with_the_batch() -> None:
    async def work(bench: Bench) -> list[float]:
        both = await asyncio.gather(bench.ask(request("a", 100, 5)), bench.ask(request("b", 100, 5)))
        return times(both[0])

    assert on_bench(work, decode_per_sequence="5ms") == [0.12, 0.18]  # 4 x (10 + 5) ms


def test_requests_beyond_the_batch_limit_wait_in_order() -> None:
    async def work(bench: Bench) -> tuple[list[float], list[float], int]:
        asks = [asyncio.ensure_future(bench.ask(request(name, 80, 1))) for name in "abc"]
        await asyncio.sleep(0.01)
        waiting = bench.engine.waiting
        await asyncio.gather(*asks)
        ends = [times(ask.result())[0] for ask in asks]
        return ends, [round(over.queue, 9) for over in bench.meter.over], waiting

    assert on_bench(work, max_num_seqs=1) == ([0.1, 0.2, 0.3], [0, 0.1, 0.2], 2)


def test_a_known_prefix_is_not_prefilled_again() -> None:
    hashes = prefix_hashes(["word"] * 100, 16)

    async def work(bench: Bench) -> tuple[list[float], list[tuple[int, int]]]:
        outputs = [await bench.ask(request(name, 100, 1, prefix=hashes)) for name in "ab"]
        return [times(each)[0] for each in outputs], bench.meter.lookups

    ends, lookups = on_bench(work)
    assert lookups == [(100, 0), (100, 96)]
    assert ends == [0.12, 0.144]  # the second computes 4 tokens


def test_a_full_pool_preempts_the_youngest_which_computes_all_again() -> None:
    async def work(bench: Bench) -> tuple[Any, Recorder]:
        both = await asyncio.gather(bench.ask(request("old", 32, 17)), bench.ask(request("new", 32, 17), after=0.001))
        return [sum(output.tokens for _, output in each) for each in both], bench.meter

    # Two blocks for each prompt, a third for the first token; the fourth, after token 16, is one too many.
    tokens, meter = on_bench(work, kv_blocks=7)
    assert tokens == [17, 17]
    assert meter.preemptions == 1
    assert [over.preemptions for over in meter.over] == [0, 1]
    assert len(meter.prefills) == 2, "a second prefill of the same request is no second first token"


def test_a_request_larger_than_the_pool_ends_in_an_error_instead_of_waiting_for_ever() -> None:
    outputs = on_bench(lambda bench: bench.ask(request("big", 1000, 5)), kv_blocks=10)
    assert [output for _, output in outputs] == [Output(0, Finish.ERROR)]


def test_a_sequence_that_outgrows_the_pool_alone_ends_in_an_error() -> None:
    outputs = on_bench(lambda bench: bench.ask(request("long", 16, 100)), kv_blocks=2)
    assert outputs[-1][1] == Output(0, Finish.ERROR)
    assert 0 < sum(output.tokens for _, output in outputs) <= 16


@pytest.mark.parametrize("at", [0.05, 0.13, 0.15])
def test_an_abort_gives_back_place_and_memory_at_once(at: float) -> None:
    async def work(bench: Bench) -> Any:
        ask = asyncio.ensure_future(bench.ask(request("a", 100, 50)))
        waiter = asyncio.ensure_future(bench.ask(request("b", 100, 1)))
        await asyncio.sleep(at)
        ask.cancel()
        end = times(await waiter)[0]
        return end, bench.meter.over[0].reason, bench.engine.running, bench.engine.kv_usage

    assert on_bench(work, max_num_seqs=1) == (round(at + 0.12, 9), Finish.ABORT, 0, 0)


def test_an_abort_in_the_queue_leaves_the_queue() -> None:
    async def work(bench: Bench) -> Any:
        first = asyncio.ensure_future(bench.ask(request("a", 80, 1)))
        second = asyncio.ensure_future(bench.ask(request("b", 80, 1)))
        third = asyncio.ensure_future(bench.ask(request("c", 80, 1)))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.gather(first, third)
        return bench.engine.waiting, [over.reason.value for over in bench.meter.over], times(third.result())

    assert on_bench(work, max_num_seqs=1) == (0, ["abort", "length", "length"], [0.2])


def test_an_abort_at_the_moment_of_a_free_place_passes_the_place_on() -> None:
    async def work(bench: Bench) -> Any:
        second: asyncio.Task[Any]

        async def first() -> None:
            async with aclosing(bench.engine.generate(request("a", 80, 1), well())) as outputs:
                await anext(outputs)  # the place is free from here on
                await asyncio.sleep(0)

        running = asyncio.ensure_future(first())
        await asyncio.sleep(0)
        second = asyncio.ensure_future(bench.ask(request("b", 80, 1)))
        third = asyncio.ensure_future(bench.ask(request("c", 80, 1)))
        await asyncio.sleep(0.05)
        loop = asyncio.get_running_loop()
        loop.call_at(0.1, second.cancel)  # the same instant as the first one's end
        await asyncio.gather(running, third)
        return times(third.result()), bench.engine.running, bench.engine.waiting

    assert on_bench(work, max_num_seqs=1) == ([0.2], 0, 0)


def test_closing_the_outputs_is_an_abort() -> None:
    async def work(bench: Bench) -> Any:
        async with aclosing(bench.engine.generate(request(), well())) as outputs:
            await anext(outputs)
        return [over.reason for over in bench.meter.over], bench.engine.running

    assert on_bench(work) == ([Finish.ABORT], 0)


@pytest.mark.parametrize(
    ("ask", "fate", "expected"),
    [
        (Request("r", 1, 50, ignore_eos=True), Fate(End.WELL, 0, 1, 10), (50, Finish.LENGTH)),
        (Request("r", 1, 50), Fate(End.WELL, 0, 1, 10), (10, Finish.STOP)),
        (Request("r", 1, 50), Fate(End.WELL, 0, 1, 50), (50, Finish.STOP)),
        (Request("r", 1, 50), Fate(End.WELL, 0, 1, 51), (50, Finish.LENGTH)),
        (Request("r", 1, 0), Fate(End.WELL, 0, 1, 10), (0, Finish.STOP)),
        (Request("r", 1, 50, ignore_eos=True), Fate(End.STREAM_ERROR, 0.0, 1, 10), (1, Finish.ERROR)),
        (Request("r", 1, 50, ignore_eos=True), Fate(End.STREAM_ERROR, 0.5, 1, 10), (25, Finish.ERROR)),
        (Request("r", 1, 50, ignore_eos=True), Fate(End.EARLY, 0.999, 1, 10), (49, Finish.STOP)),
        (Request("r", 1, 1), Fate(End.EARLY, 0.999, 1, 10), (1, Finish.STOP)),
        (Request("r", 1, 0), Fate(End.STREAM_ERROR, 0.5, 1, 10), (0, Finish.ERROR)),
    ],
)
def test_length_and_reason_follow_from_request_and_fate(ask: Request, fate: Fate, expected: tuple[int, Finish]) -> None:
    assert plan_output(ask, fate) == expected


def test_an_error_comes_alone_after_the_tokens_before_it() -> None:
    outputs = on_bench(lambda bench: bench.ask(request(), Fate(End.STREAM_ERROR, 0.5, 1.0, 100)))
    assert [output for _, output in outputs] == [Output(1), Output(4), Output(0, Finish.ERROR)]


def test_an_embedding_ends_with_its_prefill() -> None:
    outputs = on_bench(lambda bench: bench.ask(Request("e", 100, 0)))
    assert outputs == [(pytest.approx(0.12), Output(0, Finish.STOP))]


def test_a_slow_request_is_slow_from_end_to_end() -> None:
    outputs = on_bench(lambda bench: bench.ask(request(), well(slowness=4)))
    assert times(outputs) == [0.48, 0.64, 0.80]


def test_a_cold_start_is_slow_until_it_has_worn_off() -> None:
    async def work(bench: Bench) -> Any:
        return [times(await bench.ask(request(tokens=1), after=after)) for after in (0, 199.76)]

    first, second = on_bench(work, {"cold_start": {"for": "100s", "factor": 3}})
    assert first == [0.36]
    assert second == [200.24]


def test_a_leak_slows_and_takes_memory_by_the_minute() -> None:
    async def work(bench: Bench) -> Any:
        outputs = await bench.ask(request(tokens=1), after=300)
        return times(outputs), bench.engine.kv_usage

    ends, usage = on_bench(work, {"leak": {"latency": "10%", "kv": "10%"}}, kv_blocks=100)
    assert ends == [300.18]
    assert usage == pytest.approx(0.5)


def test_a_crash_comes_on_time_after_loading() -> None:
    async def work(bench: Bench) -> list[float]:
        await asyncio.sleep(100)
        return bench.deaths

    assert on_bench(work, {"crash": {"every": "30s"}}, load_time="5s") == [35]


def test_a_crash_comes_with_the_nth_request() -> None:
    async def work(bench: Bench) -> list[float]:
        for _ in range(3):
            await bench.ask(request(tokens=1))
        return bench.deaths

    assert on_bench(work, {"crash": {"after_requests": 3}}) == [pytest.approx(0.24)]


def test_an_engine_is_ready_when_it_is_loaded() -> None:
    async def work(bench: Bench) -> tuple[bool, bool]:
        before = bench.engine.ready
        await asyncio.sleep(2)
        return before, bench.engine.ready

    assert on_bench(work, load_time="2s") == (False, True)


def test_late_wake_ups_do_not_add_up() -> None:
    outputs = on_bench(lambda bench: bench.ask(request(tokens=401)), late=0.003)
    assert times(outputs)[-1] == pytest.approx(0.12 + 4.0, abs=0.0031)


def hour(seed: int, count: int) -> Any:
    """An hour of regular requests whose fates are drawn; what the meter heard."""

    async def work(bench: Bench) -> Any:
        async def ask(number: int) -> list[tuple[float, Output]]:
            name = f"{seed}-{number}"
            body = Request(name, 50 + number % 500, 40)
            return await bench.ask(body, bench.engine.fate(name), after=number * 3600 / count)

        outputs = await asyncio.gather(*(ask(number) for number in range(count)))
        return outputs, bench.meter.over

    return on_bench(work, {"stream_error": "3%", "slow": {"share": "10%", "factor": 4}}, jitter=0.2)


def test_an_hour_passes_in_no_time_and_twice_the_same() -> None:
    begun = time.process_time()
    first = hour(1, 500)
    assert time.process_time() - begun < 5
    assert first == hour(1, 500)
    assert first != hour(2, 500)


@settings(max_examples=60, deadline=None)
@given(
    asks=st.lists(st.tuples(st.integers(1, 120), st.integers(0, 60), st.integers(0, 30)), min_size=1, max_size=12),
    blocks=st.integers(4, 20),
    places=st.integers(1, 4),
    aborts=st.sets(st.integers(0, 11), max_size=3),
)
def test_whatever_comes_every_request_ends_once_and_nothing_is_left(
    asks: list[tuple[int, int, int]], blocks: int, places: int, aborts: set[int]
) -> None:
    async def work(bench: Bench) -> None:
        tasks = [
            asyncio.ensure_future(bench.ask(request(str(number), prompt, tokens), after=start / 20))
            for number, (prompt, tokens, start) in enumerate(asks)
        ]
        await asyncio.sleep(0.5)
        for number in aborts & set(range(len(tasks))):
            tasks[number].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for (_, tokens, _), outputs in zip(asks, results, strict=True):
            if not isinstance(outputs, BaseException):
                made, last = sum(output.tokens for _, output in outputs), outputs[-1][1].finish
                assert made == tokens or last is Finish.ERROR
                assert [output.finish for _, output in outputs[:-1]].count(None) == len(outputs) - 1
        assert (bench.engine.running, bench.engine.waiting, bench.engine.kv_usage) == (0, 0, 0)
        done = [result for result in results if not isinstance(result, BaseException)]
        assert len(done) <= len(bench.meter.over) <= len(asks)

    on_bench(work, kv_blocks=blocks, max_num_seqs=places, block_size=8)
