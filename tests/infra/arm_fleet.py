"""The requests of a fleet as ARM takes them, written by hand: one of every kind that keeps, copies or sends data.

Smaller than what the programs render, and independent of them: a change of theirs does not hide a violation here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.azure.schema import Request
from infra.blueprint.naming import Naming
from infra.blueprint.placement import backup_redundancy, home, origin_groups, registry_replicas, vault_location
from infra.fleet import Fleet
from infra.region import Region

SCRUBBING = {"state": "Enabled", "scrubbingRules": [{"matchVariable": "RequestIPAddress", "state": "Enabled"}]}


def request(id: str, location: str | None, body: dict[str, Any]) -> Request:
    """A PUT, with type and name from its id."""
    words = id.rpartition("/providers/")[2].split("/")
    type = "/".join([words[0], *words[1::2]]) if "/providers/" in id else "Microsoft.Resources/resourceGroups"
    full = {**({"location": location} if location else {}), **body}
    return Request("", id, type, "2025-01-01", id.rpartition("/")[2], location, full)


def arm_fleet(fleet: Fleet) -> list[Request]:
    """Everything of a fleet, in the order it is made."""
    regional = [made for region in fleet.regions for made in _region(fleet, region)]
    return [*_base(fleet), *regional, *_edge(fleet)]


def group_id(fleet: Fleet, location: str = "") -> str:
    """The resource group of a region, or of what the fleet has once."""
    name = _names(fleet).name("resource group", location, "" if location else "base")
    return f"/subscriptions/{_subscription(fleet)}/resourceGroups/{name}"


def arm_id(fleet: Fleet, type: str, kind: str, location: str = "", part: str = "") -> str:
    """The id of a resource of a region, by its kind in infra/blueprint/naming.py."""
    return f"{group_id(fleet, location)}/providers/{type}/{_names(fleet).name(kind, location, part)}"


def _names(fleet: Fleet) -> Naming:
    return Naming(fleet.name, fleet.environment, _subscription(fleet))


def _subscription(fleet: Fleet) -> str:
    assert fleet.azure is not None
    return fleet.azure.subscription


def _base(fleet: Fleet) -> Iterator[Request]:
    place = home(fleet).location
    registry = arm_id(fleet, "Microsoft.ContainerRegistry/registries", "registry")
    profile = arm_id(fleet, "Microsoft.Cdn/profiles", "Front Door")
    logs = arm_id(fleet, "Microsoft.OperationalInsights/workspaces", "log workspace", part="edge")
    state = arm_id(fleet, "Microsoft.Storage/storageAccounts", "storage account")
    yield request(group_id(fleet), place, {})
    yield request(registry, place, {"sku": {"name": "Premium"}})
    for location in registry_replicas(fleet):
        yield request(f"{registry}/replications/{location}", location, {"properties": {"zoneRedundancy": "Enabled"}})
    yield request(state, place, {"sku": {"name": "Standard_ZRS"}, "kind": "StorageV2"})
    yield request(logs, place, {"properties": {"retentionInDays": 30}})
    yield request(profile, "global", {"properties": {"logScrubbing": SCRUBBING}})
    setting = {"workspaceId": logs, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}
    yield request(f"{profile}/providers/Microsoft.Insights/diagnosticSettings/logs", None, {"properties": setting})
    yield request(arm_id(fleet, "Microsoft.Insights/actionGroups", "action group"), "global", {"properties": {}})


def _region(fleet: Fleet, region: Region) -> Iterator[Request]:
    place = region.location

    def made(type: str, kind: str, part: str = "") -> str:
        return arm_id(fleet, type, kind, place, part)

    logs = made("Microsoft.OperationalInsights/workspaces", "log workspace")
    metrics = made("Microsoft.Monitor/accounts", "metrics workspace")
    endpoint = made("Microsoft.Insights/dataCollectionEndpoints", "collection endpoint")
    rule = made("Microsoft.Insights/dataCollectionRules", "collection rule")
    network = made("Microsoft.Network/virtualNetworks", "virtual network")
    cluster = made("Microsoft.ContainerService/managedClusters", "cluster")
    vault = made("Microsoft.KeyVault/vaults", "key vault")
    store = made("Microsoft.Storage/storageAccounts", "storage account", "backup")
    backups = made("Microsoft.DataProtection/backupVaults", "backup vault")
    registry = arm_id(fleet, "Microsoft.ContainerRegistry/registries", "registry")
    action = arm_id(fleet, "Microsoft.Insights/actionGroups", "action group")
    pods = f"{network}/subnets/pods"
    yield request(group_id(fleet, place), place, {})
    yield request(logs, place, {"properties": {"retentionInDays": 30}})
    yield request(metrics, place, {"properties": {}})
    yield request(endpoint, place, {"properties": {}})
    sinks = {
        "monitoringAccounts": [{"accountResourceId": metrics, "name": "metrics"}],
        "logAnalytics": [{"workspaceResourceId": logs, "name": "logs"}],
    }
    yield request(rule, place, {"properties": {"dataCollectionEndpointId": endpoint, "destinations": sinks}})
    yield request(network, place, {"properties": {"addressSpace": {"addressPrefixes": [str(region.address_space)]}}})
    defender = {"defender": {"logAnalyticsWorkspaceResourceId": logs, "securityMonitoring": {"enabled": True}}}
    pool = {"name": "system", "vnetSubnetID": f"{network}/subnets/nodes"}
    yield request(cluster, place, {"properties": {"securityProfile": defender, "agentPoolProfiles": [pool]}})
    association = f"{cluster}/providers/Microsoft.Insights/dataCollectionRuleAssociations/metrics"
    yield request(association, None, {"properties": {"dataCollectionRuleId": rule}})
    setting = {"workspaceId": logs, "logs": [{"category": "kube-audit", "enabled": True}]}
    yield request(f"{cluster}/providers/Microsoft.Insights/diagnosticSettings/logs", None, {"properties": setting})
    yield request(vault, vault_location(fleet, region), {"properties": {"sku": {"family": "A", "name": "premium"}}})
    for part, target in (("vault", vault), ("registry", registry)):
        link = {"name": part, "properties": {"privateLinkServiceId": target, "groupIds": [part]}}
        body = {"properties": {"subnet": {"id": pods}, "privateLinkServiceConnections": [link]}}
        yield request(made("Microsoft.Network/privateEndpoints", "private endpoint", part), place, body)
    rules = {"scopes": [metrics], "rules": [{"actions": [{"actionGroupId": action}]}]}
    yield request(made("Microsoft.AlertsManagement/prometheusRuleGroups", "rule group"), place, {"properties": rules})
    yield request(store, place, {"sku": {"name": "Standard_ZRS"}, "kind": "StorageV2"})
    redundancy = {"datastoreType": "VaultStore", "type": backup_redundancy(region)}
    yield request(backups, place, {"properties": {"storageSettings": [redundancy]}})
    kept = {"dataSourceInfo": {"resourceID": cluster, "resourceLocation": place}}
    yield request(f"{backups}/backupInstances/cluster", None, {"properties": kept})
    location = {"configuration.backupStorageLocation.config.storageAccount": store.rpartition("/")[2]}
    extension = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/backup"
    yield request(extension, None, {"properties": {"configurationSettings": location}})
    yield request(made("Microsoft.Network/privateLinkServices", "private link service"), place, {"properties": {}})


def _edge(fleet: Fleet) -> Iterator[Request]:
    profile = arm_id(fleet, "Microsoft.Cdn/profiles", "Front Door")
    zone = f"{group_id(fleet)}/providers/Microsoft.Network/dnsZones/atlas.example.com"
    policy = arm_id(fleet, "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies", "web application firewall")
    yield request(policy, "Global", {"properties": {"policySettings": {"logScrubbing": SCRUBBING}}})
    yield request(f"{profile}/ruleSets/headers/rules/hsts", None, {"properties": {"actions": []}})
    for group, members in origin_groups(fleet).items():
        origins = f"{profile}/originGroups/{_names(fleet).name('origin group', part=group)}"
        endpoint = f"{profile}/afdEndpoints/{_names(fleet).name('edge endpoint', part=group)}"
        yield request(endpoint, "global", {"properties": {"enabledState": "Enabled"}})
        yield request(origins, None, {"properties": {}})
        for region in members:
            link = {
                "privateLink": {"id": _link(fleet, region.location)},
                "privateLinkLocation": region.location,
            }
            yield request(f"{origins}/origins/{region.name}", None, {"properties": {"sharedPrivateLinkResource": link}})
        sets = [{"id": f"{profile}/ruleSets/headers"}]
        route = {"originGroup": {"id": origins}, "ruleSets": sets, "patternsToMatch": ["/*"]}
        yield request(f"{endpoint}/routes/all", None, {"properties": route})
        yield request(f"{zone}/CNAME/{group}", None, {"properties": {"targetResource": {"id": endpoint}}})


def _link(fleet: Fleet, location: str) -> str:
    return arm_id(fleet, "Microsoft.Network/privateLinkServices", "private link service", location)
