"""Traffic to arms: Envoy's route and endpoint files for one service. Pure: values in, JSON values out.

The order canary, stable, baseline and the constant total make the assignment sticky: a session's hash falls on a point
of 0..9999, the canary owns the points from 0 up and the baseline those from 9999 down, so neither loses a session when
it grows, and none moves from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infra import grid
from infra.policy import RolloutPolicy

TYPE = "type.googleapis.com"
TOTAL = 10_000
ARMS = ("canary", "stable", "baseline")
SESSION_HEADER = "x-session-id"
USER_HEADER = "x-user-id"
ARM_HEADER = "x-ops-arm"
RELEASE_HEADER = "x-ops-release"
CLASS_HEADER = "x-ops-class"
RATE_FILTER = "envoy.filters.http.local_ratelimit"
RELEASE_OF_HOST = "%UPSTREAM_METADATA(ops:release)%"  # the replica that answered says its release, not the plan

Assignment = Literal["user", "session", "request"]


@dataclass(frozen=True, slots=True)
class Weights:
    """Points of 10,000 of a service's traffic; the stable arm has the rest."""

    canary: int = 0
    baseline: int = 0

    @property
    def stable(self) -> int:
        return TOTAL - self.canary - self.baseline

    def of(self, arm: str) -> int:
        """Points of one arm."""
        return {"canary": self.canary, "stable": self.stable, "baseline": self.baseline}[arm]

    def lowered_to(self, other: Weights) -> Weights:
        """No arm above `other`: what may be done at once while a slice is not ready."""
        return Weights(min(self.canary, other.canary), min(self.baseline, other.baseline))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A replica that may get traffic."""

    port: int
    release: str


def cluster(service: str, arm: str) -> str:
    """Envoy's name of an arm."""
    return f"{service}|{arm}"


def routes(service: str, weights: Weights, assignment: Assignment, version: str, salt: str = "") -> dict[str, Any]:
    """The route file of a service; `version` comes back from /config_dump and so proves that it is in force."""
    policy = _hash_policy(assignment, salt)
    clusters = [_weighted(service, arm, weights.of(arm)) for arm in ARMS]
    action: dict[str, Any] = {
        "timeout": "0s",  # a long answer is not a late one: the client's deadline rules
        "weighted_clusters": {"clusters": clusters, "use_hash_policy": bool(policy)},
    }
    route = {"match": {"prefix": "/"}, "route": {**action, "hash_policy": policy} if policy else action}
    config = {
        "@type": f"{TYPE}/envoy.config.route.v3.RouteConfiguration",
        "name": service,
        "virtual_hosts": [{"name": service, "domains": ["*"], "routes": [_synthetic(service, weights), route]}],
    }
    return {"version_info": version, "resources": [config]}


def _synthetic(service: str, weights: Weights) -> dict[str, Any]:
    """Synthetic requests have replicas of their own or none: the canary while it has no users, whose answers would be
    counted with theirs. Without a canary Envoy says 503 by itself."""
    header = {"name": CLASS_HEADER, "string_match": {"exact": "synthetic"}}
    # What users may ask for is theirs alone.
    unlimited = {RATE_FILTER: {"@type": f"{TYPE}/envoy.config.route.v3.FilterConfig", "disabled": True}}
    common = {"match": {"prefix": "/", "headers": [header]}, "typed_per_filter_config": unlimited}
    if weights.canary:
        said = "the canary has users: there are no replicas for synthetic requests now\n"
        return {**common, "direct_response": {"status": 503, "body": {"inline_string": said}}}
    arm = {key: value for key, value in _weighted(service, "canary", 0).items() if key != "weight"}
    headers = arm["response_headers_to_add"]
    return {**common, "route": {"cluster": arm["name"], "timeout": "0s"}, "response_headers_to_add": headers}


def endpoints(service: str, arm: str, hosts: Iterable[Endpoint]) -> dict[str, Any]:
    """The endpoint file of an arm."""
    hosts = sorted(hosts, key=lambda host: host.port)
    assignment = {
        "@type": f"{TYPE}/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": cluster(service, arm),
        "endpoints": [{"lb_endpoints": [_host(host) for host in hosts]}] if hosts else [],
    }
    return {"resources": [assignment]}


def _weighted(service: str, arm: str, weight: int) -> Mapping[str, Any]:
    headers = {ARM_HEADER: arm, RELEASE_HEADER: RELEASE_OF_HOST}
    return {
        "name": cluster(service, arm),
        "weight": weight,
        "response_headers_to_add": [{"header": {"key": key, "value": value}} for key, value in headers.items()],
    }


def salt(policy: RolloutPolicy, now: float) -> str:
    """What users are drawn with at `now` (Unix seconds): anew in each block, on the judge's own grid."""
    return str(grid.number(now, policy.block, policy.look)) if policy.assignment == "user" else ""


def _hash_policy(assignment: Assignment, salt: str) -> list[dict[str, Any]]:
    """What a request is hashed by. `user` is salted, so that the draw of users is new in each block."""
    match assignment:
        case "request":
            return []
        case "session":
            return [{"header": {"header_name": SESSION_HEADER}}]
        case "user":
            rewrite = {"pattern": {"regex": "^(.*)$"}, "substitution": f"{salt}-\\1"}
            return [{"header": {"header_name": USER_HEADER, "regex_rewrite": rewrite}}]


def _host(host: Endpoint) -> dict[str, Any]:
    return {
        "endpoint": {"address": address(host.port)},
        "metadata": {"filter_metadata": {"ops": {"release": host.release}}},
    }


def address(port: int) -> dict[str, Any]:
    """A port of this machine, as Envoy writes it."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
