"""Where a load is while it runs."""

from __future__ import annotations

import pytest

from loadtests.report.book import Book, Machine
from loadtests.report.progress import progress, together
from loadtests.wire.outcome import RESET, Outcome
from tests.loadtests.report.made import book, sample


def test_progress_counts_what_is_bad() -> None:
    """Everything that ended and was not ok; and what was good of the rest."""
    made = book(sample(), sample(ttft=0.4), sample(Outcome("http_429")), sample(RESET))
    now = progress(made, 1.5, 20.0, Machine(0.1, 0.3))
    assert (now.sent, now.done, now.ok, now.bad, now.good) == (4, 4, 2, 2, 1)
    assert (now.rate, now.busy, now.elapsed) == (20.0, 0.3, 1.5)
    assert now.ttft_p50 == pytest.approx(0.1, rel=0.01)


def test_before_anything_ended_there_is_no_median() -> None:
    """Not zero."""
    assert progress(Book(), 0.0, 0.0, Machine()).ttft_p50 is None


def test_several_clients_are_one_load() -> None:
    """Counts and rates add up, and the median is that of all times together, not a mean of medians."""
    one, two = book(sample(ttft=0.1)), book(sample(ttft=0.2), sample(ttft=0.3), sample(RESET))
    parts = [progress(one, 1.0, 20.0, Machine(0.1, 0.3)), progress(two, 1.5, 5.0, Machine(0.1, 0.4))]
    now = together(parts)
    assert (now.sent, now.done, now.ok, now.bad, now.good) == (4, 4, 3, 1, 2)
    assert (now.elapsed, now.rate, now.busy) == (1.5, 25.0, 0.4)
    assert now.ttft_p50 == pytest.approx(0.2, rel=0.01)
    assert together(parts[:1]) == parts[0]
