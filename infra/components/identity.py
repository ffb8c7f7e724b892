"""Who the region's machines and workloads are in Azure: managed identities, for which nobody keeps a secret.

What ties a workload's identity to its service account in the cluster (a federated credential) is of the platform stack,
which knows the names of the accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import managedidentity

from infra.components.grant import Grant, grant
from infra.components.site import Site


@dataclass(frozen=True, slots=True)
class IdentitiesArgs:
    """What the identities of a region are made of."""

    site: Site
    workloads: tuple[str, ...]
    group_id: pulumi.Input[str]
    """The region's resource group, in which the cluster makes load balancers and its private link."""
    registry: pulumi.Input[str]


class Identities(pulumi.ComponentResource):
    """The identities; the cluster waits for `ready`, since it needs its rights from the first minute on."""

    def __init__(self, name: str, args: IdentitiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Identities", name, None, opts)
        self._args = args
        self.cluster = self._identity("cluster")
        self.kubelet = self._identity("kubelet")
        self.workloads = {workload: self._identity(workload) for workload in args.workloads}
        self.ready = self._grants()
        self.register_outputs({"workloads": self.exported()})

    def exported(self) -> dict[str, dict[str, pulumi.Output[str]]]:
        """What other stacks need to know of the workloads' identities."""
        return {
            name: {"id": one.id, "name": one.name, "client_id": one.client_id, "principal_id": one.principal_id}
            for name, one in self.workloads.items()
        }

    def _identity(self, part: str) -> Any:
        return managedidentity.UserAssignedIdentity(
            f"id-{part}",
            resource_name_=self._args.site.name("identity", part),
            opts=pulumi.ResourceOptions(parent=self),
            **self._args.site.placed(),
        )

    def _grants(self) -> list[pulumi.Resource]:
        cluster, kubelet = self.cluster.principal_id, self.kubelet.principal_id
        given = {
            "cluster-uses-kubelet": Grant("Managed Identity Operator", self.kubelet.id, cluster),
            "cluster-uses-network": Grant("Network Contributor", self._args.group_id, cluster),
            "kubelet-pulls": Grant("AcrPull", self._args.registry, kubelet),
        }
        return [grant(name, self._args.site, one, self) for name, one in given.items()]
