"""Rules over a region's metrics, kept by Azure's managed Prometheus: what every cluster needs, and what was rendered.

The rendered ones (burn rates, engines, GPUs) are files of the fleet's dashboards, one per region; without them there
are only those of the cluster itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_azure_native import alertsmanagement

from infra.components.site import Site
from infra.errors import InvalidInput

# Metrics of kube-state-metrics that are collected unasked (learn.microsoft.com, "Minimal ingestion profile").
CLUSTER = {
    "name": "cluster",
    "interval": "PT1M",
    "rules": [
        {
            "alert": "NodeNotReady",
            "expression": 'kube_node_status_condition{condition="Ready",status="true"} == 0',
            "for": "PT15M",
            "severity": 2,
        },
        {
            "alert": "GpuNotAllocatable",
            "expression": 'kube_node_status_capacity{resource=~"nvidia_com_gpu|amd_com_gpu"}'
            ' > on (node, resource) kube_node_status_allocatable{resource=~"nvidia_com_gpu|amd_com_gpu"}',
            "for": "PT15M",
            "severity": 2,
        },
        {
            "alert": "PodsPending",
            "expression": 'sum by (namespace) (kube_pod_status_phase{phase="Pending"}) > 0',
            "for": "PT30M",  # a machine with GPUs takes up to 25 minutes
            "severity": 3,
        },
        # Silence is no good news: without its metrics nothing above would ever fire.
        {"alert": "ClusterMetricsAbsent", "expression": 'absent(up{job="kube-state-metrics"} == 1)', "for": "PT10M"}
        | {"severity": 1},
    ],
}


@dataclass(frozen=True, slots=True)
class AlertsArgs:
    """What the rules of a region are made of."""

    site: Site
    location: str
    cluster_name: pulumi.Input[str]
    metrics: pulumi.Input[str]
    action_group: pulumi.Input[str]
    groups: Sequence[Mapping[str, Any]]


class Alerts(pulumi.ComponentResource):
    """The rule groups of a region."""

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Alerts", name, None, opts)
        for group in args.groups:
            alertsmanagement.PrometheusRuleGroup(
                f"rules-{group['name']}",
                rule_group_name=args.site.name("rule group", str(group["name"])),
                cluster_name=args.cluster_name,
                scopes=[args.metrics],
                enabled=True,
                interval=group["interval"],
                rules=[_rule(rule, args.action_group) for rule in group["rules"]],
                opts=pulumi.ResourceOptions(parent=self),
                **args.site.placed() | {"location": args.location},
            )
        self.register_outputs({})


def groups(folder: Path, fleet: str, region: str) -> tuple[Mapping[str, Any], ...]:
    """The cluster's own rules and those rendered for a region: <folder>/<fleet>/<region>.rule-groups.json, if any."""
    path = folder / fleet / f"{region}.rule-groups.json"
    if not path.exists():
        return (CLUSTER,)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return (CLUSTER, *({key: one[key] for key in ("name", "interval", "rules")} for one in found))
    except (ValueError, KeyError, TypeError) as error:
        what = f"{path} is no list of rule groups with name, interval and rules"
        raise InvalidInput(
            what, not_done="nothing was registered", next="render the rules of the fleet anew"
        ) from error


def _rule(rule: Mapping[str, Any], action_group: pulumi.Input[str]) -> dict[str, Any]:
    """A rule as ARM takes it: recording rules have no actions."""
    if "record" in rule:
        return {"enabled": True, **rule}
    resolved = {"auto_resolved": True, "time_to_resolve": "PT10M"}
    return {
        "enabled": True,
        "actions": [{"action_group_id": action_group}],
        "resolve_configuration": resolved,
        **{("for_" if key == "for" else key): value for key, value in rule.items()},
    }
