"""A book counts everything once, times only what is ok, and merges as if one process had sent it all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.report.book import Book, Key, Machine, merged
from loadtests.wire.outcome import ENDED_EARLY, IN_STREAM_ERROR, OK, Outcome
from loadtests.wire.sample import Sample
from tests.loadtests.report.made import book, sample

samples = st.builds(
    sample,
    outcome=st.sampled_from([OK, ENDED_EARLY, Outcome("http_429")]),
    arm=st.sampled_from(["stable", "canary"]),
    due=st.floats(0, 2000),
    sent=st.floats(0, 2000),
    ttft=st.one_of(st.none(), st.floats(0.001, 1)),
    gaps=st.lists(st.floats(0, 900), max_size=5).map(tuple),
    retry_wait=st.sampled_from([0.0, 0.5]),
)


def test_only_ok_requests_have_latencies() -> None:
    """A failure that is quick, or slow, moves no percentile; it has a time of its own."""
    made = book(sample(), sample(IN_STREAM_ERROR, ttft=9.0, total=9.5))
    assert made.outcomes() == {OK: 1, IN_STREAM_ERROR: 1}
    assert [made.latency(name).count for name in ("ttft", "itl", "tpot", "e2e")] == [1, 19, 1, 1]
    assert made.latency("ttft").greatest == 0.1
    assert (made.series.slots[0].ok, made.series.slots[0].ttft.total()) == (1, 1)
    assert (made.failures().count, made.failures().greatest) == (1, 9.5)


def test_each_gap_is_a_value_of_itl() -> None:
    """The mean of a request would hide the one gap that a user saw."""
    made = book(sample(gaps=(0.01, 0.01, 0.9)), sample(gaps=()))
    assert (made.latency("itl").count, made.latency("itl").greatest) == (3, 0.9)


def test_latencies_count_from_sending_and_from_the_schedule() -> None:
    """A request that was sent late had its user waiting."""
    made = book(sample(due=1.0, sent=1.5, ttft=0.1, e2e=0.4))
    assert (made.latency("ttft").greatest, made.latency("e2e").greatest) == (0.1, 0.4)
    assert made.latency("ttft_scheduled").greatest == pytest.approx(0.6)
    assert made.latency("e2e_scheduled").greatest == pytest.approx(0.9)


def test_where_a_request_went_and_how_it_ended_are_its_cell() -> None:
    """Region, service, endpoint, arm, release and outcome."""
    made = book(sample(), sample(arm="canary"), sample(ENDED_EARLY))
    assert set(made.cells) == {
        Key("here", "chat", "chat", arm, "v1", outcome)
        for arm, outcome in (("stable", OK), ("canary", OK), ("stable", ENDED_EARLY))
    }
    assert made.latency("ttft", "canary", "v1").count == 1


def test_what_did_not_end_was_sent() -> None:
    """Scheduled, sent and done are three numbers."""
    made = book(sample())
    made.schedule(1.0)
    made.schedule(1.0)
    made.send(1.0)
    assert (made.scheduled, made.sent, made.done) == (3, 2, 1)


def test_the_client_is_measured_beside_its_requests() -> None:
    """How late it sent without what connecting took, how late its loop was, and what it cost."""
    made = book(sample(due=1.0, sent=1.25, connect=0.05, receive_delay=0.003), machine=Machine(0.4, 0.6))
    made.beat(0.002)
    made.second(0.5)
    assert made.lag.greatest == pytest.approx(0.2)
    assert [one.greatest for one in (made.receive, made.loop, made.cpu)] == [0.003, 0.002, 0.5]
    assert made.clients == [Machine(0.4, 0.6)]


def test_what_is_added_says_whether_it_is_goodput() -> None:
    """For Prometheus and Locust, which are told of each request."""
    made = book()
    assert [made.add(sample()), made.add(sample(ttft=0.3)), made.add(sample(ENDED_EARLY))] == [True, False, False]
    assert made.total("good") == 1


@settings(max_examples=25)
@given(parts=st.lists(st.lists(samples, max_size=8), max_size=4))
def test_merging_is_exact(parts: list[list[Sample]]) -> None:
    """Workers that each sent a part counted what one process would have counted."""
    together = book(*(one for part in parts for one in part))
    apart = merged([book(*part) for part in parts])
    apart.clients, apart.elapsed = together.clients, together.elapsed
    whole, one = apart.to_json(), together.to_json()
    assert _rounded(whole) == _rounded(one)


def _rounded(data: object) -> object:
    """Without the last nanosecond of sums, which are rounded request by request."""
    return json.loads(json.dumps(data), parse_float=lambda text: round(float(text), 6))


def test_merged_books_are_as_long_as_the_longest() -> None:
    """And interrupted where one was."""
    short, long = book(sample(), elapsed=3.0), book(sample(), elapsed=5.0)
    short.interrupted = True
    whole = merged([long, short])
    assert (whole.elapsed, whole.interrupted, len(whole.clients), whole.sent) == (5.0, True, 2, 2)


@settings(max_examples=25)
@given(part=st.lists(samples, max_size=8))
def test_it_survives_json(part: list[Sample]) -> None:
    """It comes from another process, and lies in files."""
    data = json.loads(json.dumps(book(*part).to_json()))
    assert Book.from_json(data).to_json() == data


@pytest.mark.parametrize("damage", [{}, {"scheduled": "x"}, {"cells": [[1]]}, {"series": None}])
def test_what_is_no_book_is_not_taken_for_one(damage: dict[str, object]) -> None:
    """With an error of Python's own, which whoever opened the file explains."""
    data = {**book(sample()).to_json(), **damage} if damage else {}
    with pytest.raises((KeyError, TypeError, ValueError)):
        Book.from_json(data)
