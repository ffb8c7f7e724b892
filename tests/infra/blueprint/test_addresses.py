"""The address plan of a region: what fits, what never overlaps, what never moves."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from infra.blueprint.addresses import NODES, RESERVED, SHARES, plan, subnet_of
from infra.fleet import load_fleet, names
from infra.region import PRIVATE


@st.composite
def blocks(draw: st.DrawFn) -> IPv4Network:
    """Any block that a fleet file takes."""
    space = draw(st.sampled_from(PRIVATE))
    prefix = draw(st.integers(max(8, space.prefixlen), 24))
    number = draw(st.integers(0, 2 ** (prefix - space.prefixlen) - 1))
    return IPv4Network((int(space.network_address) + number * 2 ** (32 - prefix), prefix))


@given(blocks())
def test_subnets_lie_in_the_block_and_apart(block: IPv4Network) -> None:
    subnets = plan(block).subnets.values()
    assert all(subnet.subnet_of(block) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))


@given(blocks())
def test_pods_and_services_lie_in_nobodys_way(block: IPv4Network) -> None:
    made = plan(block)
    assert not made.pods.overlaps(block) and not made.services.overlaps(block)
    assert not made.pods.overlaps(made.services)
    kept = [IPv4Network(each) for each in ("169.254.0.0/16", "172.30.0.0/15", "192.0.2.0/24")]  # by AKS for itself
    assert not any(made.pods.overlaps(each) or made.services.overlaps(each) for each in kept)
    assert made.dns in made.services


@given(blocks())
def test_pods_have_room_on_as_many_machines_as_the_subnets_hold(block: IPv4Network) -> None:
    made = plan(block)
    within_aks = min(5000, sum(made.room(subnet) for subnet in NODES))
    assert made.machines >= 2048
    assert made.machines >= within_aks or block.overlaps(IPv4Network("100.64.0.0/10"))


@given(blocks())
def test_the_firewall_gets_the_first_address_that_azure_gives(block: IPv4Network) -> None:
    made = plan(block)
    assert made.subnets["firewall"].prefixlen == 26
    assert int(made.firewall) - int(made.subnets["firewall"].network_address) == 4


def test_the_smallest_block_is_filled_exactly() -> None:
    subnets = plan(IPv4Network("10.9.8.0/24")).subnets.values()
    assert sum(subnet.num_addresses for subnet in subnets) == 256
    assert {share.first for share in SHARES.values()} == {0, 4, 8, 10, 12, 14, 15}


def test_the_plan_of_a_block_is_as_it_ever_was() -> None:
    """These are the addresses of regions that exist: a change here would make them anew."""
    made = plan(IPv4Network("10.16.0.0/14"))
    assert {name: str(subnet) for name, subnet in made.subnets.items()} == {
        "firewall": "10.16.0.0/26",
        "serving": "10.17.0.0/20",
        "training": "10.18.0.0/20",
        "system": "10.18.128.0/24",
        "endpoints": "10.19.0.0/24",
        "gateway": "10.19.128.0/26",
        "operations": "10.19.192.0/26",
    }
    assert (str(made.pods), str(made.services)) == ("100.64.0.0/11", "100.96.0.0/16")
    assert made.firewall == IPv4Address("10.16.0.4")


def test_every_pool_of_our_fleets_has_room_in_its_subnet() -> None:
    for region in [region for name in names() for region in load_fleet(name).regions]:
        made = plan(region.address_space)
        for purpose in ("serving", "training"):
            wanted = sum(pool.nodes.max for pool in region.pools if pool.purpose == purpose)
            assert wanted <= made.room(subnet_of(purpose))


def test_azure_keeps_five_addresses_of_a_subnet() -> None:
    made = plan(IPv4Network("10.9.8.0/24"))
    assert (made.room("gateway"), RESERVED) == (11, 5)
