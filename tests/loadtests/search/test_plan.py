"""The limits of a search."""

from __future__ import annotations

import pytest

from infra.errors import InvalidInput
from loadtests.search.criterion import criteria
from loadtests.search.plan import PROBES, planned

SLO = criteria(["ttft p99 < 500ms"], [])


def test_a_plan_is_so_strict_that_all_its_probes_are_right_together() -> None:
    """95 % over all probes and criteria, at either end of each interval."""
    plan = planned(SLO, start=10, up_to=100, seconds=20, budget=600)
    assert plan.alpha == pytest.approx(2 * 0.05 / (PROBES * 2))
    assert (plan.longest, plan.bracket) == (180.0, 1.1)
    assert 1_000 < plan.samples < 3_000  # a tail of 1 % wants some hundred times as many, and some more to be sure


@pytest.mark.parametrize(("start", "budget", "said"), [(101, 600, "--from"), (10, 19, "--budget")])
def test_a_plan_without_room_is_refused(start: float, budget: float, said: str) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInput, match=said):
        planned(SLO, start=start, up_to=100, seconds=20, budget=budget)
