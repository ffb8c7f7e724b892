"""What does not fit is found with the limit that binds and what would fit; what is not known is said, not guessed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure.facts import edge_regions, family_key, gpu_sizes, regions
from infra.blueprint.node_pool import Berth, agent_pool
from infra.fleet import Fleet, names
from infra.preflight.capacity import Preflight, preflight
from infra.preflight.demand import demands
from infra.preflight.finding import Finding, Table
from infra.preflight.limits import Limits, Offer, Price, Quota
from infra.preflight.quota import allot
from infra.release import Release, load_release
from tests.infra.granted import changed, fleet, granting, limits, offering, source, without

DEMO, ATLAS = fleet("demo"), fleet("atlas")
DEMO_LIMITS, ATLAS_LIMITS = limits("demo"), limits("atlas")
H100, A100 = "Standard_NC40ads_H100_v5", "Standard_NC24ads_A100_v4"
ND_H100, A100_SXM = "Standard_ND96isr_H100_v5", "Standard_ND96amsr_A100_v4"
TODAY = date(2026, 11, 28)


def found(of: Fleet, known: Limits | None, kind: str, *, like: str = "", **more: Any) -> list[Finding]:
    """The findings of one kind that speak of something."""
    return [one for one in preflight(of, known, **more).of(kind) if like in one.what]


def only(of: Fleet, known: Limits | None, kind: str, **more: Any) -> Finding:
    """The one finding of that kind."""
    (one,) = found(of, known, kind, **more)
    return one


def table(of: Preflight, title: str) -> Table:
    """The table with that title."""
    return next(one for one in of.tables if one.title == title)


def releases(of: Fleet) -> dict[str, Release]:
    """The first releases of a fleet."""
    return {service.name: load_release(service.name, service.release) for service in of.services}


def test_the_demo_fits_its_limits() -> None:
    """Nothing is violated, and nothing that is needed is unknown."""
    assert preflight(DEMO, DEMO_LIMITS, releases=releases(DEMO)).verdict == "fits"


def test_atlas_fits_what_is_known_and_says_which_prices_are_not() -> None:
    """Prices outside of North America are in no source, and so unknown; all else of it fits."""
    checked = preflight(ATLAS, ATLAS_LIMITS, releases=releases(ATLAS))
    assert checked.verdict == "unknown"
    assert not checked.of("violation")
    assert all("the price of" in finding.what for finding in checked.of("unknown"))


def test_the_binding_quota_is_named_with_what_is_left_and_what_would_fit() -> None:
    """24 machines of 96 vCPUs need 2,304; 1,152 are left, which is 12 machines. The finding is at nodes.max."""
    known = granting(ATLAS_LIMITS, "eastus2", standardndsh100v5family=1152)
    finding = only(ATLAS, known, "violation", source=source("atlas"))
    assert finding.where.startswith("atlas.yaml:43:")
    assert finding.where.endswith(": regions[0].pools[0].nodes.max")
    assert finding.what == (
        "eastus2: h100 needs 2,304 vCPUs of standardNDSH100v5Family, 1,152 are left: at most 12 of 24 machines; "
        "its reservation of 4 fits"
    )
    assert finding.binding == "standardNDSH100v5Family in eastus2: limit 1,152, used 0"


def test_of_two_quotas_the_tighter_one_binds() -> None:
    """After the machines without GPUs (56 and 208 vCPUs at most) the region's total leaves fewer than the family."""
    known = granting(DEMO_LIMITS, "eastus2", cores=440, standardncadsh100v5family=340)
    finding = only(DEMO, known, "violation")
    # 440 - 6 x 8 - 12 x 16 = 200 are left, 40 of them kept free for an upgrade: 4 machines. The family would give 7.
    assert finding.what == (
        "eastus2: h100 needs 360 vCPUs of Total Regional vCPUs, 40 of them for upgrades, 200 are left: "
        "at most 4 of 8 machines; its minimum of 2 fits"
    )


