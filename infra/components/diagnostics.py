"""What a resource logs, sent to its own region's workspace and nowhere else."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import monitor


def diagnose(
    name: str,
    resource: pulumi.Input[str],
    workspace: pulumi.Input[str],
    parent: pulumi.Resource,
    categories: tuple[str, ...] = (),
    tables: bool = True,
) -> pulumi.Resource:
    """Send a resource's logs (all, or some categories) and metrics to a workspace, in tables of their own.

    Not so for storage: it has only such tables, and Azure forgets that it was asked for them, which is drift for ever.
    """
    logs = [{"category": one, "enabled": True} for one in categories]
    setting: pulumi.Resource = monitor.DiagnosticSetting(
        f"{name}-logs",
        name="bellwether",
        resource_uri=resource,
        workspace_id=workspace,
        logs=logs or [{"category_group": "allLogs", "enabled": True}],
        metrics=[{"category": "AllMetrics", "enabled": True}],
        log_analytics_destination_type="Dedicated" if tables else None,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return setting
