"""What of a load profile a search sends."""

from __future__ import annotations

from typing import Any

import pytest

from infra.errors import InvalidInput
from infra.load_profile import LoadProfile
from loadtests.search.traffic import stationary

LENGTHS = {"prompt": 512, "output": 128}


def profile(**values: Any) -> LoadProfile:
    """A load profile called p."""
    return LoadProfile.model_validate({"name": "p", **values})


@pytest.mark.parametrize(
    "given",
    [
        {"trace": "conv", "rate": "120/s"},
        {"trace": "code", "speed": "10x", "max_output": 64},
        {"diurnal": {"trough": "30/s", "peak": "120/s", "period": "6m"}, "tokens": LENGTHS},
        {"step": {"base": "10/s", "factor": "10x", "at": "30s", "for": "1m", "window": "10s"}, "tokens": LENGTHS},
        {"curve": [{"for": "50s", "rate": "20/s"}], "tokens": LENGTHS},
        {"trace": "servegen", "rate": "60/s", "tokens": LENGTHS},
    ],
)
def test_what_has_no_rate_of_its_own_comes_by_chance(given: dict[str, Any]) -> None:
    """With its lengths and limits; so its mean is what was asked for, in every minute."""
    found = stationary(profile(**given)).at(50)
    assert (found.trace, found.diurnal, found.step, found.curve, found.mean) == (None, None, None, None, 50)
    assert found.tokens is not None and found.max_output == given.get("max_output")


@pytest.mark.parametrize(
    "given",
    [
        {"rate": "30/s", "arrivals": "gamma", "cv": 2, "tokens": LENGTHS},
        {"rate": "30/s", "tokens": LENGTHS, "turns": {"count": 4, "pause": "10s"}},
        {"trace": "mooncake", "rate": "5/s"},
    ],
)
def test_what_is_steady_or_has_prompts_in_common_stays_as_it_is(given: dict[str, Any]) -> None:
    """Bursts by cv are the same at all times; shared blocks are only in the recording."""
    assert stationary(profile(**given)) == profile(**given)


def test_a_closed_loop_has_no_rate_to_search() -> None:
    """It is told, with where others are."""
    with pytest.raises(InvalidInput, match="closed loop"):
        stationary(profile(closed={"streams": 16}, tokens=LENGTHS))
