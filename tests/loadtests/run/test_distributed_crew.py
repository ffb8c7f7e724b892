"""Who takes part in a distributed load: shares that make the whole, and no report without all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtests.arrivals.schedule import schedule
from loadtests.report.book import merged
from loadtests.run.distributed_crew import Crew
from tests.loadtests.report.made import book, order, sample

MEMBERS = ("w-a", "w-b", "w-c")


@given(count=st.integers(1, 7))
def test_all_parts_together_are_the_load(count: int) -> None:
    """Each arrival is in one of them."""
    whole = order(duration=2.0)
    crew = Crew(whole, [f"w{number}" for number in range(count)])
    parts = [crew.part(f"w{number}") for number in range(count)]
    arrivals = [arrival for part in parts if part for arrival in schedule(part)]
    assert sorted(arrivals, key=lambda one: one.due) == list(schedule(whole))


def test_who_comes_later_has_no_part() -> None:
    assert Crew(order(), MEMBERS).part("w-d") is None


def test_all_begin_when_the_last_one_can() -> None:
    crew = Crew(order(), MEMBERS)
    assert [crew.ready(one) for one in ("w-b", "w-a", "w-b", "w-c")] == [False, False, False, True]


def test_the_report_is_of_all_books() -> None:
    """Merged exactly, when the last one is there."""
    crew, books = Crew(order(), MEMBERS), [book(sample(due=float(number)), elapsed=3.0) for number in range(3)]
    assert [crew.close(one, pages) for one, pages in zip(MEMBERS, books, strict=True)] == [False, False, True]
    assert crew.book().to_json() == merged(books).to_json()


def test_who_has_gone_without_a_book_is_lost() -> None:
    """Who has handed over its book may go."""
    crew = Crew(order(), MEMBERS)
    assert crew.lost(MEMBERS) == ()
    crew.close("w-b", book(sample()))
    assert crew.lost({"w-a"}) == ("w-c",)
    assert (crew.told("w-c"), crew.told("w-d")) == ("worker w-c (3 of 3)", "worker w-d (no member)")
