"""The search for a capacity: on services that are known, and on all that are monotone."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.report.verdict import Verdict
from loadtests.search.answer import Answer, answer
from loadtests.search.criterion import criteria
from loadtests.search.decision import REST, TRIES, Rule, Send, Stop, decide
from loadtests.search.finding import Result
from loadtests.search.plan import Plan, planned
from loadtests.search.probe import Probe, judged
from tests.loadtests.search import engines
from tests.loadtests.search.erlang import Service
from tests.loadtests.search.test_standing import probe

PLAN = Plan(start=10, up_to=1000, seconds=20, longest=180, budget=1200)
Ask = Callable[[Send, int], Probe]


def search(plan: Plan, ask: Ask) -> tuple[list[Probe], Stop]:
    """All probes, and why there were no more."""
    probes = list[Probe]()
    while isinstance(decision := decide(plan, probes), Send):
        found = ask(decision, len(probes))
        probes.append(found.model_copy(update={"rest": decision.rest, "recovery": decision.recovery}))
    return probes, decision


def told(probes: list[Probe], stop: Stop) -> Answer:
    """The answer of a search."""
    return answer(probes, stop, service="s", region="r", profile="p", slo=[])


def exact(truth: float, harm: float = math.inf) -> Ask:
    """A service without noise; from `harm` times its capacity on it is damaged."""

    def ask(wanted: Send, number: int) -> Probe:
        damage = ("it fell over",) if wanted.rate > harm * truth else ()
        return probe(wanted.rate, "+" if wanted.rate <= truth else "-", wanted.seconds, damage=damage)

    return ask


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_capacity_of_a_known_service_is_found(seed: int) -> None:
    """M/M/16 in virtual time; Erlang's formula is the truth. Inside the bracket, or within 10 % of an end of it."""
    slo, service = criteria(["ttft p99 < 250ms"], []), Service(servers=16, pace=10.0)
    plan = planned(slo, start=10, up_to=1000, seconds=20, budget=1200)

    def ask(wanted: Send, number: int) -> Probe:
        run = service.run(wanted.rate, wanted.seconds, 1000 * seed + number)
        return judged(run, slo, plan.alpha, wanted.rate)

    found, truth = told(*search(plan, ask)), service.capacity(0.25, 0.99)
    assert found.low is not None and found.high is not None and found.estimate is not None
    assert found.low / 1.1 <= truth <= found.high * 1.1
    assert found.estimate == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_capacity_of_simulated_servers_is_found(seed: int) -> None:
    """The engines of the local region in virtual time, at a knee that is a queue's: by one curve, to 10 %."""
    slo = criteria(["ttft p95 < 250ms", "ok >= 95%"], [])
    plan = planned(slo, start=10, up_to=60, seconds=10, budget=900)

    def ask(wanted: Send, number: int) -> Probe:
        return judged(engines.run(wanted.rate, wanted.seconds, 1000 * seed + number), slo, plan.alpha, wanted.rate)

    found = told(*search(plan, ask))
    assert found.found and found.interval is not None and found.estimate is not None
    assert found.interval[1] <= plan.bracket * found.interval[0]
    assert found.interval[0] <= engines.CAPACITY <= found.interval[1]
    assert found.estimate == pytest.approx(engines.CAPACITY, rel=0.05)


def test_the_capacity_of_simulated_servers_is_what_is_said() -> None:
    """A tenth below it, half of what may be late is; a tenth above it, twice as much."""
    below, above = (engines.late(factor * engines.CAPACITY, 300) for factor in (0.9, 1.1))
    assert below < (1 - engines.SHARE) / 2 and above > 2 * (1 - engines.SHARE)


@pytest.mark.parametrize(
    ("truth", "harm"), [(0.3, math.inf), (7.0, 1.0), (10.0, 1.5), (33.0, 1.0), (500.0, 1.5), (999.0, math.inf)]
)
def test_without_noise_every_capacity_is_found(truth: float, harm: float) -> None:
    """Below the first rate and far above it, damaged by much or by little."""
    probes, stop = search(PLAN, exact(truth, harm))
    found = told(probes, stop)
    assert stop.rule is Rule.BRACKET, stop
    assert found.low is not None and found.high is not None
    assert found.low <= truth < found.high <= 1.1 * found.low
    assert found.lasted == PLAN.longest


@settings(max_examples=300)
@given(truth=st.floats(0.5, 3000), width=st.floats(1.0, 2.0), harm=st.floats(1.2, 4), data=st.data())
def test_a_bracket_holds_the_truth_whatever_the_noise(
    truth: float, width: float, harm: float, data: st.DataObject
) -> None:
    """Near the capacity a probe may tell nothing and lean anywhere. Never more probes, time or load than allowed."""

    def ask(wanted: Send, number: int) -> Probe:
        right = "+" if wanted.rate <= truth else "-"
        near = 1 / width < wanted.rate / truth < width
        sign = data.draw(st.sampled_from([right, "?", "!"])) if near else right
        damage = ("it fell over",) if sign == "-" and wanted.rate > harm * truth else ()
        return probe(wanted.rate, sign, wanted.seconds, damage=damage)

    probes, stop = search(PLAN, ask)
    found = told(probes, stop)
    assert (found.low or 0) <= truth < (found.high or math.inf)
    assert len(probes) <= PLAN.probes
    assert sum(one.seconds + one.rest for one in probes) <= PLAN.budget * 1.05
    assert all(one.rate <= PLAN.up_to and one.seconds <= PLAN.longest for one in probes)
    if stop.rule is Rule.BRACKET:
        assert found.bracket is not None and found.bracket <= 0.1001


