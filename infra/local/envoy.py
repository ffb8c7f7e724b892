"""Envoy's bootstrap for one region: a listener per service, three clusters each, statistics by arm and answer. Pure.

Routes and endpoints are files that Envoy watches (routing.py renders them); nothing here changes while Envoy lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import admission
from infra.local.routing import ARMS, TYPE, address, cluster
from infra.service import Limits

HTTP_MANAGER = "envoy.filters.network.http_connection_manager"
STATS_LOGGER = "envoy.access_loggers.stats"
ROUTER = "envoy.filters.http.router"
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CLIENTS = 50_000
BUCKETS = (  # ms: the bounds of vLLM's time_to_first_token and e2e_request_latency histograms, from 5 ms to 2 min
    *(5, 10, 20, 40, 60, 80, 100, 250, 300, 500, 750, 800, 1_000, 1_500, 2_000, 2_500, 5_000, 7_500, 10_000),
    *(15_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 120_000),
)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a service is asked, and what it accepts there."""

    port: int
    limits: Limits


def bootstrap(listeners: Mapping[str, Listener], admin: int, dynamic: Path) -> dict[str, Any]:
    """The whole static configuration: `listeners` are by service, `dynamic` is the folder of the watched files."""
    return {
        "node": {"id": "local", "cluster": "local"},
        "admin": {"address": address(admin)},
        "stats_flush_interval": "1s",  # histograms are merged at a flush; Prometheus looks every second
        "stats_config": _stats(),
        "overload_manager": _limit(),
        "static_resources": {
            "listeners": [_listener(service, one, dynamic) for service, one in listeners.items()],
            "clusters": [
                _cluster(service, arm, one.limits, dynamic) for service, one in listeners.items() for arm in ARMS
            ],
        },
    }


def route_file(dynamic: Path, service: str) -> Path:
    """Where Envoy looks for the routes of a service."""
    return dynamic / f"{service}.routes.json"


def endpoint_file(dynamic: Path, service: str, arm: str) -> Path:
    """Where Envoy looks for the replicas of an arm."""
    return dynamic / f"{service}.{arm}.json"


def _stats() -> dict[str, Any]:
    """Only what is used: a scrape stays at a few kB where Envoy's default has thousands of series."""
    kept: list[dict[str, str]] = [
        {"prefix": "ops."},
        {"suffix": ".upstream_rq_active"},
        {"suffix": ".membership_total"},
    ]
    return {
        "use_all_default_tags": False,
        "stats_tags": [{"tag_name": "cluster", "regex": r"^cluster\.((.+?)\.)"}],
        "stats_matcher": {"inclusion_list": {"patterns": kept}},
        "histogram_bucket_settings": [{"match": {"prefix": "ops."}, "buckets": list(BUCKETS)}],
    }


def _limit() -> dict[str, Any]:
    kind = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    config = {"@type": f"{TYPE}/{kind}", "max_active_downstream_connections": CLIENTS}
    name = "envoy.resource_monitors.global_downstream_max_connections"
    return {"resource_monitors": [{"name": name, "typed_config": config}]}


def _listener(service: str, listener: Listener, dynamic: Path) -> dict[str, Any]:
    manager = {"name": HTTP_MANAGER, "typed_config": _http(service, listener.limits, dynamic)}
    return {
        "name": service,
        "address": address(listener.port),
        "enable_reuse_port": False,  # else a second Envoy on the same port would take half of the traffic in silence
        "filter_chains": [{"filters": [manager]}],
    }


def _http(service: str, limits: Limits, dynamic: Path) -> dict[str, Any]:
    """HTTP without retries and without a time limit: what the engine does is what the client and the counters see."""
    router = {"@type": f"{TYPE}/envoy.extensions.filters.http.router.v3.Router", "suppress_envoy_headers": True}
    return {
        "@type": f"{TYPE}/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": service,
        "stream_idle_timeout": "900s",
        "generate_request_id": False,
        "access_log": [
            {"name": STATS_LOGGER, "typed_config": _counted()},
            {"name": STATS_LOGGER, "typed_config": _first_bytes(), "filter": admission.status("LE", 399)},
        ],
        "http_filters": [*admission.filters(service, limits), {"name": ROUTER, "typed_config": router}],
        "local_reply_config": admission.replies(limits),
        "rds": {"route_config_name": service, "config_source": _watched(route_file(dynamic, service))},
    }


def _counted() -> dict[str, Any]:
    """Every answer by arm, status and response flags, and its duration by arm and status."""
    counter = {"stat": _stat("requests", ("flags", "%RESPONSE_FLAGS%")), "value_fixed": 1}
    return {**_statistics(), "counters": [counter], "histograms": [_milliseconds("duration", "%DURATION%")]}


def _first_bytes() -> dict[str, Any]:
    """The time to the first byte; what the gateway refuses has none, and would be a line of the log each time."""
    return {**_statistics(), "histograms": [_milliseconds("ttfb", "%RESPONSE_DURATION%")]}


def _statistics() -> dict[str, Any]:
    return {"@type": f"{TYPE}/envoy.extensions.access_loggers.stats.v3.Config", "stats_scope": {"prefix": "ops"}}


def _milliseconds(name: str, value: str) -> dict[str, Any]:
    return {"stat": _stat(name), "unit": "Milliseconds", "value_format": value}


def _stat(name: str, *more: tuple[str, str]) -> dict[str, Any]:
    tags = (("cluster", "%UPSTREAM_CLUSTER%"), ("code", "%RESPONSE_CODE%"), *more)
    return {"name": name, "tags": [{"name": tag, "value_format": value} for tag, value in tags]}


def _cluster(service: str, arm: str, limits: Limits, dynamic: Path) -> dict[str, Any]:
    http = {
        "@type": f"{TYPE}/{HTTP_OPTIONS}",
        # Sooner than any server closes an idle connection: that, met by a request, would look like a reset.
        "common_http_protocol_options": {"idle_timeout": "4s"},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    return {
        "name": cluster(service, arm),
        "type": "EDS",
        "connect_timeout": "1s",
        "circuit_breakers": admission.breakers(limits),
        "typed_extension_protocol_options": {HTTP_OPTIONS: http},
        "eds_cluster_config": {"eds_config": _watched(endpoint_file(dynamic, service, arm))},
    }


def _watched(file: Path) -> dict[str, Any]:
    return {"path_config_source": {"path": str(file), "watched_directory": {"path": str(file.parent)}}}
