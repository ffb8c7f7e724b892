"""An SLO as text and as promises, and back."""

from __future__ import annotations

import pytest

from infra.objective import Objective
from loadtests.search.criterion import Criterion, SloError, criteria, criterion, thresholds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ttft p99 < 500ms", Criterion("ttft", 0.99, 0.5)),
        ("itl p99.9<=25ms", Criterion("itl", 0.999, 0.025)),
        (" e2e  p50 < 2.5s ", Criterion("e2e", 0.5, 2.5)),
        ("goodput >= 99%", Criterion("goodput", 0.99)),
        ("ok >= 0.995", Criterion("ok", 0.995)),
    ],
)
def test_people_write_an_slo_as_they_say_it(text: str, found: Criterion) -> None:
    """And its label is read back as the same."""
    assert criterion(text) == found == criterion(found.label)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ttft p99", "write one such as"),
        ("latency p99 < 1s", "write one such as"),
        ("ttft p99 > 1s", "write one such as"),
        ("ttft p99 < 500", "write a duration"),
        ("ttft p99 < 0s", "kept by nobody"),
        ("ttft p100 < 1s", "between 0 and 100 %"),
        ("goodput >= 100%", "between 0 and 100 %"),
        ("ok >= 1", "1 could mean 1% or 100%"),
        ("", "write one such as"),
    ],
)
def test_a_slip_is_told_with_what_would_be_right(text: str, said: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(SloError, match="--slo") as error:
        criterion(text)
    assert said in str(error.value)


def test_without_an_slo_the_objectives_of_the_service_hold() -> None:
    """As far as a client sees them: the queue inside an engine is not seen."""
    objectives = [
        Objective.model_validate({"sli": "availability", "target": "99.5%"}),
        Objective.model_validate({"sli": "ttft", "target": "99%", "threshold": "250ms"}),
        Objective.model_validate({"sli": "itl", "target": "99%", "threshold": "25ms"}),
        Objective.model_validate({"sli": "queue", "target": "99%", "threshold": "300ms"}),
    ]
    found = (Criterion("ok", 0.995), Criterion("ttft", 0.99, 0.25), Criterion("tpot", 0.99, 0.025))
    assert criteria([], objectives) == found
    with pytest.raises(SloError, match="promises nothing that a client sees"):
        criteria([], objectives[3:])


def test_failures_are_never_left_out() -> None:
    """Who refuses everybody keeps every latency."""
    assert criteria(["itl p99 < 25ms"], []) == (Criterion("itl", 0.99, 0.025), Criterion("ok", 0.99))
    assert criteria(["itl p99 < 25ms", "goodput >= 90%"], [])[1:] == (Criterion("goodput", 0.9),)


def test_goodput_goes_by_the_strictest_thresholds() -> None:
    """Under the names that an order has: its itl is held against TPOT."""
    texts = ["ttft p50 < 200ms", "ttft p99 < 1s", "tpot p99 < 30ms", "ok >= 99%"]
    assert thresholds(criteria(texts, [])) == {"ttft": 0.2, "itl": 0.03}