def test_a_quota_that_is_exactly_enough_is_enough() -> None:
    """8 machines and one for upgrades: 360 vCPUs. One vCPU less is a machine less."""
    enough = granting(DEMO_LIMITS, "eastus2", standardncadsh100v5family=360)
    assert not found(DEMO, enough, "violation")
    less = only(DEMO, granting(DEMO_LIMITS, "eastus2", standardncadsh100v5family=359), "violation")
    assert "at most 7 of 8 machines; its minimum of 2 fits" in less.what


def test_a_pool_that_cannot_even_begin_is_told_so() -> None:
    """A quota of nothing, which is what a new subscription has of every GPU family."""
    finding = only(DEMO, granting(DEMO_LIMITS, "eastus2", standardncadsh100v5family=0), "violation")
    assert finding.what.endswith("0 are left: at most 0 of 8 machines; its minimum of 2 does not fit either")


def test_spot_machines_take_the_spot_quota_and_no_other() -> None:
    """200 vCPUs are 5 machines; the family could be empty."""
    spot = fleet("demo", ("purpose: serving", "purpose: serving\n        priority: spot\n        spot_serving: true"))
    finding = only(spot, granting(DEMO_LIMITS, "eastus2", standardncadsh100v5family=0), "violation", like="vCPUs")
    assert "h100 needs 320 vCPUs of Total Regional Spot vCPUs, 200 are left: at most 5 of 8 machines" in finding.what


def test_the_upgrades_of_a_region_come_one_after_the_other() -> None:
    """Two pools of one family keep one machine free between them, and not two."""
    two = fleet("demo", ("nodes: {min: 2, max: 8}", "nodes: {min: 2, max: 8}\n        purpose: serving\n"
                         f"      - name: h100b\n        sku: {H100}\n        nodes: {{min: 0, max: 4}}"))  # fmt: skip
    assert not found(two, granting(DEMO_LIMITS, "eastus2", standardncadsh100v5family=13 * 40), "violation")
    finding = only(two, granting(DEMO_LIMITS, "eastus2", standardncadsh100v5family=13 * 40 - 1), "violation")
    assert "h100b needs 200 vCPUs of StandardNCadsH100v5Family, 40 of them for upgrades, 199 are left" in finding.what


@pytest.mark.parametrize("priority", ["on-demand", "reserved", "spot"])
def test_upgrades_are_counted_as_the_pools_are_built(priority: str) -> None:
    """What preflight counts is the maxSurge that AKS is told; spot pools have none."""
    region = ATLAS.regions[0]
    pool = region.pools[0].model_copy(update={"priority": priority})
    built = agent_pool(pool, region, Berth("subnet")).get("upgradeSettings", {}).get("maxSurge", "0")
    counted = demands(ATLAS.model_copy(update={"regions": (region.model_copy(update={"pools": (pool,)}),)}))[-1]
    assert str(counted.surge) == built


def test_an_unknown_quota_is_unknown_once_with_all_who_need_it() -> None:
    """No violation and no guess: the sum that is needed."""
    finding = only(DEMO, granting(DEMO_LIMITS, "eastus2", standardddsv5family=None), "unknown")
    assert finding.what == (
        "eastus2: the quota standardDDSv5Family is not known; system, platform need 256 vCPUs of it"
    )


def test_one_known_quota_still_binds_where_the_other_is_unknown() -> None:
    """The family is not known; the region's total is, and it is too small."""
    known = granting(DEMO_LIMITS, "eastus2", standardncadsh100v5family=None, cores=440)
    checked = preflight(DEMO, known)
    assert [finding.kind for finding in checked.findings][:2] == ["violation", "unknown"]
    assert checked.verdict == "violation"


def test_a_region_that_the_limits_do_not_mention_is_unknown_once() -> None:
    """One finding at the region, and not one for each size."""
    finding = only(ATLAS, without(ATLAS_LIMITS, "japaneast"), "unknown", like="say nothing")
    assert finding.where == "regions[4].location"
    assert finding.what == "the limits say nothing of japaneast: its quota, sizes and zones are not known"
    assert not found(ATLAS, without(ATLAS_LIMITS, "japaneast"), "unknown", like="japaneast: the")


