"""Costs are sums that a person can check by hand; a price that is not known is in none of them."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure.facts import seen_prices
from infra.blueprint.cpu_pool import CPU_POOLS
from infra.fleet import Fleet
from infra.load_profile import LoadProfile
from infra.preflight.cost import HOURS, Cost, ServiceCost, Span, cost
from infra.preflight.limits import Limits, Price
from infra.preflight.throughput import MEAN_TOKENS, Throughput, throughput
from infra.release import Release, load_release
from infra.simulate import Performance, Simulate
from tests.infra.granted import changed, fleet, limits

DEMO, ATLAS = fleet("demo"), fleet("atlas")
H100 = "Standard_NC40ads_H100_v5"
TRACES = Path(__file__).parents[3] / "loadtests" / "traces"


def near(figure: float, **bounds: Any) -> Any:
    """That figure, but for what floating point leaves of it."""
    return pytest.approx(figure, **bounds)


def releases(of: Fleet) -> dict[str, Release]:
    """The first releases of a fleet."""
    return {service.name: load_release(service.name, service.release) for service in of.services}


def of_service(money: Cost, name: str, region: str) -> ServiceCost:
    """The cost of a service in a region."""
    return next(one for one in money.services if (one.service, one.region) == (name, region))


def test_the_demo_costs_what_its_price_table_says() -> None:
    """2 to 8 x 6.98, 3 to 6 x 0.452 and 3 to 12 x 0.904 an hour."""
    money = cost(DEMO, limits("demo"))
    assert money.hour() == Span(near(13.96 + 1.356 + 2.712), near(55.84 + 2.712 + 10.848))
    assert money.month() == Span(near(13_160.44), near(50_662.00))
    assert not money.unknown


def test_reserved_machines_are_paid_whether_they_run_or_not() -> None:
    """eastus2 of atlas: 4 H100 machines are reserved at 98.32 an hour, 24 at most; its A100s have no known price."""
    hour = cost(ATLAS, limits("atlas")).hour("eastus2")
    cpu = Span(3 * 0.452 + 3 * 0.904, 6 * 0.452 + 12 * 0.904)
    assert hour == Span(near(393.28 + cpu.least), near(2359.68 + cpu.most))


def test_a_pool_that_may_be_empty_is_paid_as_far_as_it_is_reserved() -> None:
    """h200train begins with no machine and has 64 reserved."""
    pool = next(pool for pool in cost(ATLAS).pools if pool.demand.pool == "h200train")
    assert (pool.demand.least, pool.machines, pool.hour) == (0, (64, 64), None)


def test_what_has_no_price_is_in_no_sum_and_is_named() -> None:
    """No price of another region or of another way to buy stands in for it."""
    money = cost(ATLAS, limits("atlas"))
    assert money.hour("japaneast") == Span(0.0, 0.0)
    assert {demand.location for demand in money.unknown if demand.pool == "h100"} == {
        "southcentralus", "swedencentral", "westeurope", "japaneast", "southeastasia",
    }  # fmt: skip
    spot = fleet("demo", ("purpose: serving", "purpose: serving\n        priority: spot\n        spot_serving: true"))
    assert [demand.pool for demand in cost(spot, limits("demo")).unknown] == ["h100"]


def test_without_limits_the_prices_that_ship_with_us_are_taken() -> None:
    """They are the same in eastus2."""
    assert cost(DEMO).month() == cost(DEMO, limits("demo")).month()


PRICES = st.fixed_dictionaries({
    sku: st.decimals("0.01", "200", places=3) for sku in (H100, *(pool.sku for pool in CPU_POOLS))
})  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(PRICES, st.integers(0, 300), st.integers(1, 300))
def test_sums_are_within_a_hundredth_of_a_percent_of_exact_ones(prices: dict[str, Any], least: int, more: int) -> None:
    """Against fractions, for any prices and numbers of machines."""
    of = fleet("demo", ("{min: 2, max: 8}", f"{{min: {least}, max: {least + more}}}"))
    money = cost(of, priced(prices)).month()
    machines = [(H100, least, least + more), *((pool.sku, pool.least, pool.most) for pool in CPU_POOLS)]
    fewest = sum((Fraction(prices[sku]) * few * 730 for sku, few, _ in machines), Fraction())
    most = sum((Fraction(prices[sku]) * many * 730 for sku, _, many in machines), Fraction())
    assert abs(Fraction(money.least) - fewest) * 10_000 <= fewest
    assert abs(Fraction(money.most) - most) * 10_000 <= most


def priced(prices: dict[str, Any]) -> Limits:
    """The demo's limits with these prices."""
    table = {sku: Price(on_demand=float(usd), source="here", confidence="high") for sku, usd in prices.items()}
    return changed(limits("demo"), "eastus2", prices=table)


def test_a_month_has_730_hours() -> None:
    """8,760 hours a year by twelve."""
    assert HOURS == 8760 / 12


# Services


def test_a_service_costs_its_share_of_the_machines() -> None:
    """chat of atlas: 24 replicas with one GPU each, an eighth of a machine at 98.32: 294.96 an hour."""
    chat = of_service(cost(ATLAS, limits("atlas"), releases(ATLAS)), "chat", "eastus2")
    assert (chat.gpus, chat.hour) == (24, near(294.96))
    assert chat.month == near(294.96 * 730)


