"""One criterion of one run, three-valued."""

from __future__ import annotations

from collections import Counter

import pytest

from loadtests.report.histogram import bucket_of
from loadtests.report.series import Slot
from loadtests.search.criterion import criterion
from loadtests.search.finding import Result, fewest, find, strictness

ALPHA = 0.05


def slots(count: int, sent: int, *, late: int = 0, failed: int = 0, good: int = 0) -> list[Slot]:
    """Seconds of which each has `sent` requests, some failed, some with their first token after 1 s and not 100 ms."""
    ok = sent - failed
    ttft = Counter({bucket_of(0.1): ok - late, bucket_of(1.0): late})
    return [Slot(sent=sent, ok=ok, good=good, ttft=+ttft, itl=Counter({bucket_of(0.01): 9 * ok})) for _ in range(count)]


@pytest.mark.parametrize(
    ("text", "late", "failed", "result"),
    [
        ("ttft p90 < 500ms", 0, 0, Result.MEETS),
        ("ttft p90 < 500ms", 30, 0, Result.VIOLATES),
        ("ttft p90 < 500ms", 10, 0, Result.UNKNOWN),
        ("ttft p90 < 500ms", 0, 30, Result.VIOLATES),
        ("ttft p90 < 2s", 30, 0, Result.MEETS),
        ("ok >= 90%", 30, 0, Result.MEETS),
        ("ok >= 90%", 0, 30, Result.VIOLATES),
        ("itl p90 < 25ms", 30, 30, Result.MEETS),
        ("itl p90 < 5ms", 0, 0, Result.VIOLATES),
        ("goodput >= 90%", 0, 0, Result.VIOLATES),
    ],
)
def test_a_criterion_is_kept_broken_or_not_told(text: str, late: int, failed: int, result: Result) -> None:
    """A failed request keeps no latency; gaps are those of answers."""
    assert find(slots(20, 100, late=late, failed=failed), criterion(text), ALPHA).result is result


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_little_tells_nothing(count: int) -> None:
    """However good it looks."""
    found = find(slots(count, 5), criterion("ttft p99 < 500ms"), ALPHA)
    assert found.result is Result.UNKNOWN
    assert found.leans_good is (count > 0)
    assert found.spent == (0.0 if count else 1.0)


def test_the_fewest_requests_are_just_enough() -> None:
    """One in a hundred fewer, all of them good, and it is not shown."""
    one = criterion("ttft p99 < 500ms")
    least = fewest([one, criterion("ok >= 90%")], ALPHA)
    assert find(slots(10, round(least * 1.01 / 10)), one, ALPHA).result is Result.MEETS
    assert find(slots(10, round(least * 0.99 / 10)), one, ALPHA).result is Result.UNKNOWN


def test_more_looks_make_each_stricter() -> None:
    """By as much as there are more."""
    assert strictness(1) == pytest.approx(0.1)
    assert strictness(50) == pytest.approx(0.002)
    steady = slots(20, 100, late=6)
    loose, strict = (find(steady, criterion("ttft p90 < 500ms"), strictness(looks)) for looks in (1, 500))
    assert loose.low is not None and strict.low is not None and loose.low > strict.low
