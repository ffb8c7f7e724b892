"""Security rules, asked as packets would: from where, to where, which port."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from infra.blueprint.addresses import NODES, AddressPlan, plan
from infra.blueprint.segmentation import Rule, rules

PLAN = plan(IPv4Network("10.16.0.0/14"))
MADE = [subnet for subnet in PLAN.subnets if subnet != "firewall"]
ADDRESSES = {
    **{name: str(subnet[9]) for name, subnet in PLAN.subnets.items()},
    "pods": str(PLAN.pods[9]),
    "elsewhere": "10.200.0.9",
    "Internet": "203.0.113.9",
    "AzureLoadBalancer": "168.63.129.16",
}


def verdict(subnet: str, direction: str, source: str, destination: str, port: int, protocol: str = "Tcp") -> str:
    """What the first rule that matches says."""
    for rule in rules(PLAN, subnet):
        if rule.direction == direction and _matches(rule, source, destination, port, protocol):
            return rule.access
    return "no rule"


def _matches(rule: Rule, source: str, destination: str, port: int, protocol: str) -> bool:
    return (
        _within(rule.sources, source)
        and _within(rule.destinations, destination)
        and (rule.ports == ("*",) or str(port) in rule.ports)
        and rule.protocol in ("*", protocol)
    )


def _within(ranges: tuple[str, ...], name: str) -> bool:
    if "*" in ranges or name in ranges:
        return True
    return any("/" in each and IPv4Network(ADDRESSES[name]).subnet_of(IPv4Network(each)) for each in ranges)


ALLOWED = [
    ("serving", "Inbound", "system", "serving", 10250),  # kubelet
    ("training", "Inbound", "training", "training", 29500),  # ranks of one job
    ("training", "Inbound", "pods", "pods", 29500),
    ("system", "Inbound", "gateway", "system", 443),  # users, through the private link
    ("system", "Inbound", "AzureLoadBalancer", "system", 30443),
    ("endpoints", "Inbound", "serving", "endpoints", 443),
    ("system", "Inbound", "operations", "system", 443),  # the API server's private endpoint is there
    ("operations", "Outbound", "operations", "system", 443),
    ("gateway", "Inbound", "AzureLoadBalancer", "gateway", 443),
    *[(subnet, "Outbound", subnet, "Internet", 443) for subnet in NODES],
    *[(subnet, "Outbound", subnet, "endpoints", 443) for subnet in NODES],
]
DENIED = [
    ("serving", "Inbound", "gateway", "serving", 443),  # users have nothing to do on machines with GPUs
    ("training", "Inbound", "gateway", "training", 443),
    ("training", "Inbound", "AzureLoadBalancer", "training", 443),
    ("serving", "Inbound", "Internet", "serving", 443),
    ("serving", "Inbound", "elsewhere", "serving", 22),  # a network that is peered one day
    ("system", "Inbound", "gateway", "system", 22),
    ("endpoints", "Inbound", "gateway", "endpoints", 443),
    ("endpoints", "Inbound", "Internet", "endpoints", 443),
    ("endpoints", "Outbound", "endpoints", "Internet", 443),
    ("gateway", "Inbound", "Internet", "gateway", 443),
    ("operations", "Inbound", "Internet", "operations", 22),
    ("operations", "Outbound", "operations", "serving", 22),
    ("serving", "Inbound", "operations", "serving", 443),
    *[(subnet, "Outbound", subnet, "Internet", 22) for subnet in NODES],
    *[(subnet, "Outbound", subnet, "elsewhere", 443) for subnet in NODES],
]


@pytest.mark.parametrize("packet", ALLOWED, ids=str)
def test_what_is_needed_passes(packet: tuple[str, str, str, str, int]) -> None:
    assert verdict(*packet) == "Allow"


@pytest.mark.parametrize("packet", DENIED, ids=str)
def test_what_is_not_needed_does_not_pass(packet: tuple[str, str, str, str, int]) -> None:
    assert verdict(*packet) == "Deny"


def test_clocks_are_set_over_udp() -> None:
    assert verdict("serving", "Outbound", "serving", "Internet", 123, "Udp") == "Allow"
    assert verdict("serving", "Outbound", "serving", "Internet", 123, "Tcp") == "Deny"


@pytest.mark.parametrize("subnet", MADE)
def test_each_list_ends_with_nothing_else_in_both_directions(subnet: str) -> None:
    last = rules(PLAN, subnet)[-2:]
    assert [(rule.direction, rule.access, rule.sources) for rule in last] == [
        ("Inbound", "Deny", ("*",)),
        ("Outbound", "Deny", ("*",)),
    ]


def test_names_of_rules_are_unique_in_a_list() -> None:
    for subnet in MADE:
        found = [rule.name for rule in rules(PLAN, subnet)]
        assert len(found) == len(set(found))


def test_rules_follow_the_plan() -> None:
    other: AddressPlan = plan(IPv4Network("192.168.4.0/24"))
    assert rules(other, "endpoints")[0].destinations == (str(other.subnets["endpoints"]),)
