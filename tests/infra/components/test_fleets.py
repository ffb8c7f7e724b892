"""What a fleet must have beside its regions: one registry, one edge, and what each cluster is told; in every fleet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.components.policy import DEFINITIONS, PLANS, RULES
from infra.residency.proof import audit
from tests.infra.components import test_region, test_region_data, test_region_pools
from tests.infra.components.rendered import REFERENCES, RenderedFleet, scope

ROOT = Path(__file__).parents[3]
TABLES = (test_region, test_region_pools, test_region_data)
TITLE = "## What is provisioned"

REGISTRY = "Microsoft.ContainerRegistry/registries"
PROFILE = "Microsoft.Cdn/profiles"
CREDENTIAL = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"


def images_in_every_region(made: RenderedFleet) -> None:
    home, *others = dict.fromkeys(region.location for region in made.fleet.regions)
    registry = made.base.one(REGISTRY)
    assert (registry.location, registry.body["sku"]["name"]) == (home, "Premium")
    replicas = {one.location: one.body["properties"] for one in made.base.all(f"{REGISTRY}/replications")}
    assert replicas.keys() == set(others)
    assert all(one["regionEndpointEnabled"] for one in replicas.values())
    pulls = {scope(one) for region in made.regions("region") for one in region.granted("AcrPull")}
    assert pulls == {registry.id}


def infiniband_is_registered(made: RenderedFleet) -> None:
    """Before any region needs it: the subscription that these fleets were rendered in has no feature of its own."""
    feature = made.base.one("Microsoft.Features/featureProviders/subscriptionFeatureRegistrations")
    assert feature.id.endswith("/Microsoft.ContainerService/subscriptionFeatureRegistrations/AKSInfinibandSupport")


def policies_and_defender(made: RenderedFleet) -> None:
    assigned = [one.body["properties"] for one in made.base.all("Microsoft.Authorization/policyAssignments")]
    assert {one["enforcementMode"] for one in assigned} == {"Default"}
    wanted = {f"{DEFINITIONS}/{rule.id}" for rule in RULES.values()}
    assert wanted < {one["policyDefinitionId"] for one in assigned}
    plans = {one.name: one.body["properties"]["pricingTier"] for one in made.base.all("Microsoft.Security/pricings")}
    assert plans == dict.fromkeys(PLANS, "Standard") and {"Containers", "KeyVaults", "StorageAccounts"} <= plans.keys()


def front_door_with_a_firewall_before_every_name(made: RenderedFleet) -> None:
    assert made.base.one(PROFILE).body["sku"]["name"] == "Premium_AzureFrontDoor"
    firewall = made.edge.one("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies")
    assert firewall.body["properties"]["policySettings"]["mode"] == "Prevention"
    guards = [one.body["properties"]["parameters"] for one in made.edge.all(f"{PROFILE}/securityPolicies")]
    assert {one["wafPolicy"]["id"] for one in guards} == {firewall.id}
    guarded = {domain["id"] for one in guards for entry in one["associations"] for domain in entry["domains"]}
    assert guarded == {one.id for one in made.edge.all(f"{PROFILE}/customDomains")} and len(guarded) > 0
    routed = {one["id"] for route in routes(made).values() for one in route["customDomains"]}
    assert routed == guarded and {route["linkToDefaultDomain"] for route in routes(made).values()} == {"Disabled"}


def private_link_origins(made: RenderedFleet) -> None:
    """The link that the edge asks for is the one that the gateway's load balancer makes; nothing leads around it."""
    found = origins(made)
    assert found.keys() == {region.name for region in made.fleet.regions}
    for region, inside in zip(made.regions("region"), made.regions("platform"), strict=True):
        link = found[region.region]["sharedPrivateLinkResource"]
        assert link["privateLink"]["id"] == region.outputs["origin"]["pls_id"]
        notes = inside.objects("Service")["gateway"]["metadata"]["annotations"]
        named = {key.rpartition("/azure-")[2]: value for key, value in notes.items()}
        assert named["load-balancer-internal"] == named["pls-create"] == "true"
        place = f"/resourceGroups/{named['pls-resource-group']}/providers/Microsoft.Network/privateLinkServices/"
        assert link["privateLink"]["id"].endswith(f"{place}{named['pls-name']}")


def failover_inside_the_residency_group(made: RenderedFleet) -> None:
    """By probes of the edge, to origins of the same group, which all take users in these fleets; none to another."""
    for one in made.edge.all(f"{PROFILE}/originGroups"):
        probe = one.body["properties"]["healthProbeSettings"]
        assert (probe["probePath"], probe["probeProtocol"]) == ("/healthz", "Https")
        assert 0 < probe["probeIntervalInSeconds"] <= 30
        assert one.body["properties"]["loadBalancingSettings"]["successfulSamplesRequired"] >= 1
    found = origins(made)
    for region in made.fleet.regions:
        own, near = found[region.name], [found[name] for name in region.failover]
        assert {one["group"] for one in (own, *near)} == {own["group"]}
        assert own["enabledState"] == ("Enabled" if region.traffic == "open" else "Disabled")
        assert own["priority"] == 1, "regions that fail over to each other share their users"
    groups = {region.name: region.residency for region in made.fleet.regions}
    assert len({(groups[name], one["group"]) for name, one in found.items()}) == len(set(groups.values()))


