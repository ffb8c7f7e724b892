"""Ways in which one rendered request makes data leave their group, each with the words that must name it.

A way takes a random choice of where to do it and the requests of a fleet. It gives back the requests with the violation
in them, and a text that the violation's path must hold.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from infra.azure.schema import Request
from infra.fleet import Fleet
from tests.infra.arm_fleet import arm_id, group_id, request

Made = tuple[list[Request], str]
Way = Callable[[Random, Fleet, list[Request]], Made]

ABROAD = ("brazilsouth", "uksouth", "switzerlandnorth", "centralindia", "australiaeast")
"""Azure regions under laws that no group of atlas allows."""

ELSEWHERE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers"
LOGS = ("Microsoft.OperationalInsights/workspaces", "log workspace")
STORE = ("Microsoft.Storage/storageAccounts", "storage account", "backup")
VAULT = ("Microsoft.KeyVault/vaults", "key vault")


class Site:
    """Two regions of different groups, drawn by chance, and the ids of what is in them."""

    def __init__(self, random: Random, fleet: Fleet) -> None:
        self.fleet = fleet
        self.here = random.choice(fleet.regions)
        self.there = random.choice([one for one in fleet.regions if one.residency != self.here.residency])
        self.abroad = random.choice(ABROAD)

    def own(self, type: str, kind: str, part: str = "") -> str:
        """The id of a resource of the one region."""
        return arm_id(self.fleet, type, kind, self.here.location, part)

    def other(self, type: str, kind: str, part: str = "") -> str:
        """The id of the same resource of the other region."""
        return arm_id(self.fleet, type, kind, self.there.location, part)


def edited(requests: list[Request], id: str, path: str, value: Any) -> list[Request]:
    """The requests with one property of one of them set. A path is keys and positions with dots."""
    return [_with(one, path, value) if one.id == id else one for one in requests]


def _with(one: Request, path: str, value: Any) -> Request:
    body: Any = deepcopy(one.body)
    inner, steps = body, path.split(".")
    for step in steps[:-1]:
        inner = inner[int(step)] if step.isdigit() else inner.setdefault(step, {})
    inner[int(steps[-1]) if steps[-1].isdigit() else steps[-1]] = value
    return Request(one.token, one.id, one.type, one.api_version, one.name, body.get("location"), body)


def _change(type: str, kind: str, path: str, target: tuple[str, ...], part: str = "", tail: str = "") -> Way:
    """A property of a resource refers to the resource of another group."""

    def way(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
        site = Site(random, fleet)
        id = site.own(type, kind, part) + tail
        return edited(requests, id, path, site.other(*target)), id.rpartition("/")[2]

    return way


def _add(type: str, body: Callable[[Site], dict[str, Any]], location: str = "") -> Way:
    """A resource that leads out of its group is added to a region's resource group."""

    def way(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
        site = Site(random, fleet)
        names = type.split("/")
        pairs = "/".join(f"{word}/added" for word in names[1:])
        place = location or site.here.location
        id = f"{group_id(fleet, place)}/providers/{names[0]}/{pairs}"
        return [*requests, request(id, place, body(site))], "added"

    return way


def _moved(type: str, kind: str, part: str = "") -> Way:
    def way(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
        site = Site(random, fleet)
        id = site.own(type, kind, part)
        return edited(requests, id, "location", site.abroad), f"{id.rpartition('/')[2]} -> location -> {site.abroad}"

    return way


def _in_singapore(type: str, kind: str, path: str, value: Any, part: str = "") -> Way:
    """Azure's pair of Singapore is Hong Kong, which the contracts of the group do not allow."""

    def way(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
        id = arm_id(fleet, type, kind, "southeastasia", part)
        return edited(requests, id, path, value), "eastasia (HK)"

    return way


def _setting(random: Random, fleet: Fleet, requests: list[Request], body: dict[str, Any]) -> list[Request]:
    cluster = Site(random, fleet).own("Microsoft.ContainerService/managedClusters", "cluster")
    id = f"{cluster}/providers/Microsoft.Insights/diagnosticSettings/added"
    return [*requests, request(id, None, {"properties": body})]


def _to_unknown(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    away = f"{ELSEWHERE}/Microsoft.EventHub/namespaces/n/authorizationRules/send"
    return _setting(random, fleet, requests, {"eventHubAuthorizationRuleId": away}), "nobody"


def _to_twin(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    """A resource group that is called like the region's own, in a subscription that nobody here knows."""
    own = Site(random, fleet).own(*LOGS)
    twin = own.replace(own.split("/")[2], ELSEWHERE.split("/")[2])
    return _setting(random, fleet, requests, {"workspaceId": twin}), "nobody"


def _to_nameless(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    """A group that no region has and that nobody makes here."""
    id = f"{group_id(fleet).rpartition('/')[0]}/logs/providers/Microsoft.OperationalInsights/workspaces/central"
    return _setting(random, fleet, requests, {"workspaceId": id}), "nobody"


def _replica(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    place = random.choice(ABROAD)
    registry = arm_id(fleet, "Microsoft.ContainerRegistry/registries", "registry")
    return [*requests, request(f"{registry}/replications/{place}", place, {})], f"registry replication -> {place}"


def _policy(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    """One policy sends the logs of all regions to one workspace."""
    id = f"/subscriptions/{group_id(fleet).split('/')[2]}/providers/Microsoft.Authorization/policyAssignments/logs"
    to = {"logAnalytics": {"value": Site(random, fleet).own(*LOGS)}}
    return [*requests, request(id, None, {"properties": {"parameters": to}})], "logAnalytics"


def _first(requests: list[Request], type: str, random: Random) -> Request:
    return random.choice([one for one in requests if one.type == f"Microsoft.Cdn/profiles/{type}"])


def _foreign(random: Random, requests: list[Request], type: str, known: Request) -> Request:
    """One of the same type for another residency group, which is the last word but two of its parent's name."""
    parent = known.id.split("/")[10]
    other = [one for one in requests if one.type.endswith(type) and one.id.split("/")[10] != parent]
    return random.choice(other)


def _origin(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    """An origin of one group becomes an origin of the origin group of another: failover leaves the group."""
    origin = _first(requests, "originGroups/origins", random)
    group = _foreign(random, requests, "/originGroups/origins", origin).id.rpartition("/origins/")[0]
    return [*requests, request(f"{group}/origins/{origin.name}", None, origin.body)], origin.name


def _route(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    route = _first(requests, "afdEndpoints/routes", random)
    other = _foreign(random, requests, "/afdEndpoints/routes", route).body["properties"]["originGroup"]
    return edited(requests, route.id, "properties.originGroup", other), "properties.originGroup.id"


def _override(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    """A rule sends requests of every endpoint to the origins of one group."""
    rule, route = _first(requests, "ruleSets/rules", random), _first(requests, "afdEndpoints/routes", random)
    to = {"originGroupOverride": {"originGroup": route.body["properties"]["originGroup"]}}
    action = {"name": "RouteConfigurationOverride", "parameters": to}
    return edited(requests, rule.id, "properties.actions", [action]), "originGroupOverride"


def _cache(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    route = _first(requests, "afdEndpoints/routes", random)
    value = {"queryStringCachingBehavior": "UseQueryString"}
    return edited(requests, route.id, "properties.cacheConfiguration", value), "the caches of the edge"


def _cache_rule(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    rule = _first(requests, "ruleSets/rules", random)
    caching = {"cacheConfiguration": {"cacheBehavior": "OverrideAlways"}}
    action = {"name": "RouteConfigurationOverride", "parameters": caching}
    return edited(requests, rule.id, "properties.actions", [action]), "the caches of the edge"


def _link_location(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    origin = _first(requests, "originGroups/origins", random)
    place = random.choice(ABROAD)
    return edited(requests, origin.id, "properties.sharedPrivateLinkResource.privateLinkLocation", place), place


def _stranger(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    origin = _first(requests, "originGroups/origins", random)
    return edited(requests, origin.id, "properties", {"hostName": "models.example.net"}), "a place nobody here knows"


def _traffic(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    ends = [{"name": one.name, "properties": {"endpointLocation": one.location}} for one in fleet.regions]
    method = random.choice(("Priority", "Performance", "Weighted"))
    body = {"properties": {"trafficRoutingMethod": method, "endpoints": ends}}
    id = f"{group_id(fleet)}/providers/Microsoft.Network/trafficManagerProfiles/all"
    return [*requests, request(id, "global", body)], "traffic profile all"


def _record(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
    records = [one for one in requests if one.type == "Microsoft.Network/dnsZones/CNAME"]
    first, second = random.sample(records, 2)
    return edited(requests, first.id, "properties", second.body["properties"]), f"DNS record {first.name}"


def _unscrubbed(type: str, kind: str, path: str, value: Any = "Disabled") -> Way:
    def way(random: Random, fleet: Fleet, requests: list[Request]) -> Made:
        return edited(requests, arm_id(fleet, type, kind), path, value), "workspaceId"

    return way


def _located(key: str) -> Callable[[Site], dict[str, Any]]:
    """A body with a region abroad at a dotted path, [] for a list of one."""

    def body(site: Site) -> dict[str, Any]:
        value: Any = site.abroad
        for step in reversed(key.split(".")):
            value = {step.removesuffix("[]"): [value] if step.endswith("[]") else value}
        return dict(value)

    return body


def _properties(**fixed: Any) -> Callable[[Site], dict[str, Any]]:
    return lambda site: {"properties": {key: value(site) if callable(value) else value for key, value in fixed.items()}}


RULE, PAIR = "Microsoft.Insights/dataCollectionRules", "Microsoft.DataProtection/backupVaults"
CLUSTER, METRICS = "Microsoft.ContainerService/managedClusters", ("Microsoft.Monitor/accounts", "metrics workspace")
PROFILE = ("Microsoft.Cdn/profiles", "Front Door")
SETTINGS = "/providers/Microsoft.Insights/diagnosticSettings/logs"
EXTENSION = "/providers/Microsoft.KubernetesConfiguration/extensions/backup"
ASSOCIATION = "/providers/Microsoft.Insights/dataCollectionRuleAssociations/metrics"
SINKS = "properties.destinations"


def _settings_of(site: Site) -> dict[str, str]:
    return {"account": f"https://{site.other(*STORE).rpartition('/')[2]}.blob.core.windows.net/"}


WAYS: dict[str, Way] = {
    "a log workspace abroad": _moved(*LOGS),
    "a storage account abroad": _moved(*STORE),
    "a key vault abroad": _moved(*VAULT),
    "geo-redundant storage": _in_singapore(*STORE[:2], "sku.name", "Standard_RAGZRS", "backup"),
    "geo-redundant backups": _in_singapore(PAIR, "backup vault", "properties.storageSettings.0.type", "GeoRedundant"),
    "cross-region restore": _in_singapore(
        PAIR, "backup vault", "properties.featureSettings", {"crossRegionRestoreSettings": {"state": "Enabled"}}
    ),
    "a vault that Key Vault copies": _in_singapore(*VAULT, "location", "southeastasia"),
    "a replica of the registry": _replica,
    "logs of a cluster": _change(CLUSTER, "cluster", "properties.workspaceId", LOGS, tail=SETTINGS),
    "logs to storage": _change(CLUSTER, "cluster", "properties.storageAccountId", STORE, tail=SETTINGS),
    "logs to another subscription": _to_unknown,
    "logs to a namesake in another subscription": _to_twin,
    "logs to a group nobody makes": _to_nameless,
    "logs by a rule": _change(RULE, "collection rule", f"{SINKS}.logAnalytics.0.workspaceResourceId", LOGS),
    "metrics by a rule": _change(RULE, "collection rule", f"{SINKS}.monitoringAccounts.0.accountResourceId", METRICS),
    "a rule's endpoint": _change(
        RULE,
        "collection rule",
        "properties.dataCollectionEndpointId",
        ("Microsoft.Insights/dataCollectionEndpoints", "collection endpoint"),
    ),
    "a cluster's rule": _change(
        CLUSTER, "cluster", "properties.dataCollectionRuleId", (RULE, "collection rule"), tail=ASSOCIATION
    ),
    "Defender's workspace": _change(
        CLUSTER, "cluster", "properties.securityProfile.defender.logAnalyticsWorkspaceResourceId", LOGS
    ),
    "a private endpoint": _change(
        "Microsoft.Network/privateEndpoints",
        "private endpoint",
        "properties.privateLinkServiceConnections.0.properties.privateLinkServiceId",
        VAULT,
        "vault",
    ),
    "rules over foreign metrics": _change(
        "Microsoft.AlertsManagement/prometheusRuleGroups", "rule group", "properties.scopes.0", METRICS
    ),
    "a backup of another cluster": _change(
        PAIR,
        "backup vault",
        "properties.dataSourceInfo.resourceID",
        (CLUSTER, "cluster"),
        tail="/backupInstances/cluster",
    ),
    "snapshots in another region's group": _add(
        "Microsoft.DataProtection/backupVaults/backupInstances",
        _properties(policyInfo=lambda site: {"resourceGroupId": group_id(site.fleet, site.there.location)}),
    ),
    "the backup extension's storage": _add(
        "Microsoft.KubernetesConfiguration/extensions", _properties(configurationSettings=_settings_of)
    ),
    "object replication": _add(
        "Microsoft.Storage/storageAccounts/objectReplicationPolicies",
        _properties(destinationAccount=lambda site: site.other(*STORE)),
    ),
    "a peering": _add(
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        _properties(
            remoteVirtualNetwork=lambda site: {"id": site.other("Microsoft.Network/virtualNetworks", "virtual network")}
        ),
    ),
    "flow logs": _add("Microsoft.Network/networkWatchers/flowLogs", _properties(storageId=lambda s: s.other(*STORE))),
    "a key for disks": _add(
        "Microsoft.Compute/diskEncryptionSets",
        _properties(activeKey=lambda site: {"sourceVault": {"id": site.other(*VAULT)}}),
    ),
    "exported logs": _add(
        "Microsoft.OperationalInsights/workspaces/dataExports",
        _properties(destination=lambda site: {"resourceId": site.other(*STORE)}),
    ),
    "a replica of a database": _add(
        "Microsoft.DocumentDB/databaseAccounts", _located("properties.locations[].locationName")
    ),
    "geo-replicated events": _add(
        "Microsoft.EventHub/namespaces", _located("properties.geoDataReplication.locations[].locationName")
    ),
    "a replicated workspace": _add(
        "Microsoft.OperationalInsights/workspaces", _located("properties.replication.location")
    ),
    "copies of an image": _add(
        "Microsoft.Compute/galleries/images/versions", _located("properties.publishingProfile.targetRegions[].name")
    ),
    "a type that no table knows": _add("Microsoft.Future/stores", _located("properties.mirrors[].homeRegion")),
    "backups of a database": _add(
        "Microsoft.DBforPostgreSQL/flexibleServers",
        _properties(backup={"geoRedundantBackup": "Enabled"}),
        "southeastasia",
    ),
    "a default that is geo-redundant": _add("Microsoft.RecoveryServices/vaults", _properties(), "southeastasia"),
    "inference anywhere": _add(
        "Microsoft.CognitiveServices/accounts/deployments", lambda site: {"sku": {"name": "GlobalStandard"}}
    ),
    "a policy over all regions": _policy,
    "an origin of another group": _origin,
    "a route to another group": _route,
    "a rule that overrides origins": _override,
    "answers in caches": _cache,
    "answers in caches by a rule": _cache_rule,
    "the edge's private link": _link_location,
    "an origin that nobody knows": _stranger,
    "a traffic profile over groups": _traffic,
    "a DNS name of another group": _record,
    "addresses in the edge's logs": _unscrubbed(*PROFILE, "properties.logScrubbing.state"),
    "addresses by a rule that is off": _unscrubbed(*PROFILE, "properties.logScrubbing.scrubbingRules.0.state"),
    "addresses that no rule names": _unscrubbed(*PROFILE, "properties.logScrubbing.scrubbingRules", []),
    "addresses in the firewall's logs": _unscrubbed(
        "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies",
        "web application firewall",
        "properties.policySettings.logScrubbing.state",
    ),
}
