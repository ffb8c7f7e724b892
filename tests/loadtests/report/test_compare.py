"""Two runs differ where the evidence says so, and are the same only where it says that too."""

from __future__ import annotations

from collections import Counter

import pytest

from loadtests.report.book import Machine
from loadtests.report.bootstrap import ratio
from loadtests.report.compare import ALPHA, Comparison, compare, notes
from loadtests.report.histogram import bucket_of
from tests.loadtests.report.made import run

BEFORE = run(seed=1)
FIGURES = ("ttft p50", "ttft p99", "itl p50", "itl p99", "tpot p50", "e2e p50", "e2e p99", "goodput", "not ok")


def verdicts(found: Comparison) -> dict[str, str]:
    return {one.name: one.verdict for one in found.differences}


def test_a_run_is_not_different_from_itself() -> None:
    """Every figure is there, none is better and none worse."""
    found = compare(BEFORE, BEFORE)
    assert tuple(verdicts(found)) == FIGURES
    assert set(verdicts(found).values()) <= {"no difference", "unknown"}
    assert all(one.effect == pytest.approx(float(one.name not in ("goodput", "not ok"))) for one in found.differences)


def test_runs_of_one_release_are_seldom_different() -> None:
    """Of eight pairs whose seconds depend on each other, no figure of any: at 95 % for each pair, one may be."""
    runs = [run(seconds=60, rate=20.0, seed=seed) for seed in range(20, 36)]
    told = [verdicts(compare(a, b)) for a, b in zip(runs[::2], runs[1::2], strict=True)]
    assert sum(bool({"better", "worse"} & set(one.values())) for one in told) <= 1


@pytest.mark.parametrize(("slow", "said"), [(1.6, "worse"), (0.6, "better")])
def test_a_slower_release_is_worse_and_a_faster_one_better(slow: float, said: str) -> None:
    """In all its latencies, and so is what is left of goodput."""
    found = compare(BEFORE, run(seed=2, slow=slow))
    assert {name: told for name, told in verdicts(found).items() if name != "not ok"} == dict.fromkeys(
        FIGURES[:-1], said
    )
    one = found.differences[0]
    assert one.effect is not None and one.low is not None and one.high is not None
    assert one.low <= slow <= one.high
    assert found.verdict == said


def test_more_failures_are_worse() -> None:
    """Also where those that are answered are as fast as before."""
    found = compare(BEFORE, run(seed=1, failing=0.05))
    assert (verdicts(found)["not ok"], found.verdict) == ("worse", "worse")


def test_long_runs_without_failures_are_the_same_in_that() -> None:
    """No failure of thousands is no failure; of a few it is not known."""
    assert verdicts(compare(BEFORE, run(seed=3)))["not ok"] == "no difference"
    short = compare(BEFORE, run(seconds=12, rate=4.0, seed=3))
    assert verdicts(short)["not ok"] == "unknown"


def test_a_short_run_tells_nothing() -> None:
    """And says what would be enough."""
    found = compare(BEFORE, run(seconds=8, seed=2))
    assert (set(verdicts(found).values()), found.verdict) == ({"unknown"}, "unknown")
    assert all("too short: it needs 10 slots" in one.why for one in found.differences)


def test_an_invalid_client_tells_nothing() -> None:
    """Its figures are its own."""
    found = compare(BEFORE, run(seed=2, slow=2.0, machine=Machine(0.99, 1.0)))
    assert (set(verdicts(found).values()), found.verdict) == ({"unknown"}, "unknown")
    assert "the client of B was INVALID" in found.differences[0].why


def test_what_else_was_not_the_same_is_told() -> None:
    """A difference may come from it."""
    other = run(seconds=12, rate=5.0, seed=4, service="chat-mini", slo=None, machine=Machine(0.8, 0.5)).report
    said = " ".join(notes(BEFORE.report, other))
    assert "service: chat and chat-mini" in said and "slo: " in said and "B: its client was DEGRADED" in said
    assert notes(BEFORE.report, BEFORE.report) == ()


def test_the_same_runs_have_the_same_comparison() -> None:
    """Nothing in it is left to chance."""
    after = run(seed=2)
    assert compare(BEFORE, after) == compare(BEFORE, after)


def test_a_ratio_is_finer_than_a_bucket() -> None:
    """Inside a bucket values count as evenly spread, so that a median that moves by half a bucket is seen to move."""
    even = [Counter({bucket_of(0.1): 50, bucket_of(0.1) + 1: 50})] * 20
    more = [Counter({bucket_of(0.1): 25, bucket_of(0.1) + 1: 75})] * 20
    found = ratio(even, more, 0.5, ALPHA)
    assert 1.001 < found.estimate < 1.01
    assert found.low == found.estimate == found.high
