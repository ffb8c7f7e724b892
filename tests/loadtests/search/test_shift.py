"""Regions before and after one was lost: who kept the SLO, and whether those that are left hold it."""

from __future__ import annotations

import pytest

from loadtests.order import Outage
from loadtests.report.book import Book, merged
from loadtests.report.reckoning import load_report
from loadtests.search.criterion import criterion
from loadtests.search.finding import Result
from loadtests.search.shift import ALL, facts, notes, parts, spans
from loadtests.wire.outcome import OK, Outcome
from tests.loadtests.report.made import CALM, SLO, order, sample

LOST = Outage(region="east", at=20.0, heirs=("west",))
BACK = Outage(region="east", at=20.0, back=40.0, heirs=("west",))
CRITERIA = (criterion("ok >= 90%"), criterion("ttft p90 < 250ms"))


def region(slow_from: float = 1e9, until: float = 60.0, rate: int = 50, failing: bool = False) -> Book:
    """A region that is sent `rate` a second until then, and answers slowly, or not, from some moment on."""
    made = Book("here", "chat", "chat", SLO)
    for number in range(int(until * rate)):
        due = number / rate
        bad = due >= slow_from
        made.schedule(due)
        made.send(due)
        outcome = Outcome("http_503") if bad and failing else OK
        made.add(sample(outcome, due=due, sent=due, ttft=0.5 if bad else 0.1))
    made.close(60.0, CALM)
    return made


@pytest.mark.parametrize(
    ("outage", "elapsed", "expected"),
    [
        (None, 60.0, [("whole", 0, 60)]),
        (LOST, 60.0, [("before", 0, 20), ("lost", 20, 60)]),
        (BACK, 60.0, [("before", 0, 20), ("lost", 20, 40), ("back", 40, 60)]),
        (BACK, 30.0, [("before", 0, 20), ("lost", 20, 30)]),
        (BACK, 12.0, [("before", 0, 12)]),
    ],
)
def test_a_run_has_spans_as_far_as_it_came(
    outage: Outage | None, elapsed: float, expected: list[tuple[str, float, float]]
) -> None:
    """Stopped early, it has fewer."""
    assert [(one.phase, one.start, one.end) for one in spans(outage, elapsed)] == expected


def test_each_region_is_told_span_by_span_and_all_of_them_together() -> None:
    """Requests, rate and failures of when they were sent."""
    found = {(one.phase, one.region): one for one in parts(_books(region()), LOST, CRITERIA)}
    assert list(found) == [(phase, name) for phase in ("before", "lost") for name in (ALL, "east", "west")]
    assert (found["before", "east"].sent, found["lost", "east"].sent) == (1000, 0)
    assert (found["lost", ALL].sent, found["lost", ALL].rate) == (2000, 50.0)
    assert found["lost", "west"].outcomes == {"ok": 2000, "not ok": 0}
    assert found["lost", "west"].result is Result.MEETS and found["lost", "west"].good == 2000
    assert found["lost", "east"].result is Result.UNKNOWN


def test_a_slot_that_the_loss_lies_in_is_on_neither_side() -> None:
    """Its requests went to both."""
    found = parts(_books(region()), LOST.model_copy(update={"at": 20.5}), CRITERIA)
    assert [(one.start, one.end, one.sent) for one in found if one.region == "west"] == [(0, 20, 1000), (21, 60, 1950)]


@pytest.mark.parametrize(
    ("west", "outage", "result"),
    [
        (region(), LOST, Result.MEETS),
        (region(slow_from=20), LOST, Result.VIOLATES),
        (region(slow_from=20, failing=True), LOST, Result.VIOLATES),
        (region(slow_from=40), BACK, Result.MEETS),
        (region(slow_from=20), None, Result.VIOLATES),
        (region(rate=1), LOST, Result.UNKNOWN),
    ],
    ids=["holds", "slow", "fails", "slow when it was back", "nothing lost", "too few"],
)
def test_those_that_are_left_must_each_keep_the_slo_from_the_loss_on(
    west: Book, outage: Outage | None, result: Result
) -> None:
    """What the lost region does, and what happens when it is back, is no part of it."""
    books = _books(west)
    report = load_report(order(), merged(books.values()))
    seen = facts(parts(books, outage, CRITERIA), outage, report.client, 100.0)
    assert (seen.result, seen.client) == (result, report.client.verdict)
    assert all(one.criterion.startswith(("west: ", "east: ")) for one in seen.findings)
    assert {one.criterion.partition(":")[0] for one in seen.findings} == ({"west"} if outage else {"east", "west"})


def test_what_was_broken_before_the_loss_is_told() -> None:
    """The loss is not to blame for it."""
    assert list(notes(parts(_books(region(slow_from=0)), LOST, CRITERIA))) == [
        "west broke the SLO before the loss already"
    ]
    assert list(notes(parts(_books(region()), LOST, CRITERIA))) == []


def test_a_run_that_ended_before_the_loss_tells_nothing_of_it() -> None:
    """No figure is made up."""
    short = region(until=10)
    short.elapsed = 10.0
    seen = facts(parts({"east": short, "west": short}, LOST, CRITERIA), LOST, load_report(order(), short).client, 1.0)
    assert (seen.result, seen.findings, seen.outcomes) == (Result.UNKNOWN, (), {})


def _books(west: Book) -> dict[str, Book]:
    return {"east": region(until=20.0), "west": west}
