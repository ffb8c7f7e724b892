"""Blob storage of a region for what its cluster keeps: no key, no public way in, nothing lost by a slip of the hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import storage

from infra.components.diagnostics import diagnose
from infra.components.endpoint import Endpoint, EndpointArgs
from infra.components.site import Site

DAYS = 14  # that deleted blobs and containers can be had back


@dataclass(frozen=True, slots=True)
class StoreArgs:
    """What a storage account is made of."""

    site: Site
    part: str
    container: str
    redundancy: str
    """LocallyRedundant or ZoneRedundant; copies in a paired region could leave the residency group."""
    subnet: pulumi.Input[str]
    vnet: pulumi.Input[str]
    workspace: pulumi.Input[str]


SKUS = {"LocallyRedundant": "Standard_LRS", "ZoneRedundant": "Standard_ZRS"}


class Store(pulumi.ComponentResource):
    """A storage account with one container; what writes to it waits for `ready`."""

    def __init__(self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Store", name, None, opts)
        self._args = args
        account = self._account()
        self.id: pulumi.Output[str] = account.id
        self.name: pulumi.Output[str] = account.name
        reach = EndpointArgs(args.site, "blob", account.id, args.subnet, args.vnet)
        endpoint = Endpoint("blob", reach, pulumi.ResourceOptions(parent=self))
        self.ready: list[pulumi.Resource] = [*self._blobs(), *endpoint.ready]
        blobs = account.id.apply(lambda id: f"{id}/blobServices/default")
        diagnose(args.part, blobs, args.workspace, self, ("StorageRead", "StorageWrite", "StorageDelete"), False)
        self.register_outputs({"id": self.id})

    def _account(self) -> Any:
        site = self._args.site
        return storage.StorageAccount(
            "store",
            account_name=site.name("storage account", self._args.part),
            kind="StorageV2",
            sku={"name": SKUS[self._args.redundancy]},
            access_tier=storage.AccessTier.HOT,
            minimum_tls_version="TLS1_2",
            enable_https_traffic_only=True,
            allow_blob_public_access=False,
            allow_shared_key_access=False,
            allow_cross_tenant_replication=False,
            default_to_o_auth_authentication=True,
            is_local_user_enabled=False,
            public_network_access="Disabled",
            network_rule_set={"default_action": storage.DefaultAction.DENY, "bypass": "AzureServices"},
            encryption={"key_source": "Microsoft.Storage", "require_infrastructure_encryption": True},
            opts=site.holding(self),
            **site.placed(data=True),
        )

    def _blobs(self) -> list[pulumi.Resource]:
        site, kept = self._args.site, {"enabled": True, "days": DAYS}
        service = storage.BlobServiceProperties(
            "store-blobs",
            blob_services_name="default",
            account_name=self.name,
            resource_group_name=site.data,
            is_versioning_enabled=True,
            delete_retention_policy=kept,
            container_delete_retention_policy=kept,
            opts=site.holding(self),
        )
        container = storage.BlobContainer(
            "store-container",
            container_name=self._args.container,
            account_name=self.name,
            resource_group_name=site.data,
            public_access=storage.PublicAccess.NONE,
            opts=site.holding(self, depends_on=[service]),
        )
        return [service, container]
