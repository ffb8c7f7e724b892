"""No data leave their residency group: every seeded violation is refused with its path, and nothing harmless is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from infra.azure.schema import UNKNOWN, Request
from infra.blueprint.foundation import foundation
from infra.blueprint.placement import home, placements
from infra.errors import GateFailed
from infra.fleet import FLEETS, load_fleet, names, read_fleet
from infra.residency.proof import ResidencyViolated, audit, prove, require
from infra.yamlfile.source import parse
from tests.infra.arm_fleet import arm_fleet, arm_id, group_id, request
from tests.infra.arm_violations import LOGS, STORE, VAULT, WAYS, edited
from tests.infra.fleet_violations import MISPLACINGS, SLIPS
from tests.infra.violations import FLEET, RENDERED, atlas, seeded_violations

ATLAS = (FLEETS / "atlas.yaml").read_text(encoding="utf-8")


def test_all_of_200_seeded_violations_are_caught_by_what_names_them() -> None:
    """Half in the fleet file and its placements, half in rendered requests; every way is among them."""
    found = list(seeded_violations())
    assert [(one.name, one.seed, one.said) for one in found if not one.caught] == []
    assert len(found) == FLEET + RENDERED == 200
    assert {one.name for one in found} == {*SLIPS, *MISPLACINGS, *WAYS}


@pytest.mark.parametrize("name", names())
def test_the_fleets_that_ship_violate_nothing(name: str) -> None:
    """Neither what they place nor one request of each kind."""
    fleet = load_fleet(name)
    assert prove(fleet) == ()
    assert [str(one) for one in audit(fleet, arm_fleet(fleet))] == []


def test_a_violation_of_the_file_is_refused_with_line_and_path() -> None:
    """The line is the one to change."""
    text = ATLAS.replace("data: [prompts, completions, uploads, weights, telemetry, backups]", "data: [prompts]", 1)
    source = parse("atlas.yaml", text)
    with pytest.raises(ResidencyViolated) as refused:
        require(read_fleet(source), source)
    line = next(number for number, line in enumerate(text.split("\n"), 1) if line == "    location: swedencentral") + 1
    assert isinstance(refused.value, GateFailed)
    assert refused.value.what.split("\n")[0] == (
        f"atlas.yaml:{line}:16: regions[2].residency: logs and metrics of swedencentral -> telemetry -> "
        "swedencentral (EU): the group eu keeps prompts, and no telemetry"
    )


def test_what_is_proved_is_let_pass() -> None:
    """Without a word."""
    source = parse("atlas.yaml", ATLAS)
    require(read_fleet(source), source)


def _setting(target: str, body: Callable[[str], dict[str, Any]]) -> Callable[[list[Request]], list[Request]]:
    """A diagnostic setting on the cluster of swedencentral."""
    cluster = arm_id(atlas(), "Microsoft.ContainerService/managedClusters", "cluster", "swedencentral")
    id = f"{cluster}/providers/Microsoft.Insights/diagnosticSettings/added"
    return lambda requests: [*requests, request(id, None, {"properties": body(target)})]


def _set(id: str, path: str, value: Any) -> Callable[[list[Request]], list[Request]]:
    return lambda requests: edited(requests, id, path, value)


def _added(id: str, location: str | None, body: dict[str, Any]) -> Callable[[list[Request]], list[Request]]:
    return lambda requests: [*requests, request(id, location, body)]


BASE = group_id(atlas())
SWEDEN, HOLLAND = group_id(atlas(), "swedencentral"), group_id(atlas(), "westeurope")
REGIONS = [{"name": one.name, "properties": {"endpointLocation": one.location}} for one in atlas().regions]
ROUTE = next(one for one in arm_fleet(atlas()) if one.type.endswith("/routes")).id
RULE = next(one for one in arm_fleet(atlas()) if one.type.endswith("/rules")).id
HARMLESS: dict[str, Callable[[list[Request]], list[Request]]] = {
    "geo-redundant storage whose pair is inside": _set(
        arm_id(atlas(), *STORE[:2], "eastus2", "backup"), "sku.name", "Standard_GZRS"
    ),
    "logs to the other region of the group": _setting(
        arm_id(atlas(), *LOGS, "westeurope"), lambda id: {"workspaceId": id}
    ),
    "an alert that calls people from home": _setting(
        f"{BASE}/providers/Microsoft.Insights/actionGroups/a", lambda id: {"x": id}
    ),
    "a role on the registry at home": _added(
        f"{SWEDEN}/providers/Microsoft.Authorization/roleAssignments/pull",
        None,
        {"properties": {"scope": arm_id(atlas(), "Microsoft.ContainerRegistry/registries", "registry")}},
    ),
    "private DNS names for a network of another group": _added(
        f"{BASE}/providers/Microsoft.Network/privateDnsZones/z/virtualNetworkLinks/eu",
        "global",
        {"properties": {"virtualNetwork": {"id": f"{SWEDEN}/providers/Microsoft.Network/virtualNetworks/v"}}},
    ),
    "geographic routing by Traffic Manager": _added(
        f"{BASE}/providers/Microsoft.Network/trafficManagerProfiles/all",
        "global",
        {"properties": {"trafficRoutingMethod": "Geographic", "endpoints": REGIONS}},
    ),
    "a flow log beside its network": _added(
        f"{BASE}-watchers/providers/Microsoft.Network/networkWatchers/NetworkWatcher_swedencentral/flowLogs/nodes",
        "swedencentral",
        {"properties": {"storageId": arm_id(atlas(), *STORE[:2], "swedencentral", "backup")}},
    ),
    "an encrypted disk beside its key": _added(
        f"{SWEDEN}/providers/Microsoft.Compute/diskEncryptionSets/d",
        "Sweden Central",
        {"properties": {"activeKey": {"sourceVault": {"id": arm_id(atlas(), *VAULT, "swedencentral")}}}},
    ),
    "backups that say they stay": _added(
        f"{SWEDEN}/providers/Microsoft.RecoveryServices/vaults/v",
        "swedencentral",
        {"properties": {"redundancySettings": {"standardTierStorageRedundancy": "ZoneRedundant"}}},
    ),
    "a replica in the group": _added(
        f"{SWEDEN}/providers/Microsoft.EventHub/namespaces/n",
        "swedencentral",
        {"properties": {"geoDataReplication": {"locations": [{"locationName": "West Europe"}]}}},
    ),
    "regional inference": _added(
        f"{SWEDEN}/providers/Microsoft.CognitiveServices/accounts/a/deployments/d", None, {"sku": {"name": "Standard"}}
    ),
    "a peering inside the group": _added(
        f"{SWEDEN}/providers/Microsoft.Network/virtualNetworks/v/virtualNetworkPeerings/p",
        None,
        {"properties": {"remoteVirtualNetwork": {"id": f"{HOLLAND}/providers/Microsoft.Network/virtualNetworks/v"}}},
    ),
    "a policy that says where things may be": _added(
        f"{BASE.rpartition('/resourceGroups/')[0]}/providers/Microsoft.Authorization/policyAssignments/places",
        None,
        {"properties": {"parameters": {"listOfAllowedLocations": {"value": ["eastus2", "swedencentral"]}}}},
    ),
    "a budget over a region": _added(
        f"{BASE}/providers/Microsoft.Consumption/budgets/b", None, {"properties": {"filter": {"values": [SWEDEN]}}}
    ),
    "a rule that switches caching off": _set(
        RULE, "properties.actions", [{"name": "RouteConfigurationOverride", "parameters": {"cacheConfiguration": None}}]
    ),
    "what is not known yet": _setting("", lambda _: {"workspaceId": UNKNOWN}),
    "a tag that looks like an id": _set(
        arm_id(atlas(), *LOGS, "swedencentral"), "tags", {"old": arm_id(atlas(), *LOGS, "eastus2")}
    ),
    "an origin behind the name of its region": _added(
        f"{ROUTE.rpartition('/afdEndpoints/')[0]}/originGroups/og-eu/origins/extra",
        None,
        {"properties": {"hostName": "models.westeurope.example.net"}},
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not_refused(name: str) -> None:
    """A proof that cries wolf is switched off."""
    assert [str(one) for one in audit(atlas(), HARMLESS[name](arm_fleet(atlas())))] == []


def test_a_path_goes_from_the_resource_over_the_property_to_where_it_leads() -> None:
    """And says what the group allows."""
    id = arm_id(atlas(), "Microsoft.Insights/dataCollectionRules", "collection rule", "swedencentral")
    path = "properties.destinations.logAnalytics.0.workspaceResourceId"
    (found,) = audit(atlas(), edited(arm_fleet(atlas()), id, path, arm_id(atlas(), *LOGS, "japaneast")))
    assert str(found) == (
        "Microsoft.Insights/dataCollectionRules dcr-atlas-prod-sec-001 -> "
        "properties.destinations.logAnalytics[0].workspaceResourceId -> log-atlas-prod-jpe-001 in japaneast (JP): "
        "data of eu stay under EU"
    )
    assert found.place == ("residency", "eu", "jurisdictions")


def test_a_kind_of_resource_is_not_made_where_its_data_may_not_be() -> None:
    """Workspaces keep telemetry, vaults of backups keep backups, a registry keeps weights."""
    fleet = atlas()
    bare = {
        name: group.model_copy(update={"data": ("prompts", "completions")}) for name, group in fleet.residency.items()
    }
    found = audit(fleet.model_copy(update={"residency": bare}), arm_fleet(fleet))
    said = [str(one) for one in found]
    for kind in ("telemetry", "backups", "weights"):
        assert any(f"and no {kind}" in line for line in said), kind
    assert any("registry replication -> swedencentral (EU): no region there" in line for line in said)
    assert any("privateLinkServiceId -> " in line and "cr" in line for line in said)  # pulling weights through it


def test_two_groups_under_one_law_are_two_groups() -> None:
    """Customers of one are not customers of the other."""
    fleet = atlas()
    regions = [
        one.model_copy(update={"residency": "eu2"}) if one.name == "westeurope" else one for one in fleet.regions
    ]
    groups = {**fleet.residency, "eu2": fleet.residency["eu"]}
    apart = fleet.model_copy(update={"residency": groups, "regions": tuple(regions)})
    id = arm_id(apart, "Microsoft.Insights/dataCollectionRules", "collection rule", "swedencentral")
    path, target = "properties.destinations.logAnalytics.0.workspaceResourceId", arm_id(apart, *LOGS, "westeurope")
    assert "data of eu stay under EU" in [one.what for one in audit(apart, edited(arm_fleet(apart), id, path, target))]
    failover = [one for one in prove(apart) if one.path.startswith("chat in swedencentral")]
    assert [one.what for one in failover] == ["prompts, completions, weights: data of eu stay under EU"]


@pytest.mark.parametrize("name", names())
def test_where_the_state_lies_violates_nothing(name: str) -> None:
    """What is there before the first stack."""
    fleet = load_fleet(name)
    assert fleet.azure is not None
    items = foundation(fleet, fleet.azure).items
    made = [request(item.id, item.body.get("location"), dict(item.body)) for item in items]
    assert [str(one) for one in audit(fleet, made)] == []


def test_configuration_may_be_anywhere_and_secrets_may_not() -> None:
    """The state of the stacks holds names and ids; a vault holds keys."""
    state, vault = (next(one for one in placements(atlas()) if one.kind == kind) for kind in ("storage", "key vault"))
    assert prove(atlas(), [replace(state, copies=("brazilsouth",), via="a copy")]) == ()
    (found,) = prove(atlas(), [replace(vault, copies=("brazilsouth",), via="a copy")])
    assert str(found) == "key vault of the state -> a copy -> brazilsouth (BR): secrets: data of us stay under US"


def test_one_group_needs_no_scrubbed_addresses() -> None:
    """The logs of the edge lie where the users' data lie anyway."""
    fleet = load_fleet("demo")
    profile = arm_id(fleet, "Microsoft.Cdn/profiles", "Front Door")
    bare = edited(arm_fleet(fleet), profile, "properties", {})
    own = [replace(one, id=one.id) for one in bare]
    assert home(fleet).residency == "us"
    assert audit(fleet, own) == ()
