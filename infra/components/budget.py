"""What a region may cost in a month: nobody is stopped by it, the owner is told.

A region program sees no other region and so cannot know its part of the fleet's budget. Its limit is the whole of it: a
region that alone spends that much is news whatever the others do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pulumi
from pulumi_azure_native import consumption

from infra.components.site import Site


@dataclass(frozen=True, slots=True)
class SpendingArgs:
    """What a budget is made of."""

    site: Site
    monthly_usd: int
    alert_at: Sequence[float]
    groups: Sequence[pulumi.Input[str]]
    """Names of the resource groups whose costs count, that of the machines among them."""
    action_group: pulumi.Input[str]
    today: date
    """A budget begins with the month it is made in; later ones are not compared."""


class Spending(pulumi.ComponentResource):
    """The budget of a region."""

    def __init__(self, name: str, args: SpendingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Spending", name, None, opts)
        consumption.Budget(
            "budget",
            budget_name=args.site.name("budget"),
            scope=args.site.subscription(),
            category="Cost",
            amount=args.monthly_usd,
            time_grain="Monthly",
            time_period={"start_date": f"{args.today:%Y-%m}-01T00:00:00Z"},
            filter={"dimensions": {"name": "ResourceGroupName", "operator": "In", "values": list(args.groups)}},
            notifications={f"actual-{_percent(share)}": _told(share, args.action_group) for share in args.alert_at},
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["timePeriod"]),
        )
        self.register_outputs({})


def _told(share: float, action_group: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "enabled": True,
        "operator": "GreaterThanOrEqualTo",
        "threshold": _percent(share),
        "threshold_type": "Actual",
        "contact_emails": [],
        "contact_groups": [action_group],
    }


def _percent(share: float) -> int:
    return round(share * 100)
