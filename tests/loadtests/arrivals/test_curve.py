"""A rate curve turned around: the time at which so many requests are due, exactly, at every rate and in every round."""

from __future__ import annotations

from itertools import pairwise
from math import pi, sin
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.load_profile import LoadProfile
from infra.rate_curve import Diurnal
from loadtests.arrivals.curve import Curve, Day, Rows, Stretch, curve_of

DAY = Diurnal.model_validate({"trough": "30/s", "peak": "120/s", "period": "4m"})
ROWS = (Stretch(10, 5, 1), Stretch(10, 0, 2), Stretch(20, 10, 3))  # 50 requests, a pause, 200 requests


def curve(rates: tuple[Stretch, ...] = (), **said: Any) -> Curve:
    whole = {"name": "x", "tokens": {"prompt": 5, "output": 5}, **said}
    return curve_of(LoadProfile.model_validate(whole), rates)


def due_by(at: float) -> float:
    """Requests of DAY until `at`, by the integral of its cosine."""
    return 75 * at - 45 * 240 / (2 * pi) * sin(2 * pi * at / 240)


@given(at=st.floats(0, 10_000))
def test_a_day_is_turned_around_exactly(at: float) -> None:
    """To a microsecond, over many rounds."""
    assert Day(DAY, 1.0).when(due_by(at)) == pytest.approx(at, abs=1e-6)


@pytest.mark.parametrize("peak", ["30.000001/s", "120/s", "30000/s"])
def test_a_day_of_any_steepness_is_turned_around(peak: str) -> None:
    """Half of a period's requests are due at its middle, and all at its end."""
    day = Diurnal.model_validate({"trough": "30/s", "peak": peak, "period": "1d"})
    total = day.mean * day.period
    found = [Day(day, 1.0).when(total * part) for part in (0, 0.5, 1)]
    assert found == pytest.approx([0, 43200, 86400], abs=1e-6)


@given(trough=st.floats(1e-6, 10), swing=st.floats(1e-6, 1e5), part=st.floats(0, 1))
def test_a_day_of_any_shape_is_turned_around(trough: float, swing: float, part: float) -> None:
    """What is due by the time that is found is what was asked for."""
    day = Diurnal.model_construct(trough=trough, peak=trough + 2 * swing, period=86400.0)
    asked = part * day.mean * day.period
    at = Day(day, 1.0).when(asked)
    due = day.mean * at - swing * day.period / (2 * pi) * sin(2 * pi * at / day.period)
    assert due == pytest.approx(asked, abs=1e-9 * (trough + 2 * swing) + 1e-12 * day.mean * day.period)


@pytest.mark.parametrize(
    ("count", "at"), [(0, 0), (25, 5), (49, 9.8), (50, 20), (150, 30), (249, 39.9), (250, 40), (300, 60), (350, 65)]
)
def test_rows_follow_each_other_and_begin_again(count: float, at: float) -> None:
    """What is due at the beginning of a pause is due at its end."""
    assert Rows(ROWS).when(count) == pytest.approx(at)


@pytest.mark.parametrize(("count", "cv"), [(0, 1), (49.9, 1), (50, 3), (249, 3), (250, 1)])
def test_each_row_has_its_own_variation(count: float, cv: float) -> None:
    """A pause has none, because nothing is sent in it."""
    assert Rows(ROWS).cv(count) == cv


@given(counts=st.lists(st.floats(0, 1e6), min_size=2, max_size=20).map(sorted))
def test_time_never_goes_back(counts: list[float]) -> None:
    """For rows and days."""
    for one in (Rows(ROWS), Day(DAY, 1.0), Rows((Stretch(float("inf"), 7, 1),))):
        times = [one.when(count) for count in counts]
        assert all(later >= sooner - 1e-9 for sooner, later in pairwise(times))


def test_a_step_goes_up_and_down_again() -> None:
    """10/s for 30 s, 100/s for 60 s, 10/s for good."""
    step = curve(step={"base": "10/s", "factor": "10x", "at": "30s", "for": "60s", "window": "10s"})
    assert [step.when(count) for count in (299, 300, 400, 6300, 6400, 1_006_300)] == pytest.approx(
        [29.9, 30, 31, 90, 100, 100_090]
    )


@pytest.mark.parametrize(
    ("said", "cv"),
    [
        ({"rate": "5/s"}, 1),
        ({"rate": "5/s", "arrivals": "constant"}, 0),
        ({"rate": "5/s", "arrivals": "poisson"}, 1),
        ({"rate": "5/s", "arrivals": "gamma", "cv": 4}, 4),
        ({"diurnal": {"trough": "1/s", "peak": "3/s"}, "arrivals": "gamma", "cv": 4}, 4),
        ({"diurnal": {"trough": "1/s", "peak": "3/s"}}, 1),
        ({"curve": [{"for": "1s", "rate": "1/s", "cv": 2.5}]}, 2.5),
    ],
    ids=str,
)
def test_gaps_vary_as_the_profile_says(said: dict[str, Any], cv: float) -> None:
    """By chance, if it says nothing."""
    assert curve(**said).cv(7.0) == cv


def test_recorded_rates_are_scaled_to_a_mean_and_pass_faster() -> None:
    """40 s with 250 requests become 4 s with 400 at a mean of 100/s; the shape stays."""
    fast = curve(ROWS, trace="servegen", rate="100/s", speed="10x")
    assert [fast.when(count) for count in (0, 79.9, 80, 240, 400)] == pytest.approx([0, 0.99875, 2, 3, 4])
    assert fast.cv(100) == 3
    assert curve(ROWS, trace="servegen", rate="100/s").when(4000) == pytest.approx(40)
