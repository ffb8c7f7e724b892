"""A run by the second: everything in the slot of its time, whatever the width of slots."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.report.histogram import bucket_of
from loadtests.report.series import MOST, Series, Slot, gap_buckets, merged
from loadtests.wire.outcome import http
from tests.loadtests.report.made import book, sample


def test_each_thing_is_in_the_slot_of_its_own_time() -> None:
    """Due, sent, done; a latency where it was sent, a gap where it ended."""
    slots = book(sample(due=0.9, sent=1.1, total=2.5, ttft=0.5, e2e=2.4, gaps=(0.6, 1.3))).series.slots
    assert [slot.scheduled for slot in slots] == [1, 0, 0, 0]
    assert [slot.sent for slot in slots] == [0, 1, 0, 0]
    assert [slot.done for slot in slots] == [0, 0, 0, 1]
    assert [slot.ttft.total() for slot in slots] == [0, 1, 0, 0]
    assert [dict(slot.itl) for slot in slots] == [{}, {}, {bucket_of(0.6): 1}, {bucket_of(1.3): 1}]


def test_what_was_refused_by_429_is_counted_where_it_was_sent() -> None:
    """Other failures are not; it is no request that was ok."""
    ends = [sample(http(code), sent=1.1, total=2.5, gaps=()) for code in (429, 429, 503)]
    slots = book(*ends).series.slots
    assert [(slot.sent, slot.limited, slot.ok) for slot in slots] == [(0, 0, 0), (3, 2, 0), (0, 0, 0), (0, 0, 0)]


def test_a_slot_that_was_kept_before_429s_were_counted_is_read() -> None:
    """As one without any; what has fewer counts is none of ours."""
    kept = book(sample()).series.slots[0].to_json()
    assert Slot.from_json(kept[:6] + kept[7:]) == Slot.from_json(kept)
    with pytest.raises(ValueError):
        Slot.from_json(kept[:5] + kept[7:])


def test_gaps_within_one_slot_are_counted_at_once() -> None:
    """As many as there are."""
    series, one = Series(), sample(sent=3.0, ttft=0.1, gaps=(0.02,) * 9)
    series.gaps(one, gap_buckets(one))
    assert series.slots[3].itl == Counter({bucket_of(0.02): 9})


@settings(max_examples=50)
@given(
    sent=st.floats(-2.0, 1500.0),
    gaps=st.lists(st.one_of(st.floats(0.0, 700.0), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=30),
)
def test_every_gap_is_in_the_slot_that_it_ended_in(sent: float, gaps: list[float]) -> None:
    """However many slots lie between two of them, and however wide they become."""
    one = sample(sent=sent, ttft=0.25, gaps=tuple(gaps))
    buckets = gap_buckets(one)
    series, single = Series(), Series()
    series.gaps(one, buckets)
    for moment, bucket in zip(accumulate(gaps, initial=sent + 0.25), [None, *buckets], strict=True):
        if bucket is not None:
            single.at(moment).itl[bucket] += 1
    assert series == single


def test_a_long_run_has_wider_slots_and_never_more() -> None:
    """A day must not take the memory of a day of seconds."""
    series = Series()
    for second in range(5000):
        series.at(second).sent += 1
    assert (series.width, len(series.slots) <= MOST) == (16, True)
    assert sum(slot.sent for slot in series.slots) == 5000
    assert {slot.sent for slot in series.slots[:-1]} == {16}


def test_a_moment_before_the_start_is_in_the_first_slot() -> None:
    """Clocks may step."""
    series = Series()
    series.at(-0.1).sent += 1
    assert series.slots[0].sent == 1


@settings(max_examples=25)
@given(parts=st.lists(st.lists(st.integers(0, 3000), max_size=20), max_size=4))
def test_series_of_any_width_merge(parts: list[list[int]]) -> None:
    """Into what one series of all would be."""
    together, apart = Series(), []
    for part in parts:
        apart.append(Series())
        for moment in part:
            together.at(moment).sent += 1
            apart[-1].at(moment).sent += 1
    whole = merged(apart)
    assert whole.width == together.width
    assert [slot.sent for slot in whole.slots] == [slot.sent for slot in together.slots]