def test_without_limits_nothing_of_azure_is_known_and_the_rest_is_checked() -> None:
    """One unknown for all of it; the tables and the checks of the file itself are there."""
    checked = preflight(DEMO, None)
    assert [one.what for one in checked.of("unknown")] == [
        "there is no limits file: quota, sizes and zones are not known"
    ]
    assert table(checked, "quota").rows == ()
    assert len(table(checked, "machines").rows) == 3


def test_limits_of_another_subscription_are_no_limits() -> None:
    """Quota is per subscription; prices are not, and stay."""
    other = DEMO_LIMITS.model_copy(update={"subscription": "1b4e28ba-2fa1-11d2-883f-0016d3cca427"})
    finding = only(DEMO, other, "unknown")
    assert finding.where == "azure.subscription"
    assert "1b4e28ba-2fa1-11d2-883f-0016d3cca427" in finding.what
    broke = granting(other, "eastus2", standardncadsh100v5family=0)
    assert not found(DEMO, broke, "violation")


def test_a_size_that_the_subscription_may_not_have_is_a_violation_with_azures_reason() -> None:
    """NotAvailableForSubscription is what ARM says."""
    shut = {H100: Offer(zones=(1, 2, 3), restricted=True, reason="NotAvailableForSubscription")}
    finding = only(DEMO, offering(DEMO_LIMITS, "eastus2", **shut), "violation")
    assert finding.what == f"eastus2: {H100} of h100 cannot be had: NotAvailableForSubscription"
    assert finding.where == "regions[0].pools[0].sku"


@pytest.mark.parametrize(
    ("offer", "had"),
    [
        pytest.param(Offer(zones=(1, 3)), "zones 1, 3", id="not in every zone"),
        pytest.param(Offer(zones=(1, 2, 3), restricted_zones=(1, 2)), "zone 3", id="shut in two"),
        pytest.param(Offer(), "no zone", id="without zones"),
    ],
)
def test_a_size_must_be_in_every_zone_of_the_region(offer: Offer, had: str) -> None:
    """A region has zones, and a GPU size only some of them (AKS issue 1444)."""
    finding = only(DEMO, offering(DEMO_LIMITS, "eastus2", **{H100: offer}), "violation")
    assert finding.what == f"eastus2: {H100} of h100 is wanted in zones 1, 2, 3 and can be had in {had}"


def test_a_pool_that_shares_a_fabric_needs_one_zone_only() -> None:
    """InfiniBand is wired inside one: h200train asks for the region's first zone."""
    one_zone = {"Standard_ND96isr_H200_v5": Offer(zones=(1,), reservable=True)}
    assert not found(ATLAS, offering(ATLAS_LIMITS, "southcentralus", **one_zone), "violation")
    other = {"Standard_ND96isr_H200_v5": Offer(zones=(2, 3), reservable=True)}
    finding = only(ATLAS, offering(ATLAS_LIMITS, "southcentralus", **other), "violation")
    assert "of h200train is wanted in zone 1 and can be had in zones 2, 3" in finding.what


def test_whether_a_size_can_be_had_may_be_unknown() -> None:
    """It is not in the limits."""
    finding = only(DEMO, offering(DEMO_LIMITS, "eastus2", **{H100: None}), "unknown")
    assert finding.what == f"eastus2: {H100} of h100: whether it can be had, and in which zones, is not known"


def test_machines_without_gpus_need_quota_and_zones_too() -> None:
    """The system pool is in no fleet file; the finding is at its region."""
    finding = only(DEMO, granting(DEMO_LIMITS, "eastus2", standardddsv5family=64), "violation")
    assert (finding.where, finding.fallbacks) == ("regions[0]", ())
    assert "platform needs 208 vCPUs of standardDDSv5Family, 16 of them for upgrades, 16 are left" in finding.what


