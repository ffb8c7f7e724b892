"""A load profile says once when requests come and how long they are; what it says wrong is in the table of slips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.fleet import load_fleet
from infra.load_profile import LoadProfile, read_profile, recorded
from infra.yamlfile.problem import SourceError
from infra.yamlfile.source import parse, read

SIZES: dict[str, Any] = {"tokens": {"prompt": 512, "output": 64}}


def profile(**said: Any) -> LoadProfile:
    return LoadProfile.model_validate({"name": "x"} | said)


# What a profile says, its mean rate, and what it says when that is to be 100/s.
MEANS: list[tuple[dict[str, Any], float | None, dict[str, Any]]] = [
    ({"trace": "conv", "rate": "10/s"}, 10, {"trace": "conv", "rate": "100/s"}),
    ({"trace": "conv", "speed": "10x"}, None, {"trace": "conv", "rate": "100/s"}),
    (
        {"trace": "servegen", "rate": "10/s", "speed": "144x", **SIZES},
        10,
        {"trace": "servegen", "rate": "100/s", "speed": "144x", **SIZES},
    ),
    ({"rate": "10/s", **SIZES}, 10, {"rate": "100/s", **SIZES}),
    (
        {"rate": "10/s", "arrivals": "gamma", "cv": 2, **SIZES},
        10,
        {"rate": "100/s", "arrivals": "gamma", "cv": 2, **SIZES},
    ),
    (
        {"diurnal": {"trough": "20/s", "peak": "80/s"}, **SIZES},
        50,
        {"diurnal": {"trough": "40/s", "peak": "160/s"}, **SIZES},
    ),
    (
        {"step": {"base": "10/s", "factor": "10x", "at": "1m", "for": "1m", "window": "10s"}, **SIZES},
        10,
        {"step": {"base": "100/s", "factor": "10x", "at": "1m", "for": "1m", "window": "10s"}, **SIZES},
    ),
    (
        {"curve": [{"for": "30s", "rate": "20/s"}, {"for": "10s", "rate": "80/s", "cv": 3}], **SIZES},
        35,
        {"curve": [{"for": "30s", "rate": "40/s"}, {"for": "10s", "rate": "160/s", "cv": 3}], **SIZES},
    ),
]


@pytest.mark.parametrize(("said", "mean", "_"), MEANS, ids=str)
def test_a_profile_knows_its_mean_rate(said: dict[str, Any], mean: float | None, _: dict[str, Any]) -> None:
    """A step's is its base; the trace's own pace is known to the trace alone."""
    assert profile(**said).mean == mean


@pytest.mark.parametrize(("said", "mean", "wanted"), MEANS, ids=str)
def test_the_same_traffic_can_have_another_rate(said: dict[str, Any], mean: float, wanted: dict[str, Any]) -> None:
    """Everything grows by one factor, and nothing else changes."""
    at = 70.0 if "curve" in said else 100.0
    assert profile(**said).at(at) == profile(**wanted)


def test_a_closed_loop_has_no_rate() -> None:
    """Nor can it be given one."""
    closed = profile(closed={"streams": 4}, **SIZES)
    assert closed.mean is None
    with pytest.raises(ValueError, match="x is a closed loop and has no rate"):
        closed.at(5.0)


@pytest.mark.parametrize(
    ("trace", "has"),
    [
        (None, "nothing"),
        ("conv", "requests"),
        ("mooncake", "requests"),
        ("servegen", "rates"),
        ("./my.csv", "requests"),
        ("../x/my.jsonl", "requests"),
        ("/data/my.rates.csv", "rates"),
    ],
)
def test_the_name_of_a_trace_says_what_it_has(trace: str | None, has: str) -> None:
    """So that a profile can be checked without reading it."""
    assert recorded(trace) == has


def test_a_trace_file_is_found_from_the_profile() -> None:
    """Relative paths begin where the profile is; ours and absolute ones stay."""
    folder = Path("/data/profiles")
    traces = ["conv", "./my.csv", "/other/my.csv"]
    found = [profile(trace=trace, rate="1/s").beside(folder).trace for trace in traces]
    assert found == ["conv", "/data/profiles/my.csv", "/other/my.csv"]
    assert profile(rate="1/s", **SIZES).beside(folder).trace is None


def test_a_profile_may_be_a_file_of_its_own(tmp_path: Path) -> None:
    """The same keys as in the fleet file."""
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\ntrace: code\nspeed: 2x\n")
    assert read_profile(read(file)) == profile(name="mine", trace="code", speed="2x")


def test_a_profile_of_its_own_is_refused_with_line_and_column() -> None:
    """As in the fleet file."""
    with pytest.raises(SourceError) as caught:
        read_profile(parse("mine.yaml", "name: mine\ntrace: code\nspeed: 2x\nclosed:\n  streams: 4\n"))
    assert str(caught.value) == "mine.yaml:5:3: closed: trace says already when requests come; keep one of them"
    assert caught.value.not_done == "no load was started"


@pytest.mark.parametrize("fleet", ["demo", "atlas"])
def test_the_fleets_that_ship_have_the_acceptance_profiles(fleet: str) -> None:
    """A day with four times its trough, ten times the base over a window, an hour in a tenth, and a quiet night."""
    shipped = load_fleet(fleet)
    day = shipped.load_profile("evening-peak").diurnal
    step = shipped.load_profile("step10x").step
    hour, night = shipped.load_profile("azure-hour"), shipped.load_profile("overnight-trough")
    assert day is not None
    assert day.peak == 4 * day.trough == 4 * (night.rate or 0)
    assert step is not None
    assert (step.factor, step.lasting >= step.window > 0) == (10, True)
    assert (hour.trace, hour.speed) == ("conv", 10)