def test_a_replica_of_several_gpus_costs_them_all() -> None:
    """Two by two of eight GPUs: half a machine for each of 24 replicas."""
    known = releases(ATLAS)
    wide = known["chat"].parallel.model_copy(update={"tensor": 2, "pipeline": 2})
    known["chat"] = known["chat"].model_copy(update={"parallel": wide})
    chat = of_service(cost(ATLAS, limits("atlas"), known), "chat", "eastus2")
    assert (chat.gpus, chat.hour) == (96, near(12 * 98.32))


def test_a_service_runs_and_costs_only_where_its_pool_is() -> None:
    """Six regions for each service of atlas."""
    money = cost(ATLAS, limits("atlas"), releases(ATLAS))
    assert len(money.services) == sum(len(ATLAS.regions_of(service.name)) for service in ATLAS.services)


def test_without_its_release_a_service_has_no_cost() -> None:
    """How many GPUs a replica takes is in the release."""
    chat = of_service(cost(ATLAS, limits("atlas")), "chat", "eastus2")
    assert (chat.gpus, chat.hour, chat.month, chat.per_million, chat.per_million_output) == (None,) * 5


# Tokens


def test_a_million_tokens_cost_what_a_full_replica_makes_of_an_hour() -> None:
    """chat v1 by hand. A request of 1,154.70 and 211.13 tokens takes 86 blocks of 16; 8,192 blocks hold 95 requests.

    Each takes 0.02 + 1,154.70 / 40,000 + 210.13 x 0.004 = 0.8893875 s: 106.8151 requests a second, 22,551.87 tokens of
    answers and 145,891.3 of both. One H100 costs 6.98 an hour.
    """
    chat = of_service(cost(DEMO, limits("demo"), releases(DEMO)), "chat", "eastus2")
    assert chat.throughput is not None
    assert chat.throughput.requests == near(106.8151, rel=1e-6)
    assert chat.per_million_output == near(6.98 / (22_551.87 * 3600) * 1e6, rel=1e-6)
    assert chat.per_million == near(6.98 / (145_891.3 * 3600) * 1e6, rel=1e-6)
    assert chat.throughput.source == "simulate section of chat v1: assumed, not measured"


def speed(**performance: Any) -> Throughput:
    """The throughput of chat with another performance."""
    release = load_release("chat", "v1").model_copy(
        update={"simulate": Simulate(performance=Performance(**performance))}
    )
    found = throughput(DEMO.service("chat"), DEMO.load_profile("conversation"), release)
    assert found is not None
    return found


def test_a_full_batch_is_bound_by_its_limit_or_by_its_memory() -> None:
    """More blocks than the limit needs, or a higher limit than blocks hold, change nothing; one request always fits."""
    assert speed(max_num_seqs=64) == speed(max_num_seqs=64, kv_blocks=100_000)
    assert speed(kv_blocks=860) == speed(kv_blocks=860, max_num_seqs=10_000)
    assert speed(kv_blocks=10).requests == speed(max_num_seqs=1).requests


def test_the_others_in_a_batch_slow_each_token() -> None:
    """With 10 in the batch a token takes 4 ms and 9 times 1 ms."""
    alone = 0.02 + 1154.70 / 40_000
    found = speed(max_num_seqs=10, decode="4ms", decode_per_sequence="1ms")
    assert found.requests == near(10 / (alone + 210.13 * 0.013))


def test_what_the_release_does_not_state_is_unknown() -> None:
    """No simulate section: no throughput and no price of tokens, and the machines' cost all the same."""
    known = releases(DEMO)
    known["chat"] = known["chat"].model_copy(update={"simulate": None})
    chat = of_service(cost(DEMO, limits("demo"), known), "chat", "eastus2")
    assert (chat.hour, chat.throughput, chat.per_million) == (near(13.96), None, None)


@pytest.mark.parametrize("name", ["embed", "moderation"])
def test_a_call_without_tokens_has_no_price_of_tokens(name: str) -> None:
    """Embedding and moderation answer at once."""
    profile = ATLAS.load_profile(ATLAS.service(name).load)
    assert throughput(ATLAS.service(name), profile, load_release(name, "v1")) is None


def test_answers_that_are_cut_have_no_known_mean() -> None:
    """The mean of the trace is that of whole answers."""
    cut = DEMO.load_profile("conversation").model_copy(update={"max_output": 64})
    assert isinstance(cut, LoadProfile)
    assert throughput(DEMO.service("chat"), cut, load_release("chat", "v1")) is None


@pytest.mark.parametrize("trace", sorted(MEAN_TOKENS))
def test_mean_lengths_are_those_of_the_traces(trace: str) -> None:
    """Over every row."""
    with (TRACES / f"azure2023_{trace}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    means = [sum(int(row[column]) for row in rows) / len(rows) for column in ("ContextTokens", "GeneratedTokens")]
    assert MEAN_TOKENS[trace] == tuple(near(mean, abs=0.01) for mean in means)


def test_every_price_that_ships_names_a_source_that_the_file_explains() -> None:
    """The file's own list of sources has them all."""
    facts = json.loads((Path(__file__).parents[3] / "infra" / "azure" / "facts.json").read_text(encoding="utf-8"))
    named = {price.source for places in seen_prices().values() for price in places.values()}
    assert named == set(facts["price_sources"].values())
