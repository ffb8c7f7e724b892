"""Goodput is what was ok and fast enough, of all that was sent."""

from __future__ import annotations

import pytest

from loadtests.order import Slo
from loadtests.report.goodput import good, mean_itl
from loadtests.wire.outcome import ENDED_EARLY, OK, REFUSED, Outcome
from tests.loadtests.report.made import SLO, sample


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ({}, True),
        ({"ttft": 0.25}, True),
        ({"ttft": 0.2501}, False),
        ({"e2e": 2.6}, False),
        ({"tpot": 0.026}, False),
        ({"tpot": 0.004, "gaps": (0.064, 0.064)}, True),
        ({"tpot": None, "gaps": (0.01, 0.05)}, False),
        ({"tpot": None, "gaps": (0.001, 0.045)}, True),
        ({"tpot": None, "gaps": ()}, True),
        ({"ttft": None, "tpot": None, "e2e": None, "gaps": ()}, True),
    ],
)
def test_every_threshold_must_be_kept(how: dict[str, object], kept: bool) -> None:
    """At it is kept; of gaps the mean by tokens counts; what an answer does not have breaks nothing."""
    assert good(sample(**how), SLO) is kept


@pytest.mark.parametrize("outcome", [ENDED_EARLY, REFUSED, Outcome("http_429"), Outcome("http_503")])
def test_what_is_not_ok_is_never_good(outcome: Outcome) -> None:
    """However fast it failed, and whether there is an SLO or not."""
    assert not good(sample(outcome), SLO)
    assert not good(sample(outcome), None)


def test_without_thresholds_ok_is_good() -> None:
    """No SLO, or one that says nothing."""
    assert good(sample(OK, ttft=99.0), None)
    assert good(sample(OK, ttft=99.0), Slo())


def test_one_token_has_no_time_between_tokens() -> None:
    """Not zero, which would be the best of all."""
    assert mean_itl(sample(tpot=None, gaps=())) is None
    assert mean_itl(sample(tpot=None, gaps=(0.01, 0.03))) == pytest.approx(0.02)
