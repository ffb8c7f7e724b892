"""What Prometheus watches in a local region, and the Alertmanager it tells: configuration and targets. Pure.

The labels fleet and region are put on every series here, as a cluster's Prometheus would by its target labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INTERVAL = "1s"
ENVOY_KEPT = "envoy_ops_.+|envoy_cluster_upstream_rq_active|envoy_cluster_membership_total"
OF_CLUSTER = r"([^|]+)\|(.+)"
IDLE = "|".join(
    (
        "(go|python|promhttp|net_conntrack|alertmanager_cluster)_.+",
        "prometheus_(sd|web|http|template|remote|treecache)_.+",
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """A model server to scrape; it keeps its labels for life, so a swap of endpoints never rewrites history."""

    port: int
    service: str
    arm: str
    release: str
    replica: str


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the region's own programs listen."""

    envoy: int
    prometheus: int
    alertmanager: int


def prometheus(fleet: str, region: str, ports: Listening, targets: Path) -> dict[str, Any]:
    """prometheus.yml (as JSON values): Envoy, both monitors, and whatever files of targets say."""
    place = {"fleet": fleet, "region": region}
    return {
        "global": {
            "scrape_interval": INTERVAL,
            "scrape_timeout": INTERVAL,
            "evaluation_interval": INTERVAL,
            "external_labels": place,
        },
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_local(ports.alertmanager)]}]}]},
        "scrape_configs": [
            _envoy_job(ports.envoy, place),
            _own_job("prometheus", ports.prometheus, place),
            _own_job("alertmanager", ports.alertmanager, place),
            _files_job(targets),
        ],
    }


def alertmanager() -> dict[str, Any]:
    """alertmanager.yml (as JSON values): it takes alerts and tells nobody; routes come with on-call."""
    return {"route": {"receiver": "nobody", "group_by": ["alertname", "service"]}, "receivers": [{"name": "nobody"}]}


def targets(fleet: str, region: str, replicas: Iterable[Target]) -> list[dict[str, Any]]:
    """The target file of the model servers."""
    place = {"fleet": fleet, "region": region, "job": "engine"}
    return [{"targets": [_local(replica.port)], "labels": {**place, **_labels(replica)}} for replica in replicas]


def _envoy_job(port: int, place: Mapping[str, str]) -> dict[str, Any]:
    """Envoy's series get service and arm from the cluster's name, and the class of the answer from its code.

    `code` stays beside `code_class`: without it 200 and 204 would be one series with two values, and one is lost.
    """
    return {
        "job_name": "envoy",
        "metrics_path": "/stats/prometheus",
        "params": {"usedonly": [""]},
        "static_configs": [{"targets": [_local(port)], "labels": dict(place)}],
        "metric_relabel_configs": [
            {"source_labels": ["__name__"], "regex": ENVOY_KEPT, "action": "keep"},
            _split("cluster", OF_CLUSTER, "service", "$1"),
            _split("cluster", OF_CLUSTER, "arm", "$2"),
            _split("code", "([1-5])..", "code_class", "${1}xx"),
            {"regex": "cluster", "action": "labeldrop"},
        ],
    }


def _own_job(name: str, port: int, place: Mapping[str, str]) -> dict[str, Any]:
    return {
        "job_name": name,
        "scrape_interval": "5s",
        "static_configs": [{"targets": [_local(port)], "labels": dict(place)}],
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": IDLE, "action": "drop"}],
    }


def _files_job(folder: Path) -> dict[str, Any]:
    """Model servers and load clients: each file brings its own labels, `job` among them."""
    idle = {"source_labels": ["__name__"], "regex": "python_.+", "action": "drop"}
    discovery = {"files": [str(folder / "*.json")], "refresh_interval": "5s"}
    return {"job_name": "files", "file_sd_configs": [discovery], "metric_relabel_configs": [idle]}


def _split(source: str, regex: str, target: str, replacement: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": regex, "target_label": target, "replacement": replacement}


def _labels(replica: Target) -> dict[str, str]:
    return {
        "service": replica.service,
        "arm": replica.arm,
        "release": replica.release,
        "replica": replica.replica,
    }


def _local(port: int) -> str:
    return f"127.0.0.1:{port}"
