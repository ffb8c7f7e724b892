"""Lengths are drawn as the profile says, and depend on the request alone."""

from __future__ import annotations

from statistics import median, quantiles
from typing import Any

import pytest

from infra.load_profile import LoadProfile
from infra.token_length import Length
from loadtests.arrivals.row import Row
from loadtests.arrivals.size import size, tokens
from loadtests.arrivals.tracefile import Recording

TRACE = Recording((Row(0.0, 10, 1), Row(1.0, 20, 2), Row(2.0, 30, 3)))


def drawn(count: int = 4000, **length: Any) -> list[int]:
    return [tokens(Length.model_validate(length), f"0:{index}:prompt") for index in range(count)]


def test_a_number_is_that_number() -> None:
    """Always."""
    assert set(drawn(50, exactly=512)) == {512}


def test_a_range_is_even() -> None:
    """Every number of it, both ends too, about as often."""
    counts = [drawn(4000, min=3, max=6).count(number) for number in (3, 4, 5, 6)]
    assert sum(counts) == 4000
    assert all(900 < count < 1100 for count in counts)


def test_a_lognormal_has_its_median_and_its_95th_percentile() -> None:
    """To within what 4,000 draws can tell."""
    lengths = drawn(median=100, p95=400)
    assert median(lengths) == pytest.approx(100, rel=0.06)
    assert quantiles(lengths, n=20)[-1] == pytest.approx(400, rel=0.1)


def test_what_is_longer_than_the_longest_is_cut() -> None:
    """And nothing is shorter than one token."""
    assert max(drawn(median=100, p95=400, max=300)) == 300
    assert min(drawn(median=1, p95=50)) == 1


def request(index: int, **said: Any) -> tuple[int, int]:
    profile = LoadProfile.model_validate({"name": "x", "rate": "1/s", **said})
    return size(profile, TRACE, f"5:{index}")


def test_both_lengths_of_a_trace_are_of_one_request() -> None:
    """Long prompts keep their long answers; every request of the trace is drawn."""
    assert {request(index, tokens={"trace": "conv"}) for index in range(100)} == {(10, 1), (20, 2), (30, 3)}


def test_prompt_and_answer_are_drawn_apart() -> None:
    """Equal forms do not make equal numbers."""
    both = {"min": 1, "max": 1000}
    found = [request(index, tokens={"prompt": both, "output": both}) for index in range(50)]
    assert any(prompt != output for prompt, output in found)
    assert found == [request(index, tokens={"prompt": both, "output": both}) for index in range(50)]


def test_answers_are_cut_where_the_profile_says_so() -> None:
    """Prompts are cut later, when all that is in front of them is known."""
    assert request(0, tokens={"prompt": 500, "output": 500}, max_output=64, max_prompt=100) == (500, 64)
    assert request(0, tokens={"prompt": 500, "output": 5}, max_output=64) == (500, 5)