# Fallbacks


def short(known: Limits, of: Fleet = ATLAS) -> Finding:
    """What is said when eastus2 has quota for 12 of its 24 H100 machines."""
    return only(of, granting(known, "eastus2", standardndsh100v5family=1152), "violation", like="h100 needs")


def roomy(known: Limits, *locations: str) -> Limits:
    """The limits with quota for many more H100 machines in these regions."""
    for location in locations:
        known = granting(known, location, standardndsh100v5family=9600, cores=30000)
    return known


def test_what_would_fit_is_offered_best_first() -> None:
    """The same size in the other region of the group, then GPUs of as much memory with a price, then without."""
    known = roomy(ATLAS_LIMITS, "southcentralus")
    known = granting(known, "eastus2", cores=30000, standardndamsv4_a100family=1152)
    assert [str(one) for one in short(known).fallbacks] == [
        "12 x Standard_ND96amsr_A100_v4 in eastus2 (80 GB a GPU, $393.24 an hour)",
        "12 x Standard_ND96isr_H100_v5 in southcentralus (80 GB a GPU, price unknown)",
    ]


def test_a_known_price_goes_before_the_own_region() -> None:
    """H200s of the own region have none that we know, A100s of the other one have: those come first."""
    known = granting(ATLAS_LIMITS, "eastus2", cores=30000, standardndisrh200v5family=9600)
    known = offering(known, "eastus2", **{"Standard_ND96isr_H200_v5": Offer(zones=(1, 2, 3), reservable=True),
                                          A100_SXM: None})  # fmt: skip
    known = granting(known, "southcentralus", cores=30000, standardndamsv4_a100family=9600)
    assert [(one.sku, one.region) for one in short(known).fallbacks] == [
        (A100_SXM, "southcentralus"),
        ("Standard_ND96isr_H200_v5", "eastus2"),
    ]


def test_the_less_memory_the_later() -> None:
    """The H100 has 94 GB, an A100 80 and a T4 16: offered in this order, though the T4 is the cheapest."""
    known = granting(DEMO_LIMITS, "eastus2", standardncadsh100v5family=120, cores=3000,
                     standardncadsa100v4family=1200, standardncasv3_t4family=1200)  # fmt: skip
    zones = Offer(zones=(1, 2, 3))
    known = offering(known, "eastus2", Standard_NC4as_T4_v3=zones, Standard_NC80adis_H100_v5=zones)
    finding = only(DEMO, known, "violation")
    assert [str(one) for one in finding.fallbacks] == [
        f"6 x {A100} in eastus2 (80 GB a GPU, $22.04 an hour)",
        "6 x Standard_NC4as_T4_v3 in eastus2 (16 GB a GPU, $3.16 an hour)",
    ]


def test_no_fallback_leaves_the_residency_group() -> None:
    """All the room of the other continents is none: data may not go there."""
    everywhere = [region.location for region in ATLAS.regions if region.residency != "us"]
    assert not short(roomy(ATLAS_LIMITS, *everywhere)).fallbacks


@pytest.mark.parametrize(
    ("sku", "offer", "vcpus"),
    [
        pytest.param("Standard_ND96isr_MI300X_v5", Offer(zones=(1, 2, 3), reservable=True),
                     "standardndisv5mi300xfamily", id="maker"),
        pytest.param("Standard_ND128isr_GB300_v6", Offer(zones=(1, 2, 3), reservable=True),
                     "standardndisrgb300v6family", id="arm64"),
        pytest.param("Standard_ND96isr_H200_v5", Offer(zones=(1,), reservable=True), "standardndisrh200v5family",
                     id="zones"),
        pytest.param("Standard_ND96isr_H200_v5", Offer(zones=(1, 2, 3), reservable=False), "standardndisrh200v5family",
                     id="not reserved"),
        pytest.param("Standard_ND96isr_H200_v5", Offer(zones=(1, 2, 3)), "standardndisrh200v5family",
                     id="perhaps not reserved"),
        pytest.param("Standard_ND96isr_H200_v5", Offer(zones=(1, 2, 3), restricted=True, reservable=True),
                     "standardndisrh200v5family", id="restricted"),
    ],
)  # fmt: skip
def test_what_is_no_way_out_is_not_offered(sku: str, offer: Offer, vcpus: str) -> None:
    """Images and drivers are made for one maker and processor; and what cannot be had helps nobody."""
    known = offering(granting(ATLAS_LIMITS, "eastus2", cores=90000, **{vcpus: 50000}), "eastus2", **{sku: offer})
    assert not [one for one in short(known).fallbacks if one.sku == sku]


