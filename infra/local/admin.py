"""What Envoy says is in force: answers of its admin interface as values. Pure: nothing is fetched here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.routing import Weights

ROUTES_QUERY = "/config_dump?resource=dynamic_route_configs"
CLUSTERS_QUERY = "/clusters?format=json"
OPEN_QUERY = "/stats?filter=upstream_rq_active&format=json"


@dataclass(frozen=True, slots=True)
class Applied:
    """The routes of a service as Envoy has them."""

    version: str
    weights: Weights


def applied(dump: Mapping[str, Any]) -> dict[str, Applied]:
    """Weights in force by service, from ROUTES_QUERY. A service without routes is missing."""
    found = (_route(config) for config in dump.get("configs", []))
    return dict(found)


def serving(clusters: Mapping[str, Any]) -> dict[str, frozenset[int]]:
    """Ports that get traffic by "<service>|<arm>", from CLUSTERS_QUERY."""
    return {
        str(status["name"]): frozenset(_port(host) for host in status.get("host_statuses", []))
        for status in clusters.get("cluster_statuses", [])
    }


def open_requests(stats: Mapping[str, Any]) -> dict[str, int]:
    """Requests without an end yet by "<service>|<arm>", from OPEN_QUERY: what a drain waits for."""
    named = {str(stat.get("name", "")): stat.get("value", 0) for stat in stats.get("stats", [])}
    found = ((re.fullmatch(r"cluster\.(.+)\.upstream_rq_active", name), value) for name, value in named.items())
    return {match[1]: int(value) for match, value in found if match}


def _route(config: Mapping[str, Any]) -> tuple[str, Applied]:
    route = config["route_config"]
    clusters = route["virtual_hosts"][0]["routes"][-1]["route"]["weighted_clusters"]["clusters"]  # users' comes last
    weights = {entry["name"].rpartition("|")[2]: int(entry.get("weight", 0)) for entry in clusters}
    return str(route["name"]), Applied(str(config["version_info"]), Weights(weights["canary"], weights["baseline"]))


def _port(host: Mapping[str, Any]) -> int:
    return int(host["address"]["socket_address"]["port_value"])
