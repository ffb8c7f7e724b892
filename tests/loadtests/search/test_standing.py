"""What several probes show together."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.report.verdict import Verdict
from loadtests.search.finding import Result
from loadtests.search.probe import Probe
from loadtests.search.standing import stand

RESULTS = {
    "+": (Result.MEETS, True),
    "-": (Result.VIOLATES, False),
    "?": (Result.UNKNOWN, True),
    "!": (Result.UNKNOWN, False),
}


def probe(rate: float, sign: str, seconds: float = 20.0, **more: object) -> Probe:
    """+ met, - violated, ? leans good, ! leans bad."""
    result, good = RESULTS[sign]
    return Probe.model_validate({"rate": rate, "seconds": seconds, "result": result, "leans_good": good, **more})


@pytest.mark.parametrize(
    ("probes", "low", "high", "leaning"),
    [
        ([], 0, math.inf, (0, math.inf)),
        ([(10, "+"), (20, "+"), (40, "-"), (80, "-")], 20, 40, (20, 40)),
        ([(10, "?"), (20, "!"), (40, "-")], 0, 40, (10, 20)),
        ([(10, "?"), (20, "+")], 20, math.inf, (20, math.inf)),
        ([(20, "!"), (20, "?", 60)], 0, math.inf, (20, math.inf)),
        ([(20, "+"), (20, "-", 60)], 0, 20, (0, 20)),
        ([(20, "+"), (15, "!", 60)], 0, math.inf, (0, 15)),
        ([(20, "+"), (15, "?", 60)], 20, math.inf, (20, math.inf)),
        ([(20, "-"), (20, "+", 60)], 20, math.inf, (20, math.inf)),
        ([(20, "-"), (25, "?", 60)], 0, math.inf, (25, math.inf)),
        ([(20, "+", 20), (15, "-", 20)], 0, 15, (0, 15)),
    ],
)
def test_a_longer_run_overrules_a_shorter_one(
    probes: list[tuple[float, str]], low: float, high: float, leaning: tuple[float, float]
) -> None:
    """Where they are as long, what was broken counts."""
    found = stand([probe(*one) for one in probes])
    assert (found.low, found.high, (found.leaning_low, found.leaning_high)) == (low, high, leaning)


def test_a_service_that_is_not_well_says_nothing_of_its_capacity() -> None:
    """Nor does a client that was the limit."""
    found = stand([probe(10, "+"), probe(10, "-", 60, recovery=True), probe(5, "-", client=Verdict.INVALID)])
    assert (found.low, found.high, found.lasted) == (10, math.inf, 20)


@given(st.lists(st.builds(probe, st.floats(1, 100), st.sampled_from("+-?!"), st.sampled_from([20.0, 60.0, 180.0]))))
def test_what_is_known_never_contradicts_itself(probes: list[Probe]) -> None:
    """Whatever was seen: the ends and the leanings are in order, and all that is not known lies between."""
    found = stand(probes)
    assert found.low <= found.leaning_low <= found.leaning_high <= found.high
    assert found.low < found.high
    assert all(found.low < rate < found.high for rate in found.unknown)