def test_where_infiniband_is_needed_only_sizes_with_it_are_offered() -> None:
    """h200train does not fit: the PCIe A100s of its region are no way out, those with SXM and InfiniBand are."""
    known = granting(ATLAS_LIMITS, "southcentralus", standardndisrh200v5family=6048, cores=90000,
                     standardncadsa100v4family=9000, standardndamsv4_a100family=9000)  # fmt: skip
    finding = only(ATLAS, known, "violation")
    assert {one.sku for one in finding.fallbacks} == {"Standard_ND96amsr_A100_v4", ND_H100}
    assert "at most 63 of 64 machines; its reservation of 64 does not fit either" in finding.what
    for location in ("eastus2", "southcentralus"):
        known = offering(known, location, **{A100_SXM: None, ND_H100: None})
    assert not only(ATLAS, known, "violation").fallbacks


def test_racks_are_offered_whole() -> None:
    """A pool of GB200 falls back to GB300 in racks of 18."""
    gb200 = fleet("demo", (f"sku: {H100}", "sku: Standard_ND128isr_NDR_GB200_v6"),
                  ("nodes: {min: 2, max: 8}", "nodes: {min: 18, max: 36}"))  # fmt: skip
    zones = Offer(zones=(1, 2, 3))
    known = granting(DEMO_LIMITS, "eastus2", cores=30000, standardndisrgb200v6ndrfamily=2560,
                     standardndisrgb300v6family=9000)  # fmt: skip
    known = offering(known, "eastus2", Standard_ND128isr_NDR_GB200_v6=zones, Standard_ND128isr_GB300_v6=zones)
    finding = only(gb200, known, "violation", like="vCPUs")
    assert [(one.sku, one.machines) for one in finding.fallbacks] == [("Standard_ND128isr_GB300_v6", 18)]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_every_fallback_stays_in_the_group_and_fits_beside_the_fleet(data: st.DataObject) -> None:
    """For any quota: with the fallback's machines added, no known quota is overdrawn, and no group is left."""
    vcpus = st.integers(0, 6000)
    known = ATLAS_LIMITS
    for location in known.regions:
        quota = {key: Quota(limit=data.draw(vcpus), used=0) for key in known.regions[location].quota}
        quota["cores"] = Quota(limit=data.draw(st.integers(0, 20_000)), used=0)
        known = changed(known, location, quota=quota)
    group = {region.location: region.residency for region in ATLAS.regions}
    for finding in preflight(ATLAS, known).of("violation"):
        for one in finding.fallbacks:
            assert group[one.location] == group[finding.what.split(":")[0]]
            size = gpu_sizes()[one.sku]
            for key in (family_key(size.family), "cores"):
                assert one.machines * size.vcpus <= left_over(known, one.location, key)


def left_over(known: Limits, location: str, key: str) -> int:
    """What of a quota nobody of atlas takes, counted anew: without its machines, and without one upgrade at a time."""
    takers = [share for share in allot(demands(ATLAS), known).shares if key in share.demand.quotas]
    here = [share for share in takers if share.demand.location == location]
    quota = known.quota(location, key) or Quota(limit=0, used=0)
    spare = max((share.demand.surge * share.demand.vcpus for share in here), default=0)
    return quota.limit - sum(share.machines * share.demand.vcpus for share in here) - spare


