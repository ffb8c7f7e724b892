"""A program of 1,000 resources, mixed as a region's, under the SDK's mocks; `thousand.py true` keeps dated aliases."""

from __future__ import annotations

import sys
from itertools import cycle
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockMonitor

from infra.blueprint.stack import find
from infra.components.program import Context
from infra.fleet import load_fleet
from tests.infra.components import running

COUNT = 1000
MIX = "spsrpsrpsg"  # of ten resources: subnets, pools, role assignments, security groups
registered: list[int] = []


class Monitor(MockMonitor):
    """Counts aliases and keeps no request."""

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        registered.append(len(request.aliases))
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def build(context: Context) -> None:
    """All of them in one component."""
    parent = pulumi.ComponentResource("bellwether:bench:Many", "many", None)
    opts, group = pulumi.ResourceOptions(parent=parent), {"resource_group_name": "rg-many"}
    for number, kind in zip(range(COUNT), cycle(MIX), strict=False):
        _make(kind, number, group, opts)


def _make(kind: str, number: int, group: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
    from pulumi_azure_native import authorization, containerservice, network

    name = f"{kind}{number}"
    if kind == "s":
        prefix = f"10.{number // 256}.{number % 256}.0/24"
        args = {"subnet_name": name, "virtual_network_name": "vnet", "address_prefix": prefix}
        network.Subnet(name, opts=opts, **args, **group)
    elif kind == "p":
        args = {"agent_pool_name": name, "resource_name_": "aks", "mode": "User", "vm_size": "Standard_D8ds_v5"}
        containerservice.AgentPool(name, opts=opts, count=1, **args, **group)
    elif kind == "r":
        role = "/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"
        args = {"role_definition_id": role, "principal_id": "p", "principal_type": "ServicePrincipal"}
        authorization.RoleAssignment(name, opts=opts, scope="/subscriptions/s", role_assignment_name=name, **args)
    else:
        network.NetworkSecurityGroup(name, opts=opts, network_security_group_name=name, location="eastus2", **group)


def main() -> None:
    """Run it, and say how many aliases were sent."""
    fleet = load_fleet("demo")
    stack = find(fleet, "region")
    assert fleet.azure is not None
    running.Monitor = Monitor  # type: ignore[assignment,misc]
    run = running.begin(stack, fleet.azure.subscription, build, config={**stack.config(), "datedAliases": sys.argv[1]})
    assert not run.refusal, run.refusal
    assert len(registered) >= COUNT, f"only {len(registered)} were registered"
    print(f"{sum(registered):,} aliases were sent, at most {max(registered)} of one resource")


if __name__ == "__main__":
    main()
