"""A greenlet wakes when it is time, or when it is told to; never before."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import gevent
import pytest

from loadtests.run.alarm import Alarm

SOON, NEVER = 0.03, 600.0  # s


@pytest.fixture(params=["timerfd", "none"])
def alarm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alarm]:
    """One that Linux rings, and one as on a system without timerfd."""
    if request.param == "none":
        monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    made = Alarm()
    yield made
    made.close()


def slept(alarm: Alarm, seconds: float) -> float:
    """Seconds that a wait took."""
    before = perf_counter()
    alarm.wait(seconds)
    return perf_counter() - before


def test_it_rings_after_its_time_and_again(alarm: Alarm) -> None:
    """A second wait is as long as it should be, whatever the first one left."""
    assert min(slept(alarm, SOON) for _ in range(3)) >= SOON


def test_a_wait_is_ended_at_once_and_the_next_one_is_whole(alarm: Alarm) -> None:
    """Whatever was set before rings no more."""
    gevent.spawn(alarm.stop)
    assert slept(alarm, NEVER) < NEVER
    assert slept(alarm, SOON) >= SOON


def test_stopped_before_a_wait_it_ends_that(alarm: Alarm) -> None:
    """A stop between two waits is not lost."""
    alarm.stop()
    assert slept(alarm, NEVER) < NEVER
