"""A region's metrics: Azure's managed Prometheus and container logs, collected in the region and kept there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import monitor

from infra.components.site import Site

# learn.microsoft.com, "Collect Prometheus metrics from an AKS cluster": what its own templates use.
METRICS = "Microsoft-PrometheusMetrics"
LOGS = ("Microsoft-ContainerLogV2", "Microsoft-KubeEvents", "Microsoft-KubePodInventory", "Microsoft-KubeNodeInventory")


@dataclass(frozen=True, slots=True)
class MetricsArgs:
    """What the collection of a region is made of."""

    site: Site
    location: str
    cluster: pulumi.Input[str]
    workspace: pulumi.Input[str]
    """Of the logs."""


class Metrics(pulumi.ComponentResource):
    """The collection; `workspace` is the id of the metrics workspace."""

    def __init__(self, name: str, args: MetricsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Metrics", name, None, opts)
        self._args = args
        self.workspace: pulumi.Output[str] = self._workspace().id
        endpoint = self._endpoint()
        self._associate("configurationAccessEndpoint", data_collection_endpoint_id=endpoint.id)
        for part, flow in (("metrics", self._metrics()), ("containers", self._containers())):
            rule = self._rule(part, endpoint, flow)
            self._associate(f"bellwether-{part}", data_collection_rule_id=rule.id)
        self.register_outputs({"workspace": self.workspace})

    def _workspace(self) -> Any:
        site = self._args.site
        return monitor.AzureMonitorWorkspace(
            "metrics",
            azure_monitor_workspace_name=site.name("metrics workspace"),
            opts=site.holding(self),
            **site.placed(data=True) | {"location": self._args.location},
        )

    def _endpoint(self) -> Any:
        return monitor.DataCollectionEndpoint(
            "collection",
            data_collection_endpoint_name=self._args.site.name("collection endpoint"),
            kind="Linux",
            # Agents come through the region's own way out, with their identity; a private link scope would be shared by
            # all networks that share names, and so tie regions together.
            network_acls={"public_network_access": "Enabled"},
            opts=pulumi.ResourceOptions(parent=self),
            **self._args.site.placed(),
        )

    def _rule(self, part: str, endpoint: Any, flow: dict[str, Any]) -> Any:
        return monitor.DataCollectionRule(
            f"collect-{part}",
            data_collection_rule_name=self._args.site.name("collection rule", part),
            data_collection_endpoint_id=endpoint.id,
            kind="Linux",
            opts=pulumi.ResourceOptions(parent=self),
            **flow,
            **self._args.site.placed(),
        )

    def _metrics(self) -> dict[str, Any]:
        account = {"name": "metrics", "account_resource_id": self.workspace}
        return {
            "data_sources": {"prometheus_forwarder": [{"name": "prometheus", "streams": [METRICS]}]},
            "destinations": {"monitoring_accounts": [account]},
            "data_flows": [{"streams": [METRICS], "destinations": ["metrics"]}],
        }

    def _containers(self) -> dict[str, Any]:
        settings = {"dataCollectionSettings": {"interval": "1m", "enableContainerLogV2": True}}
        source = {"name": "ContainerInsightsExtension", "extension_name": "ContainerInsights", "streams": list(LOGS)}
        workspace = {"name": "logs", "workspace_resource_id": self._args.workspace}
        return {
            "data_sources": {"extensions": [{**source, "extension_settings": settings}]},
            "destinations": {"log_analytics": [workspace]},
            "data_flows": [{"streams": list(LOGS), "destinations": ["logs"]}],
        }

    def _associate(self, called: str, **what: pulumi.Input[str]) -> None:
        monitor.DataCollectionRuleAssociation(
            f"collect-{called}",
            association_name=called,
            resource_uri=self._args.cluster,
            opts=pulumi.ResourceOptions(parent=self),
            **what,
        )