def workloads_without_a_secret(made: RenderedFleet) -> None:
    for region, inside in zip(made.regions("region"), made.regions("platform"), strict=True):
        identities = region.outputs["identities"]
        found = {one.name: one for one in inside.all(CREDENTIAL)}
        assert found.keys() == identities.keys() == inside.objects("ServiceAccount").keys()
        for name, one in found.items():
            properties = one.body["properties"]
            assert one.id.startswith(identities[name]["id"])
            assert properties["subject"] == f"system:serviceaccount:models:{name}"
            assert properties["issuer"] == region.outputs["oidc_issuer"]
            notes = inside.objects("ServiceAccount")[name]["metadata"]["annotations"]
            assert notes["azure.workload.identity/client-id"] == identities[name]["client_id"]
        assert not inside.objects("Secret")


def pools_grow_in_the_order_of_their_price(made: RenderedFleet) -> None:
    """What is paid for anyway, then what is cheap, then the rest: by the names that AKS gives to scale sets."""
    price = {"reserved": 0, "spot": 1, "on-demand": 2}
    for inside in made.regions("platform"):
        config = inside.objects("ConfigMap")["cluster-autoscaler-priority-expander"]
        assert config["metadata"]["namespace"] == "kube-system"
        order = yaml.safe_load(config["data"]["priorities"])
        ranks = {pool.priority: set[int]() for pool in inside.place.pools}
        for pool in inside.place.pools:
            scale_set = f"aks-{pool.name}g{pool.generation}-12345678-vmss"
            ranks[pool.priority].add(max(rank for rank, names in order.items() if _any(names, scale_set)))
        assert all(len(found) == 1 for found in ranks.values())
        best = sorted(ranks, key=lambda priority: -min(ranks[priority]))
        assert best == sorted(ranks, key=price.__getitem__)


def data_inside_their_residency_group(made: RenderedFleet) -> None:
    assert audit(made.fleet, [request for one in made.stacks.values() for request in one.requests]) == ()


def no_password_key_or_token(made: RenderedFleet) -> None:
    """No request has a property that is one, whatever its type."""
    for one in made.stacks.values():
        for request in one.requests:
            found = SECRET.findall(json.dumps(request.body))
            assert not found, f"{request.id}: {found}"


SECRET = re.compile(r'"(\w*(?:password|accountkey|sharedkey|clientsecret|connectionstring)\w*)": "', re.IGNORECASE)


ROWS: list[Callable[[RenderedFleet], None]] = [
    images_in_every_region,
    infiniband_is_registered,
    policies_and_defender,
    front_door_with_a_firewall_before_every_name,
    private_link_origins,
    failover_inside_the_residency_group,
    workloads_without_a_secret,
    pools_grow_in_the_order_of_their_price,
    data_inside_their_residency_group,
    no_password_key_or_token,
]


@pytest.mark.parametrize("fleet", REFERENCES)
@pytest.mark.parametrize("row", ROWS, ids=[row.__name__ for row in ROWS])
def test_a_fleet_has(fleets: dict[str, RenderedFleet], fleet: str, row: Callable[[RenderedFleet], None]) -> None:
    row(fleets[fleet])


@pytest.mark.parametrize("fleet", REFERENCES)
def test_only_components_have_children_and_all_of_azure_has_a_component(
    fleets: dict[str, RenderedFleet], fleet: str
) -> None:
    """A child has all aliases of its parent times its own (pulumi-azure-native#4516)."""
    for one in fleets[fleet].stacks.values():
        for urn in one.recorder.registered:
            *above, own = urn.split("::")[2].split("$")
            assert all(kind.startswith("bellwether:") for kind in above), urn
            assert above or not own.startswith("azure-native:") or own.endswith(":ResourceGroup"), urn


def test_the_documentation_names_every_row_and_where_it_is_made() -> None:
    """And no other."""
    page = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| [^|]+ \| (`[^|]+) \| (`[^|]+) \|$", page.partition(TITLE)[2], re.MULTILINE)
    asserted = [name for _, names in table for name in re.findall(r"`(\w+)`", names)]
    rows = [*ROWS, *(row for module in TABLES for _, row in module.ROWS)]
    assert sorted(asserted) == sorted(row.__name__ for row in rows)
    for files, _ in table:
        first, *others = re.findall(r"`([\w/.]+)`", files)
        made = [first, *(one if "/" in one else f"components/{one}" for one in others)]
        assert [one for one in made if not (ROOT / "infra" / one).is_file()] == []


def origins(made: RenderedFleet) -> dict[str, dict[str, Any]]:
    """Region -> properties of its origin, and the origin group that it is in."""
    places = {region.location: region.name for region in made.fleet.regions}
    found = [(one.id, one.body["properties"]) for one in made.edge.all(f"{PROFILE}/originGroups/origins")]
    return {
        places[properties["sharedPrivateLinkResource"]["privateLinkLocation"]]: {
            **properties,
            "group": id.partition("/origins/")[0],
        }
        for id, properties in found
    }


def routes(made: RenderedFleet) -> dict[str, dict[str, Any]]:
    """Properties of the edge's routes, by name."""
    return {one.name: one.body["properties"] for one in made.edge.all(f"{PROFILE}/afdEndpoints/routes")}


def _any(patterns: list[str], name: str) -> bool:
    return any(re.match(pattern, name) for pattern in patterns)
