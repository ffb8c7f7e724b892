"""Runs that never were: samples, books and reports for tests, from a seed and as slow as asked for."""

from __future__ import annotations

from typing import Any

from numpy.random import PCG64, Generator

from loadtests.order import Order, Slo
from loadtests.report.book import Book, Machine
from loadtests.report.reckoning import load_report
from loadtests.report.run_file import Run
from loadtests.wire.outcome import OK, Outcome
from loadtests.wire.sample import Sample

CALM = Machine(client_cpu=0.2, busy=0.5)
SLO = Slo(ttft=0.25, itl=0.025, e2e=2.5)


def order(**how: Any) -> Order:
    """An order of 60 s at 50/s."""
    profile = {"name": "even", "rate": "50/s", "arrivals": "poisson", "tokens": {"prompt": 100, "output": 20}}
    given = {
        "service": "chat",
        "model": "m",
        "url": "http://127.0.0.1:80",
        "profile": profile,
        "duration": 60.0,
        "seed": 3,
    }
    return Order.model_validate({**given, "slo": SLO, **how})


def sample(outcome: Outcome = OK, **how: Any) -> Sample:
    """An ok request of 20 tokens in 0.5 s, but for what is said."""
    usual = {"arm": "stable", "release": "v1", "due": 0.0, "sent": 0.001, "total": 0.51, "ttft": 0.1, "tpot": 0.02}
    rest = {"e2e": 0.5, "gaps": (0.02,) * 19, "tokens": 20, "prompt_tokens": 100, "events": 20, "kernel": True}
    return Sample(outcome, **{**usual, **rest, **how})


def book(*samples: Sample, slo: Slo | None = SLO, elapsed: float = 2.0, machine: Machine = CALM) -> Book:
    """A book in which these requests were due, sent and done."""
    made = Book("here", "chat", "chat", slo)
    for one in samples:
        made.schedule(one.due)
        made.send(one.sent)
        made.add(one)
    made.close(elapsed, machine)
    return made


def run(
    seconds: int = 60, rate: float = 50.0, slow: float = 1.0, failing: float = 0.0, seed: int = 1, **how: Any
) -> Run:
    """A whole run whose latencies are lognormal, correlated from second to second, and `slow` times as long."""
    draw, made, mood = Generator(PCG64(seed)), Book("here", "chat", "chat", SLO), 0.0
    for second in range(seconds):
        mood = 0.7 * mood + 0.1 * draw.standard_normal()
        for due in sorted(second + draw.random(draw.poisson(rate))):
            made.schedule(due)
            made.send(due + 0.0005)
            made.add(_drawn(float(due), slow * float(draw.lognormal(mood, 0.3)), draw, failing))
    made.close(float(seconds), how.pop("machine", CALM))
    for _ in range(100):
        made.beat(0.0005)
    return Run(load_report(order(duration=float(seconds), **how), made, "2026-01-02T03:04:05+00:00"), made)


def _drawn(due: float, factor: float, draw: Generator, failing: float) -> Sample:
    sent, ttft = due + 0.0005, 0.1 * factor
    if draw.random() < failing:
        return sample(
            Outcome("http_503"), due=due, sent=sent, total=0.01, ttft=None, tpot=None, e2e=None, gaps=(), tokens=0
        )
    gaps = tuple(0.02 * factor * float(one) for one in draw.lognormal(0.0, 0.1, 19))
    e2e = ttft + sum(gaps)
    return sample(due=due, sent=sent, total=e2e + 0.001, ttft=ttft, tpot=sum(gaps) / 19, e2e=e2e, gaps=gaps)
