"""Simulated servers in virtual time: what a load test should come upon."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import InvalidInput
from infra.local.fate import End
from infra.local.generation import Finish, Request
from infra.local.rehearsal import Answered, Asked, Servers, rehearse
from infra.local.virtual import run
from infra.simulate import Simulate

SPEED = {"prefill_base": "20ms", "prefill_rate": "1000/s", "decode": "10ms", "stream_interval": 4}


def servers(replicas: int = 1, faults: dict[str, object] | None = None, **performance: object) -> Servers:
    """Replicas that are quick to reckon with: 120 ms for a prompt of 100 tokens, 10 ms for a token."""
    simulate = {"performance": {**SPEED, **performance}, "faults": faults or {}}
    return Servers(Simulate.model_validate(simulate), replicas)


def asked(due: float, name: str = "r", tokens: int = 9) -> Asked:
    return Asked(due, Request(name, 100, tokens, ignore_eos=True))


def firsts(answers: list[Answered]) -> list[float]:
    return [round(one.times[0], 9) for one in answers]


def test_times_count_from_when_a_request_was_due() -> None:
    """Whatever came before, and however long loading took."""
    (one,) = rehearse(servers(load_time="7s"), [asked(100.0)])
    assert [round(at, 9) for at in one.times] == [0.12, 0.16, 0.2]
    assert (one.tokens, one.finish, one.end) == ((1, 4, 4), Finish.LENGTH, End.WELL)


def test_requests_come_after_loading() -> None:
    """A cold start is as old as the request is due: after half of it, half of what makes it twice as slow is left."""
    cold = servers(load_time="7s", faults={"cold_start": {"for": "10s", "factor": 2}})
    assert firsts(rehearse(cold, [asked(5.0)])) == [0.18]


def test_replicas_are_asked_in_turn() -> None:
    """The third request waits for the first one's replica, although the other is free before."""
    several = [asked(0.0, "a"), asked(0.0, "b", 1), asked(0.0, "c")]
    assert firsts(rehearse(servers(2, max_num_seqs=1), several)) == [0.12, 0.12, 0.32]
    assert firsts(rehearse(servers(3, max_num_seqs=1), several)) == [0.12, 0.12, 0.12]


@pytest.mark.parametrize(("fault", "end"), [("refuse", End.REFUSED), ("http_5xx", End.HTTP_5XX)])
def test_what_never_reaches_an_engine_has_no_times(fault: str, end: End) -> None:
    """And takes nobody's place."""
    found = rehearse(servers(max_num_seqs=1, faults={fault: 1.0}), [asked(0.0, "a"), asked(0.0, "b")])
    assert [(one.end, one.finish, one.times) for one in found] == [(end, None, ())] * 2


@pytest.mark.parametrize("crash", [{"every": "5s"}, {"after_requests": 3}])
def test_a_release_that_crashes_is_not_rehearsed(crash: dict[str, object]) -> None:
    """Nobody would start it again."""
    with pytest.raises(InvalidInput, match="crashes"):
        rehearse(servers(faults={"crash": crash}), [asked(0.0)])


@settings(max_examples=30)
@given(
    gaps=st.lists(st.floats(0, 1), max_size=15),
    replicas=st.integers(1, 3),
    batch=st.integers(1, 3),
    tokens=st.integers(1, 30),
)
def test_every_request_is_answered_whole_and_in_order(
    gaps: list[float], replicas: int, batch: int, tokens: int
) -> None:
    """Never before its prefill is done, and the same again."""
    given = [asked(sum(gaps[:number]), f"r{number}", tokens) for number in range(len(gaps))]
    answers = rehearse(servers(replicas, max_num_seqs=batch), given)
    assert [one.asked for one in answers] == given
    assert all(sum(one.tokens) == tokens and list(one.times) == sorted(one.times) for one in answers)
    assert all(at >= 0.12 - 1e-9 for at in firsts(answers))
    assert answers == rehearse(servers(replicas, max_num_seqs=batch), given)


def test_virtual_time_goes_where_it_is_slept_to() -> None:
    """And whoever would wait for ever is told."""

    async def sleeper() -> float:
        await asyncio.sleep(3600.0)
        return asyncio.get_running_loop().time()

    async def forgotten() -> None:
        await asyncio.get_running_loop().create_future()

    assert run(sleeper()) == 3600.0
    with pytest.raises(AssertionError, match="nothing is due"):
        run(forgotten())
