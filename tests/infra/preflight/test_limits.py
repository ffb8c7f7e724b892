"""A limits file is read whole or refused whole; what it does not say is unknown, and stays so."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.azure.facts import cpu_sizes, family_key, gpu_sizes, quota_of, regions, seen_prices
from infra.blueprint.cpu_pool import CPU_POOLS
from infra.fleet import FLEETS, load_fleet, locate, names
from infra.preflight.limits import (
    Limits,
    LimitsError,
    NoLimits,
    Rate,
    limits_file,
    load_limits,
    read_limits,
    seen_price,
    text,
)
from infra.yamlfile.problem import SourceError
from infra.yamlfile.source import parse

DEMO = (FLEETS / "demo.limits.json").read_text(encoding="utf-8")
SLIPS = yaml.safe_load((Path(__file__).parents[2] / "cases" / "fleet" / "limits.yaml").read_text(encoding="utf-8"))
H100 = "Standard_NC40ads_H100_v5"


def limits(content: str = DEMO) -> Limits:
    """The limits in a file's content."""
    return read_limits(parse("demo.limits.json", content))


def edited(old: str, new: str) -> str:
    """The demo's limits with the first `old` replaced; an edit that changes nothing is a wrong test."""
    assert old in DEMO, old
    return DEMO.replace(old, new, 1)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["slip"]) for case in SLIPS])
def test_every_slip_is_named_and_nothing_else_is(case: dict[str, Any]) -> None:
    """A table of slips in the demo's limits and all that is said about each."""
    with pytest.raises(SourceError) as caught:
        limits(edited(case["old"], case["new"]))
    assert [f"{problem.path}: {problem.message}" for problem in caught.value.problems] == case["says"]


def test_a_problem_points_at_the_value_that_is_wrong() -> None:
    """JSON has lines and columns, too."""
    with pytest.raises(LimitsError) as caught:
        limits(edited('"2026-11-20"', '"soon"'))
    assert str(caught.value).startswith("demo.limits.json:5:12: as_of: 'soon' is no date")


@pytest.mark.parametrize("name", names())
def test_the_limits_that_ship_are_of_their_fleets_and_say_that_they_are_examples(name: str) -> None:
    """The same subscription, every region, no real subscription's figures."""
    fleet, known = load_fleet(name), load_limits(limits_file(locate(name)))
    assert known.example
    assert fleet.azure and known.subscription == fleet.azure.subscription
    assert {region.location for region in fleet.regions} <= known.regions.keys()


