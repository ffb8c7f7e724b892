"""Which answers count and which are bad: one table, without a Prometheus."""

from __future__ import annotations

import pytest

from cli.rollouts.counter import Series
from cli.rollouts.evidence import Count
from cli.rollouts.tally import answered, errors, exceedances, strangers


def grown(more: float, **labels: str) -> tuple[Series, tuple[float, ...]]:
    return Series({"arm": "canary", **labels}, (), ()), (more,)


@pytest.mark.parametrize(
    ("labels", "count"),
    [
        ({"code": "200"}, Count(17, 0)),
        ({"code": "400"}, Count(17, 0)),
        ({"code": "429"}, Count(10, 0)),
        ({"code": "429", "flags": "RL"}, Count(10, 0)),
        ({"code": "429", "flags": "UO"}, Count(17, 7)),
        ({"code": "500"}, Count(17, 7)),
        ({"code": "503"}, Count(17, 7)),
        ({"code": "200", "flags": "UC"}, Count(17, 7)),
        ({"code": "0", "flags": "DC"}, Count(10, 0)),
        ({"code": "0", "flags": "UC,DC"}, Count(10, 0)),
    ],
    ids=str,
)
def test_an_answer_is_good_or_bad_or_does_not_count(labels: dict[str, str], count: Count) -> None:
    """Beside ten good ones: admission and clients that left are in no count; failures upstream and an arm that is full
    are bad answers."""
    assert errors([grown(10, code="200"), grown(7, **labels)], [], 1)["canary"] == [count]


def test_what_engine_and_clients_saw_is_bad_and_no_answer_more() -> None:
    """Their status was 200, so Envoy counted them among its answers."""
    assert errors([grown(10, code="200")], [grown(2), grown(1)], 1)["canary"] == [Count(10, 3)]


def test_a_failure_that_envoy_did_not_count_yet_is_not_lost() -> None:
    """It is scraped at another moment: the total is never below the bad ones."""
    assert errors([], [grown(2)], 1)["canary"] == [Count(2, 2)]


def test_exceedances_are_what_no_bucket_below_the_threshold_holds() -> None:
    found = exceedances([grown(10, le="+Inf"), grown(8, le="0.25"), grown(5, le="+Inf", arm="baseline")], 1)
    assert (found["canary"], found["baseline"], found["stable"]) == ([Count(10, 2)], [Count(5, 5)], [Count(0, 0)])


def test_an_arm_that_is_silent_or_runs_something_else_is_named() -> None:
    """A scrape in vain is no sign of life."""
    up = [Series({"arm": "canary", "release": "v2"}, (1.0, 9.0), (1.0, 0.0))]
    assert strangers({"canary": "v2"}, up, 9.0, 3.5) == ""
    assert (
        strangers({"canary": "v2"}, [answered(one) for one in up], 9.0, 3.5) == "no fresh sample of the canary replicas"
    )
    assert strangers({"canary": "v3"}, up, 9.0, 3.5) == "the canary replicas run v2, not v3"