@settings(max_examples=200)
@given(truth=st.floats(5, 800), data=st.data())
def test_luck_in_short_runs_is_not_an_answer(truth: float, data: st.DataObject) -> None:
    """Up to 30 % too much may be met for a while: where a rate is found, it was met for the longest time too."""

    def ask(wanted: Send, number: int) -> Probe:
        lucky = wanted.seconds < PLAN.longest and truth < wanted.rate < 1.3 * truth
        sign = data.draw(st.sampled_from("+-")) if lucky else ("+" if wanted.rate <= truth else "-")
        return probe(wanted.rate, sign, wanted.seconds)

    found = told(*search(PLAN, ask))
    if found.found:
        assert found.low is not None and found.low <= truth


def test_after_damage_the_next_probe_rests_and_goes_down() -> None:
    """And the search goes on below what did it, once the service is well."""
    hurt = [probe(40, "+"), probe(80, "-", damage=("it fell over",))]
    recovery = decide(PLAN, hurt)
    assert recovery == Send(20, 20, rest=REST, recovery=True)
    after = decide(PLAN, [*hurt, probe(20, "+", recovery=True)])
    assert isinstance(after, Send) and 40 < after.rate < 80 and not after.recovery


def test_a_service_that_stays_damaged_is_left_alone() -> None:
    """Each try is less load after a longer rest, and there are few."""
    probes, stop = search(PLAN, lambda wanted, number: probe(wanted.rate, "-", damage=("it fell over",)))
    assert stop.rule is Rule.DAMAGE and "did not recover" in stop.why
    assert [one.rest for one in probes] == [0, *(REST * 2**n for n in range(TRIES))]
    assert [one.rate for one in probes] == sorted((one.rate for one in probes), reverse=True)


def test_a_client_at_its_limit_stops_the_search_at_once() -> None:
    """It says whose limit it is, and keeps what was shown before."""
    reasons = ("the client's one core was 97% busy",)
    invalid = probe(20, "?", client=Verdict.INVALID, reasons=reasons)
    stop = decide(PLAN, [probe(10, "+"), invalid])
    assert stop == Stop(Rule.CLIENT, "the client is the limit, not the service: the client's one core was 97% busy")
    assert told([probe(10, "+"), invalid], stop).low == 10


def test_a_rate_that_leans_bad_is_sent_for_longer_before_more_is_sent() -> None:
    """One that leans good is believed until the end."""
    assert decide(PLAN, [probe(10, "!")]) == Send(10, 60)
    assert decide(PLAN, [probe(10, "?")]) == Send(20, 20)
    assert decide(PLAN, [probe(10, "!"), probe(10, "!", 60)]) == Send(10, 180)


def test_nothing_beyond_the_last_rate_is_sent() -> None:
    """Met there for long, it is an answer; not told there, it is none, and says how many requests it takes."""
    plan = Plan(start=10, up_to=15, seconds=20, longest=180, budget=1200, samples=5000)
    assert search(plan, exact(100))[1].rule is Rule.CEILING
    probes, stop = search(plan, lambda wanted, number: probe(wanted.rate, "?", wanted.seconds))
    assert (stop.rule, probes[-1].seconds) == (Rule.UNKNOWN, 180)
    assert stop.why == "180 s at 15/s tell nothing; it takes 5000 requests"


def test_a_service_that_meets_it_at_no_rate_is_told() -> None:
    """The search ends some steps down."""
    probes, stop = search(PLAN, lambda wanted, number: probe(wanted.rate, "-", wanted.seconds))
    assert (stop.rule, len(probes)) == (Rule.NONE, 7)


@pytest.mark.parametrize(("budget", "probes"), [(1200, 3), (50, 24)])
def test_a_budget_is_kept(budget: float, probes: int) -> None:
    """In time and in probes."""
    plan = Plan(start=10, up_to=1000, seconds=20, longest=180, budget=budget, probes=probes)
    done, stop = search(plan, exact(500))
    assert stop.rule is Rule.BUDGET
    assert len(done) <= probes and sum(one.seconds for one in done) <= budget


def test_where_no_run_is_long_enough_the_search_steps_away_and_says_so() -> None:
    """10 % around the capacity nothing is told: the bracket becomes as narrow as it can, and no narrower."""

    def ask(wanted: Send, number: int) -> Probe:
        off = wanted.rate / 100
        return probe(wanted.rate, "+" if off < 0.9 else "-" if off > 1.1 else "?" if off < 1 else "!", wanted.seconds)

    plan = Plan(start=10, up_to=1000, seconds=20, longest=180, budget=10_000, probes=100)
    found = told(*search(plan, ask))
    assert found.rule is Rule.UNKNOWN
    assert found.low == pytest.approx(90, rel=0.04) and found.high == pytest.approx(110, rel=0.04)


def test_results_are_three() -> None:
    """Their words are what reports show."""
    assert [one.value for one in Result] == ["meets", "violates", "cannot tell"]