@pytest.mark.parametrize("name", names())
def test_limits_are_written_as_they_were_read(name: str) -> None:
    """The files that ship are what `text` writes, one line for each quota, size and price."""
    path = limits_file(locate(name))
    assert text(load_limits(path)) == path.read_text(encoding="utf-8")


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0.001, 999, allow_nan=False), st.dates())
def test_what_is_written_is_read_back_the_same(limit: int, used: int, usd: float, day: date) -> None:
    """For any figures."""
    document = json.loads(DEMO) | {"as_of": day.isoformat(), "example": False}
    document["regions"] = {
        "japaneast": {
            "quota": {"cores": {"limit": limit, "used": used, "ours": used // 2}},
            "skus": {
                H100: {
                    "zones": [3, 1],
                    "restricted": True,
                    "reason": "QuotaId",
                    "restricted_zones": [1],
                    "reservable": False,
                }
            },
            "prices": {H100: {"spot": usd, "reserved": usd, "source": "here", "confidence": "low"}},
        }
    }
    known = limits(json.dumps(document))
    assert limits(text(known)) == known


def test_a_fleets_limits_lie_beside_it() -> None:
    """<fleet>.limits.json, also for a file of one's own."""
    assert limits_file(Path("mine/fleet.yaml")) == Path("mine/fleet.limits.json")


def test_without_a_file_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    """The command that writes it."""
    with pytest.raises(NoLimits) as caught:
        load_limits(tmp_path / "mine.limits.json")
    assert caught.value.next == "ops fleet preflight --live writes it"


def test_a_file_that_is_no_json_is_refused_with_its_place(tmp_path: Path) -> None:
    """The parser's words, with line and column, as an error of limits."""
    path = tmp_path / "mine.limits.json"
    path.write_text('{"kind": ', encoding="utf-8")
    with pytest.raises(LimitsError, match=r"mine.limits.json:2:1: "):
        load_limits(path)


def test_what_a_file_does_not_say_is_unknown() -> None:
    """Another region, another family, another size: None, never a guess."""
    known = limits()
    assert known.quota("westus3", "cores") is None
    assert known.quota("eastus2", "standardndsh100v5family") is None
    assert known.sku("eastus2", "Standard_ND96isr_H100_v5") is None
    assert known.price("eastus2", "Standard_ND96isr_H100_v5", "on-demand") is None
    assert known.price("westus3", H100, "on-demand") is None
    assert known.price("eastus2", H100, "spot") is None


@pytest.mark.parametrize("spelt", ["StandardNCadsH100v5Family", "standard NCadsH100v5 Family vCPUs"])
def test_a_family_is_found_in_every_spelling(spelt: str) -> None:
    """Case, spaces and a trailing vCPUs differ between the APIs."""
    found = limits().quota("eastus2", spelt)
    assert found is not None and found.limit == 400


def test_what_is_left_is_what_others_do_not_use() -> None:
    """The fleet's own machines do not compete with it; a quota that was cut below its use has nothing left."""
    used = limits(edited('{"limit": 400, "used": 0}', '{"limit": 400, "used": 300, "ours": 200}'))
    cut = limits(edited('{"limit": 400, "used": 0}', '{"limit": 100, "used": 300}'))
    of = [one.quota("eastus2", "standardncadsh100v5family") for one in (used, cut)]
    assert [quota.left for quota in of if quota] == [300, 0]


def test_reserved_machines_cost_as_on_demand_unless_an_instance_is_reserved() -> None:
    """A capacity reservation is billed at the price of the size; a reserved instance makes it cheaper."""
    cheaper = limits(edited('"on_demand": 6.98', '"on_demand": 6.98, "reserved": 4.5'))
    rates = [one.price("eastus2", H100, "reserved") for one in (limits(), cheaper)]
    assert [rate.usd for rate in rates if rate] == [6.98, 4.5]


def test_a_price_that_ships_with_us_has_its_source_and_confidence() -> None:
    """A seed, for what no limits file has newer."""
    rate = seen_price("eastus", "Standard_NC96ads_A100_v4", "on-demand")
    assert rate is not None and (rate.usd, rate.confidence) == (19.108, "medium")
    assert "2026-11-09" in rate.source
    assert seen_price("southeastasia", H100, "spot") == Rate(1.61, "caleta.io, 2026", "low")
    assert seen_price("southeastasia", H100, "on-demand") is None
    assert seen_price("eastus2", "Standard_NC96ads_A100_v4", "on-demand") is None


def test_every_price_is_of_a_size_and_a_region_that_we_know() -> None:
    """No figure hangs in the air."""
    for sku, places in seen_prices().items():
        assert sku in {**gpu_sizes(), **cpu_sizes()}
        assert places.keys() <= regions().keys()
        assert all((price.on_demand or price.spot or 0) > 0 for price in places.values())


def test_the_pools_without_gpus_need_what_we_know_of_their_sizes() -> None:
    """vCPUs and family of the system and platform pools are in two places, and agree."""
    for pool in CPU_POOLS:
        size = quota_of(pool.sku)
        assert size is not None and (size.vcpus, family_key(size.family)) == (pool.vcpus, pool.family)


def test_whole_racks_are_those_of_nvl72() -> None:
    """18 machines with Arm processors for every GB200 and GB300 size: 72 GPUs. All others stand alone."""
    for size in gpu_sizes().values():
        wired = size.gpu in ("GB200", "GB300")
        assert (size.rack * size.count if wired else size.rack, size.arch) == ((72, "arm64") if wired else (1, "amd64"))


def test_a_size_that_we_do_not_know_has_no_quota() -> None:
    """Never a guess."""
    assert quota_of("Standard_B2s") is None
