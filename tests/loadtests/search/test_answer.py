"""What a search comes to, in one region and in several."""

from __future__ import annotations

from typing import Any

import pytest

from loadtests.search.answer import Answer, answer, together
from loadtests.search.decision import Rule, Stop
from tests.loadtests.search.test_crossing import seen
from tests.loadtests.search.test_standing import probe

NAMED: dict[str, Any] = {"service": "chat", "region": "a", "profile": "p", "slo": ["ok >= 99%"]}


def found(region: str, low: float | None) -> Answer:
    """An answer whose lower end is `low`."""
    probes = [probe(low, "+")] if low else []
    return answer(probes, Stop(Rule.CEILING, "enough"), **{**NAMED, "region": region})


def test_an_answer_has_both_ends_and_every_probe() -> None:
    """The estimate lies between what leans one way and the other."""
    one = answer([probe(80, "+"), probe(100, "-"), probe(90, "?")], Stop(Rule.BUDGET, "spent"), **NAMED)
    assert (one.low, one.high, one.bracket, one.seconds, one.lasted) == (80, 100, 0.25, 60, 20)
    assert one.estimate == pytest.approx(94.868)
    assert (len(one.probes), one.found, one.why) == (3, False, "spent")


def test_an_answer_may_be_that_nothing_is_known() -> None:
    """No end is made up."""
    one = answer([probe(80, "?")], Stop(Rule.UNKNOWN, "too few"), **NAMED)
    assert (one.low, one.high, one.bracket, one.estimate) == (None, None, None, None)


def test_a_curve_through_all_probes_has_an_interval() -> None:
    """It is what may be counted on where it ended the search; else what single runs showed is."""
    told = {rule: answer(seen(40.0), Stop(rule, "told"), **NAMED) for rule in (Rule.INTERVAL, Rule.BUDGET)}
    one = told[Rule.INTERVAL]
    assert one.interval is not None and one.estimate is not None
    assert one.interval[0] < one.estimate < one.interval[1]
    assert (one.found, one.kept, told[Rule.BUDGET].kept) == (True, one.interval[0], None)


def test_any_one_region_may_be_lost_at_the_sum_of_the_others() -> None:
    """Where each takes over for each: the loss of the largest is the worst."""
    everywhere = {"a": ["b", "c"], "b": ["a", "c"], "c": ["a", "b"]}
    fleet = together([found("a", 100), found("b", 50), found("c", 50)], everywhere)
    assert (fleet.total, fleet.n_minus_1, fleet.worst) == (200, 100, "a")
    assert [one.survivable for one in fleet.losses] == [100, 150, 150]


def test_users_go_only_where_their_data_may() -> None:
    """100 and 50 of one residency group: at two thirds of its 150 the other one is full. Alone, nothing is left."""
    pair = {"a": ["b"], "b": ["a"], "c": []}
    fleet = together([found("a", 100), found("b", 50)], pair)
    assert (fleet.total, fleet.n_minus_1) == (150, 50)
    fleet = together([found("a", 100), found("b", 50), found("c", 50)], pair)
    assert (fleet.n_minus_1, fleet.worst, fleet.losses[2].heirs) == (0, "c", ())


@pytest.mark.parametrize(("reserve", "survivable"), [(50.0, 75.0), (100.0, 150.0), (400.0, 150.0)])
def test_a_region_that_stands_by_adds_nothing_until_another_is_lost(reserve: float, survivable: float) -> None:
    """a and b of 100 and 50 fail over to c alone: it is empty until then, and can take what it can carry."""
    lists = {"a": ["c"], "b": ["c"], "c": []}
    fleet = together([found("a", 100), found("b", 50), found("c", reserve)], lists, standing_by=["c"])
    assert (fleet.total, fleet.standing_by) == (150, ("c",))
    assert [one.lost for one in fleet.losses] == ["a", "b"]
    assert (fleet.n_minus_1, fleet.worst) == (survivable, "a")


def test_a_sum_needs_every_region() -> None:
    """One that was not shown is not counted as nothing."""
    fleet = together([found("a", 100), found("b", None)], {})
    assert (fleet.total, fleet.n_minus_1, fleet.regions) == (None, None, {"a": 100, "b": None})
