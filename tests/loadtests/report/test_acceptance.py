"""A day and a step that a service bears, and every way in which it does not: runs that never were."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from numpy.random import PCG64, Generator

from infra.errors import InvalidInput
from infra.load_profile import LoadProfile
from loadtests.report.acceptance import Acceptance, Check, accepted, lasting
from loadtests.report.book import Book, Machine
from loadtests.report.reckoning import load_report
from loadtests.report.run_file import Run
from loadtests.search.criterion import criterion
from loadtests.search.finding import Result
from loadtests.wire.outcome import OK, Outcome, http
from tests.loadtests.report.made import CALM, SLO, order, sample

TOKENS = {"prompt": 100, "output": 20}
STEP = LoadProfile.model_validate(
    {
        "name": "crowd",
        "step": {"base": "20/s", "factor": "5x", "at": "90s", "for": "30s", "window": "5s"},
        "tokens": TOKENS,
    }
)
DAY = LoadProfile.model_validate(
    {"name": "day", "diurnal": {"trough": "20/s", "peak": "80/s", "period": "2m"}, "tokens": TOKENS}
)
ASKED = (criterion("ttft p99 < 250ms"), criterion("ok >= 99%"))
LIMIT, BEGIN, END, LAST = 60.0, 90, 120, 210
FAILED: dict[str, Any] = {"ttft": None, "tpot": None, "e2e": None, "gaps": (), "tokens": 0, "total": 0.01}


def made(profile: LoadProfile, ends: list[tuple[float, Outcome, float]], machine: Machine = CALM) -> Run:
    """A run of requests as (when sent, how it ended, ttft)."""
    book, seconds = Book("here", "chat", "chat", SLO), lasting(profile)
    for at, outcome, ttft in ends:
        book.schedule(at)
        book.send(at)
        how = {"ttft": ttft, "gaps": ()} if outcome == OK else FAILED
        book.add(sample(outcome, due=at, sent=at, **how))
    book.close(seconds, machine)
    return Run(load_report(order(profile=profile, duration=seconds), book), book)


def arriving(rate: float, start: int, end: int, seed: int = 1) -> Iterator[float]:
    """Poisson arrivals."""
    draw = Generator(PCG64([seed, start]))
    for second in range(start, end):
        yield from sorted(second + draw.random(draw.poisson(rate)))


def crowd(
    *,
    limit: float = LIMIT,
    back: float = END,
    slow: tuple[float, float] = (0, 0),
    bad: tuple[float, float] = (0, 0),
    early: float = 0.0,
    base: float = 20.0,
    step: float = 100.0,
    machine: Machine = CALM,
) -> Acceptance:
    """A step before a gateway that admits `limit`; until `back` it goes on refusing half.

    Within `slow` answers take their time, within `bad` every other one fails; `early` is refused before the step.
    """
    ends, tokens, last = list[tuple[float, Outcome, float]](), limit, 0.0
    spans = (arriving(base, 0, BEGIN), arriving(step, BEGIN, END), arriving(base, END, LAST))
    for number, at in enumerate(one for span in spans for one in span):
        tokens, last = min(limit, tokens + (at - last) * limit), at
        admitted = tokens >= 1 and not (END <= at < back and number % 2) and not (at < BEGIN and number % 100 < early)
        tokens -= tokens >= 1
        failing = number % 2 == 0 and bad[0] <= at < bad[1]
        outcome = http(429) if not admitted else http(503) if failing else OK
        ends.append((at, outcome, 0.9 if slow[0] <= at < slow[1] else 0.1))
    return accepted(made(STEP, ends, machine), STEP, ASKED, LIMIT)


def check(found: Acceptance, what: str) -> Check:
    """The check whose name begins so."""
    return next(one for one in found.checks if one.what.startswith(what))


def test_a_step_whose_excess_is_refused_is_accepted() -> None:
    """It has recovered at once, since only the excess was refused."""
    found = crowd()
    assert (found.pattern, found.result, found.recovery_s) == ("step", Result.MEETS, 0.0), found
    assert {one.result for one in found.checks} == {Result.MEETS}
    assert check(found, "goodput").what == "goodput in the step is 90% of 60/s"
    assert "were refused with 429" in check(found, "the excess").says


@pytest.mark.parametrize(
    ("how", "broken"),
    [
        ({"limit": 1e9}, ("the excess",)),
        ({"limit": 40.0}, ("goodput",)),
        ({"slow": (BEGIN, END)}, ("who was admitted", "goodput")),
        ({"bad": (BEGIN, END)}, ("who was admitted", "goodput")),
        ({"bad": (0, BEGIN)}, ("before the step",)),
        ({"early": 5}, ("before the step",)),
        ({"back": LAST}, ("recovered",)),
        ({"slow": (BEGIN, LAST)}, ("who was admitted", "goodput", "recovered")),
    ],
    ids=str,
)
def test_a_step_is_failed_by_each_thing_that_must_not_be(how: dict[str, Any], broken: tuple[str, ...]) -> None:
    """No limit, one that refuses too many, slow or failing answers, refusals below the limit, and no end of it."""
    found = crowd(**how)
    assert found.result is Result.VIOLATES
    violated = {one.what for one in found.checks if one.result is Result.VIOLATES}
    assert len(violated) == len(broken) and all(any(one.startswith(name) for one in violated) for name in broken)


@pytest.mark.parametrize("how", [{"back": END + 20}, {"slow": (BEGIN + 25, END + 20)}], ids=str)
def test_recovery_is_timed_to_the_second(how: dict[str, Any]) -> None:
    """From the end of the step until no 429 comes and the SLO is kept: by then every second had been a bad one."""
    assert crowd(**how).recovery_s == 20.0


def test_a_single_failure_is_no_relapse() -> None:
    """One of twenty may be bad luck; it does not move the recovery to where it was."""
    assert crowd(bad=(END + 40, END + 40.1)).recovery_s == 0.0


def test_what_was_never_well_again_has_no_recovery() -> None:
    """Rather than the length of the run."""
    found = crowd(back=LAST)
    assert found.recovery_s is None
    assert check(found, "recovered").says == "not within the 90 s after it"


def test_a_step_below_the_limit_is_held_against_what_was_offered() -> None:
    """Nothing is to be refused, and all of it is to be served."""
    found = crowd(step=50.0)
    assert found.result is Result.MEETS
    assert check(found, "the excess").says.startswith("0 of ")
    offered = float(check(found, "goodput").what.removeprefix("goodput in the step is 90% of ").removesuffix("/s"))
    assert offered == pytest.approx(50.0, rel=0.05)


def test_few_requests_show_nothing() -> None:
    """Neither good nor bad: three a second are too few for 99 %."""
    found = crowd(base=3.0)
    assert (found.result, check(found, "before").result) == (Result.UNKNOWN, Result.UNKNOWN)


def test_an_invalid_client_accepts_and_fails_nothing() -> None:
    """Its figures are its own."""
    assert crowd(machine=Machine(0.99, 0.5)).result is Result.UNKNOWN
    assert crowd(machine=Machine(0.99, 0.5), back=LAST).result is Result.UNKNOWN


def day(slow: tuple[float, float] = (0, 0), few: float = 1.0) -> Acceptance:
    """A day from the trough to the peak and back; within `slow` answers take their time."""
    ends = list[tuple[float, Outcome, float]]()
    for second in range(120):
        rate = few * (50 - 30 * math.cos(2 * math.pi * (second + 0.5) / 120))
        ends += [(at, OK, 0.9 if slow[0] <= at < slow[1] else 0.1) for at in arriving(rate, second, second + 1)]
    return accepted(made(DAY, ends), DAY, ASKED, 200.0)


@pytest.mark.parametrize(
    ("how", "whole", "peak"),
    [
        ({}, Result.MEETS, Result.MEETS),
        ({"slow": (50, 70)}, Result.VIOLATES, Result.VIOLATES),
        ({"slow": (0, 40)}, Result.VIOLATES, Result.MEETS),
        ({"few": 0.05}, Result.UNKNOWN, Result.UNKNOWN),
    ],
    ids=str,
)
def test_a_day_is_kept_over_the_whole_and_at_its_peak(how: dict[str, Any], whole: Result, peak: Result) -> None:
    """A day that is good on the whole and bad at the peak is not good; nor the other way round."""
    found = day(**how)
    assert [one.result for one in found.checks] == [whole, peak]
    assert (found.pattern, found.recovery_s) == ("diurnal", None)


def test_a_profile_without_a_peak_cannot_be_accepted() -> None:
    """It says which command is meant; and how long the others take."""
    assert (lasting(DAY), lasting(STEP)) == (120.0, 210.0)
    with pytest.raises(InvalidInput, match="neither diurnal nor a step") as caught:
        lasting(order().profile)
    assert "ops load gate" in caught.value.next