@settings(max_examples=100)
@given(st.lists(st.integers(0, 3000), min_size=3, max_size=3), st.integers(0, 4000))
def test_shares_never_exceed_a_quota_and_are_as_large_as_they_can_be(families: list[int], total: int) -> None:
    """What is allotted fits with an upgrade beside it, and a pool that is cut could not have one machine more."""
    keys = ("standardddsv5family", "standardncadsh100v5family", "standardncadsa100v4family")
    known = granting(DEMO_LIMITS, "eastus2", cores=total, **dict(zip(keys, families, strict=True)))
    shares = allot(demands(DEMO), known).shares
    taken = dict.fromkeys([*keys, "cores"], 0)
    spare = dict.fromkeys(taken, 0)
    for share in shares:
        demand = share.demand
        for key in demand.quotas:
            spare[key] = max(spare[key], demand.surge * demand.vcpus)
        room = [(known.quota("eastus2", key) or Quota(limit=0, used=0)).limit - taken[key] - spare[key]
                for key in demand.quotas]  # fmt: skip
        assert share.machines == max(0, min(demand.most, *(left // demand.vcpus for left in room)))
        assert bool(share.binding) == (share.machines < demand.most)
        for key in demand.quotas:
            taken[key] += share.machines * demand.vcpus


# What does not fit into itself


def edited(name: str, *edits: tuple[str, str], like: str = "", **more: Any) -> list[str]:
    """The violations of an edited fleet, without limits."""
    return [f"{one.where}: {one.what}" for one in found(fleet(name, *edits), None, "violation", like=like, **more)]


def test_machines_need_addresses_in_their_subnet() -> None:
    """A /24 has 64 addresses for serving, 59 of them free; 60 machines with one for upgrades need 61."""
    small = ("address_space: 10.16.0.0/16", "address_space: 10.16.0.0/24")
    assert not edited("demo", small)
    assert edited("demo", small, ("max: 8", "max: 60"), like="addresses") == [
        "regions[0].address_space: 61 addresses are needed in the subnet 10.16.0.64/26 for serving, it has 59"
    ]


def test_pods_need_a_range_for_each_machine() -> None:
    """8,192 machines find room in shared address space, 2,048 where the region itself is in it."""
    there = ("address_space: 10.16.0.0/16", "address_space: 100.64.0.0/12")
    said = edited("demo", there, ("max: 8", "max: 3000"), like="/24 each")
    assert said == ["regions[0].address_space: 3,019 machines need a /24 each for their pods, 172.16.0.0/13 has 2,048"]


def test_aks_has_largest_pools_and_clusters() -> None:
    """1,000 machines in a pool, 5,000 in a cluster, with those of upgrades."""
    assert edited("demo", ("max: 8", "max: 1000"), like="a pool has") == [
        "regions[0].pools[0].nodes.max: h100 has 1,001 machines, with those of upgrades; a pool has at most 1,000"
    ]
    assert edited("demo", ("max: 8", "max: 4982"), like="a cluster has") == [
        "regions[0].pools: 5,001 machines, with those of upgrades; a cluster has at most 5,000"
    ]


def test_two_regions_in_one_azure_region_would_have_the_same_names() -> None:
    """Names follow from the location, so that they can be computed."""
    said = edited("atlas", ("location: southcentralus", "location: eastus2"), like="same names")
    assert said == [
        "regions[1].location: southcentralus and eastus2 would have the same names, as rg-atlas-prod-eus2-001 for the "
        "resource group; take another Azure region for one"
    ]


@pytest.mark.parametrize("machines", [18, 36])
def test_whole_racks_are_right(machines: int) -> None:
    """18 machines are 72 GPUs, one NVLink domain."""
    assert not edited("demo", (f"sku: {H100}", "sku: Standard_ND128isr_GB300_v6"),
                      ("{min: 2, max: 8}", f"{{min: 0, max: {machines}}}"))  # fmt: skip


def test_parts_of_a_rack_are_wrong() -> None:
    """Both ends of the range, with the next that would be right."""
    gb300 = (f"sku: {H100}", "sku: Standard_ND128isr_GB300_v6")
    nodes, racks = "regions[0].pools[0].nodes", "machines of Standard_ND128isr_GB300_v6 are no whole racks of 18"
    assert edited("demo", gb300, ("{min: 2, max: 8}", "{min: 4, max: 20}")) == [
        f"{nodes}.min: 4 {racks}; write 0 or 18",
        f"{nodes}.max: 20 {racks}; write 18 or 36",
    ]


def test_replicas_need_gpus() -> None:
    """Two services of two replicas each take four GPUs; three machines have three."""
    said = edited("demo", ("max: 8", "max: 3"), like="replicas on", releases=releases(DEMO))
    assert said == [
        "regions[0].pools[0].nodes.max: eastus2: replicas on h100 need 4 GPUs (chat 2, chat-mini 2), it has at most 3"
    ]


def test_a_layer_is_not_shared_between_machines() -> None:
    """Tensor parallelism over two GPUs does not fit a machine with one."""
    wide = releases(DEMO)
    wide["chat"] = wide["chat"].model_copy(update={"parallel": wide["chat"].parallel.model_copy(update={"tensor": 2})})
    assert edited("demo", like="shares each layer", releases=wide) == [
        f"services[0].pool: chat shares each layer over 2 GPUs, {H100} has 1 (eastus2)"
    ]


def test_a_region_that_front_door_cannot_reach_is_told_with_those_that_it_can() -> None:
    """It makes private endpoints in some regions only, and the edge reaches a region by nothing else."""
    far = fleet("demo", ("location: eastus2", "location: northcentralus"), ("zones: [1, 2, 3]", "zones: []"))
    finding = next(one for one in found(far, None, "violation") if "Front Door" in one.what)
    assert finding.where == "regions[0].location"
    assert finding.what == (
        "Front Door makes no private endpoint in northcentralus, and the edge reaches it by nothing else; "
        "in US it makes them in centralus, eastus, eastus2, southcentralus, westus2, westus3"
    )
    assert edge_regions() <= regions().keys()


# Money


def test_the_fewest_machines_must_be_within_the_budget() -> None:
    """2 x 6.98 + 3 x 0.452 + 3 x 0.904 = 18.028 an hour, 13,160 a month."""
    tight = fleet("demo", ("monthly_usd: 40000", "monthly_usd: 13000"))
    finding = only(tight, DEMO_LIMITS, "violation")
    assert finding.where == "budget.monthly_usd"
    assert finding.what == "the fewest machines cost $13,160 a month; the budget is $13,000"


def test_a_budget_that_all_machines_exceed_is_a_warning() -> None:
    """8 x 6.98 + 6 x 0.452 + 12 x 0.904 = 69.40 an hour, 50,662 a month."""
    assert only(DEMO, DEMO_LIMITS, "warning", like="budget").what == (
        "all machines that it may scale to cost $50,662 a month; the budget is $40,000"
    )
    assert not found(fleet("demo", ("monthly_usd: 40000", "monthly_usd: 50662")), DEMO_LIMITS, "warning", like="budget")


def test_an_unknown_price_is_said_once_for_a_size_and_is_in_no_sum() -> None:
    """No price of another region stands in for it."""
    finding = only(ATLAS, ATLAS_LIMITS, "unknown", like="ND96isr_H100_v5", source=source("atlas"))
    assert finding.where.startswith("atlas.yaml:53:")
    assert finding.what == (
        "the price of Standard_ND96isr_H100_v5 (reserved) is not known in southcentralus, swedencentral, westeurope, "
        "japaneast, southeastasia: its machines are in no sum"
    )


# Limits as a whole, order, form


def test_an_example_is_called_one() -> None:
    """Nobody asked Azure."""
    assert only(DEMO, DEMO_LIMITS, "warning", like="example").what == (
        "the limits of 2026-11-20 are an example: nobody has asked Azure"
    )


@pytest.mark.parametrize(("today", "old"), [(date(2026, 12, 20), 0), (date(2026, 12, 21), 1), (date(2026, 1, 1), 1)])
def test_limits_of_another_month_are_to_be_read_again(today: date, old: int) -> None:
    """30 days; a day in the future is no better."""
    real = DEMO_LIMITS.model_copy(update={"example": False})
    assert len(found(DEMO, real, "warning", like="read them again", today=today)) == old


@pytest.mark.parametrize("name", names())
def test_the_same_fleet_and_limits_have_the_same_findings(name: str) -> None:
    """Down to the document, whatever was asked before."""
    once, again = (preflight(fleet(name), limits(name), source(name)).document() for _ in range(2))
    assert once == again


def test_the_worst_comes_first() -> None:
    """Violations, unknown, warnings."""
    known = without(granting(ATLAS_LIMITS, "eastus2", standardndsh100v5family=0), "japaneast")
    kinds = [finding.kind for finding in preflight(ATLAS, known).findings]
    assert kinds == sorted(kinds, key=("violation", "unknown", "warning").index)
    assert set(kinds) == {"violation", "unknown", "warning"}


def test_a_finding_reads_as_a_paragraph() -> None:
    """Where and what, then the limit that binds, then what would fit."""
    lines = str(short(roomy(ATLAS_LIMITS, "southcentralus"))).split("\n")
    assert lines[1] == "  binding: standardNDSH100v5Family in eastus2: limit 1,152, used 0"
    assert lines[2].startswith("  instead: 12 x ")


def test_machines_of_the_fleet_that_are_in_use_are_said() -> None:
    """Who reads a used quota wants to know by whom."""
    quota = DEMO_LIMITS.regions["eastus2"].quota | {"standardncadsh100v5family": Quota(limit=400, used=300, ours=80)}
    finding = only(DEMO, changed(DEMO_LIMITS, "eastus2", quota=quota), "violation")
    assert finding.binding.endswith("limit 400, used 300, 80 of them by this fleet")
    assert "180 are left: at most 3 of 8 machines" in finding.what


def test_a_document_has_everything_for_a_machine() -> None:
    """Findings with their fallbacks, and the tables by column."""
    known = granting(roomy(ATLAS_LIMITS, "southcentralus"), "eastus2", standardndsh100v5family=1152)
    document = preflight(ATLAS, known).document()
    assert document["verdict"] == "violation"
    assert document["findings"][0]["fallbacks"][-1] == {
        "sku": ND_H100, "region": "southcentralus", "location": "southcentralus", "machines": 12, "memory_gb": 80,
        "usd_per_hour": None,
    }  # fmt: skip
    assert document["tables"]["quota"][2] == {
        "location": "eastus2", "quota": "standardNDSH100v5Family", "needed at least": 384, "needed at most": 2304,
        "limit": 1152, "left": 1152,
    }  # fmt: skip


def test_unknown_figures_are_shown_as_unknown() -> None:
    """A price of nobody knows what, a region without a price, a quota that is not in the file."""
    checked = preflight(ATLAS, granting(ATLAS_LIMITS, "japaneast", cores=None))
    shown = {row[0]: row for row in table(checked, "cost of regions").shown()}
    assert shown["japaneast"][1:] == (*["unknown"] * 4, "system, platform, h100, a100")
    quota = [row for row in table(checked, "quota").shown() if row[:2] == ("japaneast", "Total Regional vCPUs")]
    assert quota == [("japaneast", "Total Regional vCPUs", "648", "3,024", "unknown", "unknown")]


def test_a_price_from_the_limits_goes_before_one_that_ships_with_us() -> None:
    """The newer one, with its source."""
    price = Price(on_demand=7.25, source="here", confidence="high")
    known = changed(DEMO_LIMITS, "eastus2", prices={H100: price})
    row = next(row for row in table(preflight(DEMO, known), "machines").rows if row[1] == "h100")
    assert row[-3:] == (7.25, "high", "here")
