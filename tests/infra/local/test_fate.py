"""The fate of a request: the same for the same request, and each fault in exactly its share."""

from __future__ import annotations

import math
import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.fate import End, drag, end_of, fate, leaked, slow_factor
from infra.simulate import Faults, Simulate

GRID = 10_000


def faults(**given: object) -> Faults:
    return Faults.model_validate(given)


@given(shares=st.lists(st.integers(0, 2500), min_size=4, max_size=4))
def test_each_ending_has_exactly_its_share_of_the_uniform_numbers(shares: list[int]) -> None:
    names = ("refuse", "http_5xx", "stream_error", "early_end")
    given = faults(**{name: f"{share / 100}%" for name, share in zip(names, shares, strict=True)})
    # The middle of each cell of the grid, so that no rounding of a bound decides.
    counts = Counter(end_of(given, (cell + 0.5) / GRID) for cell in range(GRID))
    assert [counts[End(name)] for name in names] == shares
    assert counts[End.WELL] == GRID - sum(shares)


def test_slow_and_slow_tail_have_exactly_their_shares() -> None:
    given = faults(slow={"share": "10%", "factor": 4}, slow_tail={"share": "5%", "factor": 2})
    factors = Counter(slow_factor(given, (cell + 0.5) / GRID, 0.0) for cell in range(GRID))
    assert factors == {4.0: 1000, 2.0: 500, 1.0: 8500}


def test_the_tail_is_heavy_and_cut() -> None:
    given = faults(slow_tail={"share": "100%", "factor": 2})
    draws = [slow_factor(given, 0.0, depth / GRID) for depth in range(GRID)]
    assert min(draws) == 2
    assert max(draws) == 40
    assert sum(draw > 20 for draw in draws) / GRID == pytest.approx(0.01, abs=0.0002)  # P(X > 10 m) = 10^-2, Pareto 2


@given(seed=st.integers(), release=st.text(max_size=20), request=st.text(max_size=60))
def test_a_fate_depends_on_seed_release_and_request_only(seed: int, release: str, request: str) -> None:
    simulate = Simulate.model_validate({"faults": {"http_5xx": "50%", "slow": {"share": "50%", "factor": 3}}})
    first, second = (fate(simulate, seed, release, request) for _ in range(2))
    assert first == second
    assert 0 <= first.cut < 1
    assert first.length >= 1


def test_another_seed_or_release_draws_anew() -> None:
    simulate = Simulate.model_validate({"faults": {"http_5xx": "50%"}})

    def ends(seed: int, release: str) -> list[End]:
        return [fate(simulate, seed, release, str(number)).end for number in range(200)]

    assert ends(1, "v1") != ends(2, "v1")
    assert ends(1, "v1") != ends(1, "v2")


def test_shares_hold_over_many_requests() -> None:
    simulate = Simulate.model_validate({"faults": {"stream_error": "3%"}})
    count = sum(fate(simulate, 7, "v3", f"request-{number}").end is End.STREAM_ERROR for number in range(20_000))
    assert count == pytest.approx(600, abs=4 * math.sqrt(600))


def test_jitter_is_lognormal_with_median_one() -> None:
    simulate = Simulate.model_validate({"performance": {"jitter": 0.3}})
    logs = [math.log(fate(simulate, 1, "v1", str(number)).slowness) for number in range(5000)]
    assert statistics.mean(logs) == pytest.approx(0, abs=0.02)
    assert statistics.stdev(logs) == pytest.approx(0.3, rel=0.05)


def test_natural_lengths_are_those_of_the_conversation_trace() -> None:
    lengths = sorted(fate(Simulate(), 1, "v1", str(number)).length for number in range(10_000))
    assert lengths[5000] == pytest.approx(129, rel=0.05)
    assert lengths[9500] == pytest.approx(451, rel=0.08)


def test_a_cold_start_wears_off_evenly() -> None:
    given = faults(cold_start={"for": "100s", "factor": 3})
    assert [drag(given, age) for age in (0, 50, 100, 1000)] == [3, 2, 1, 1]


def test_a_leak_grows_by_the_minute_and_leaves_one_block() -> None:
    given = faults(leak={"latency": "10%", "kv": "20%"})
    assert drag(given, 300) == pytest.approx(1.5)
    assert [leaked(given, 100, minutes * 60) for minutes in (0, 1, 4, 100)] == [0, 20, 80, 99]
    assert leaked(faults(), 100, 1e9) == 0
