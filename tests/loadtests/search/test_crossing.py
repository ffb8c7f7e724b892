"""One curve through all probes: where it falls through the target, and when it says nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadtests.report.verdict import Verdict
from loadtests.search.crossing import crossing
from loadtests.search.finding import Finding, Result
from loadtests.search.probe import Probe

TARGET, SLOPE = 0.95, -10.0
NAME = "ttft p95 < 250ms"
RISING = [(36.0, (955, 1000)), (39.0, (990, 1000)), (40.0, (94, 100))]  # more are good at a higher rate, but for a few


def share(rate: float, capacity: float) -> float:
    """A logistic curve that is at the target at `capacity`."""
    level = math.log(TARGET / (1 - TARGET)) + SLOPE * math.log(rate / capacity)
    return 1 / (1 + math.exp(-level))


def finding(blocks: list[tuple[int, int]], name: str = NAME) -> Finding:
    good, events = (sum(part) for part in zip(*blocks, strict=True))
    return Finding(
        criterion=name,
        target=TARGET,
        events=events,
        share=good / events,
        low=None,
        high=None,
        result=Result.UNKNOWN,
        blocks=tuple(blocks),
    )


def probe(rate: float, *findings: Finding, seconds: float = 90.0, **more: object) -> Probe:
    good = all(one.leans_good for one in findings)
    given = {"rate": rate, "seconds": seconds, "result": Result.UNKNOWN, "leans_good": good, "findings": findings}
    return Probe.model_validate(given | more)


def drawn(rate: float, capacity: float, draw: np.random.Generator, name: str = NAME, moods: float = 100.0) -> Finding:
    """Ten blocks of nine seconds, each in a mood of its own: they differ by more than chance."""
    count, mean = round(9 * rate), share(rate, capacity)
    shares = draw.beta(moods * mean, moods * (1 - mean), 10)
    return finding([(int(draw.binomial(count, one)), count) for one in shares], name)


def seen(capacity: float, seed: int = 1, rates: tuple[float, ...] = (36.0, 38.0, 40.0, 42.0, 44.0)) -> list[Probe]:
    draw = np.random.Generator(np.random.PCG64(seed))
    return [probe(rate, drawn(rate, capacity, draw)) for rate in rates]


def test_what_has_no_noise_is_found_where_it_is() -> None:
    """Between the rates that were sent, to a tenth of a per cent."""
    probes = [probe(rate, finding([(round(1e6 * share(rate, 41.0)), 10**6)] * 10)) for rate in (36, 39, 43, 46)]
    found = crossing(probes)
    assert found is not None and found.rate == pytest.approx(41.0, rel=1e-3)
    assert found.low <= found.rate <= found.high and found.high / found.low < 1.01


def test_the_interval_holds_the_truth() -> None:
    """As often as it says, over many services whose blocks are in moods: 99 of 100 is said of one look."""
    found = [crossing(seen(40.0, seed)) for seed in range(200)]
    told = [one for one in found if one is not None]
    assert len(told) > 190
    assert sum(one.low <= 40.0 <= one.high for one in told) >= 0.97 * len(told)
    assert np.median([one.high / one.low for one in told]) < 1.2


def test_more_of_the_same_makes_it_narrower() -> None:
    """All probes count, also those of the same rate."""
    few, many = (crossing(seen(40.0, rates=(38.0, 42.0) * times)) for times in (2, 8))
    assert few and many and many.high / many.low < few.high / few.low


def test_the_tightest_criterion_decides() -> None:
    """Of two that are broken near there; one that nobody breaks says nothing."""
    draw = np.random.Generator(np.random.PCG64(5))

    def one(rate: float) -> Probe:
        ends = drawn(rate, 44.0, draw, "e2e p95 < 2s"), drawn(rate, 40.0, draw)
        return probe(rate, *ends, finding([(round(rate), round(rate))] * 10, "ok >= 95%"))

    found = crossing([one(rate) for rate in (36.0, 38.0, 40.0, 42.0, 44.0, 46.0)])
    assert found is not None and found.low < 40.0 < found.high < 44.0


@pytest.mark.parametrize(
    "probes",
    [
        [],
        seen(40.0)[:2],
        [probe(40.0, finding([(100, 100)] * 10)), probe(42.0, finding([(100, 100)] * 7 + [(70, 100)] * 3))],
        [one.model_copy(update={"findings": ()}) for one in seen(40.0)],
        [one.model_copy(update={"client": Verdict.INVALID}) for one in seen(40.0)],
        [probe(rate, finding([part] * 10)) for rate, part in RISING],
        [probe(20.0, finding([(99, 100)] * 10)), probe(80.0, finding([(1, 100)] * 10))],
    ],
    ids=["none", "one side", "few that were bad", "nothing was counted", "the client's", "it rises", "far apart"],
)
def test_where_it_cannot_be_told_nothing_is_said(probes: list[Probe]) -> None:
    """A curve is drawn through what is near, on both sides, and falls."""
    assert crossing(probes) is None


@pytest.mark.parametrize(
    "other",
    [
        probe(40.0, finding([(10, 100)] * 10), client=Verdict.INVALID),
        probe(40.0, finding([(10, 100)] * 10), recovery=True, result=Result.VIOLATES),
        probe(10.0, finding([(96, 100)] * 10)),
        probe(90.0, finding([(50, 100)] * 10)),
    ],
    ids=["the client's", "not well yet", "far below", "far above"],
)
def test_what_says_nothing_of_these_rates_moves_nothing(other: Probe) -> None:
    """A curve is as good as what it is drawn through."""
    assert crossing([*seen(40.0), other]) == crossing(seen(40.0)) is not None


def test_short_probes_are_one_block() -> None:
    """Ten pieces of a second each would look as if they were independent, and a queue lasts longer than that."""
    spread = [(round(100 * share(rate, 40.0)), 100) for rate in (38.0, 42.0)]
    long = [probe(rate, finding([part] * 10)) for rate, part in zip((38.0, 42.0), spread, strict=True)]
    uneven = finding([(10, 10)] * 5 + [(8, 10)] * 5)
    short = [probe(40.0, uneven, seconds=9.0)]
    found, whole = crossing([*long, *short]), crossing([*long, probe(40.0, finding([(90, 100)]), seconds=9.0)])
    assert found == whole is not None
