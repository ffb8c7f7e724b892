"""Who a service is in the cluster and in Azure: a service account that the cluster's issuer ties to an identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import managedidentity
from pulumi_kubernetes.core.v1 import ServiceAccount

AUDIENCE = "api://AzureADTokenExchange"  # learn.microsoft.com/azure/aks/workload-identity-overview
TOKEN = 3600  # seconds a token of the account is good for; Entra's own token is asked for anew with it


@dataclass(frozen=True, slots=True)
class WorkloadArgs:
    """What a workload is made of."""

    service: str
    namespace: pulumi.Input[str]
    namespace_name: str
    identity: pulumi.Output[Any]
    """Name and client id of its managed identity, as the region's stack exports them."""
    group: pulumi.Input[str]
    issuer: pulumi.Input[str]
    tenant: str
    labels: Mapping[str, str]


class Workload(pulumi.ComponentResource):
    """A service account, and the credential that lets it be its identity: nobody keeps a secret for that."""

    def __init__(self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:platform:Workload", name, None, opts)
        notes = {"client-id": args.identity["client_id"], "tenant-id": args.tenant}
        notes["service-account-token-expiration"] = str(TOKEN)
        ServiceAccount(
            f"account-{args.service}",
            metadata={
                "name": args.service,
                "namespace": args.namespace,
                "labels": dict(args.labels),
                "annotations": {f"azure.workload.identity/{key}": value for key, value in notes.items()},
            },
            automount_service_account_token=False,  # only the one for Azure, which a webhook adds where it is asked for
            opts=pulumi.ResourceOptions(parent=self),
        )
        managedidentity.FederatedIdentityCredential(
            f"credential-{args.service}",
            federated_identity_credential_resource_name=args.service,
            resource_name_=args.identity["name"],
            resource_group_name=args.group,
            issuer=args.issuer,
            subject=f"system:serviceaccount:{args.namespace_name}:{args.service}",
            audiences=[AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
