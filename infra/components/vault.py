"""A region's Key Vault: secrets for its workloads, set by people and never by Pulumi; reached from its network only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import keyvault

from infra.components.diagnostics import diagnose
from infra.components.endpoint import Endpoint, EndpointArgs
from infra.components.grant import Grant, grant
from infra.components.site import Site

DAYS = 90  # that deleted secrets can be had back: the most that Key Vault offers


@dataclass(frozen=True, slots=True)
class VaultArgs:
    """What a Key Vault is made of."""

    site: Site
    location: str
    """Its Azure region: not always the region's own, since Key Vault keeps copies in the pair of its own."""
    tenant: str
    admins: str
    """The group of people that sets secrets."""
    readers: Mapping[str, pulumi.Input[str]]
    """Workload -> principal that reads them."""
    subnet: pulumi.Input[str]
    vnet: pulumi.Input[str]
    workspace: pulumi.Input[str]


class Vault(pulumi.ComponentResource):
    """The Key Vault, with `id`, `name` and `uri`; what reads secrets waits for `ready`."""

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Vault", name, None, opts)
        self._args = args
        vault = self._vault()
        self.id: pulumi.Output[str] = vault.id
        self.name: pulumi.Output[str] = vault.name
        self.uri: pulumi.Output[str] = vault.properties.vault_uri
        reach = EndpointArgs(args.site, "vault", vault.id, args.subnet, args.vnet)
        self.ready = Endpoint("vault", reach, pulumi.ResourceOptions(parent=self)).ready
        self._grants()
        diagnose("vault", vault.id, args.workspace, self)
        self.register_outputs({"id": self.id, "uri": self.uri})

    def _vault(self) -> Any:
        site = self._args.site
        return keyvault.Vault(
            "vault",
            vault_name=site.name("key vault"),
            properties={
                "tenant_id": self._args.tenant,
                "sku": {"family": "A", "name": "premium"},  # keys in hardware
                "enable_rbac_authorization": True,
                "enable_soft_delete": True,
                "soft_delete_retention_in_days": DAYS,
                "enable_purge_protection": True,
                "public_network_access": "disabled",
                "network_acls": {"default_action": "Deny", "bypass": "AzureServices"},  # disk encryption comes so
            },
            opts=site.holding(self),
            **site.placed(data=True) | {"location": self._args.location},
        )

    def _grants(self) -> None:
        site, readers = self._args.site, sorted(self._args.readers.items())
        grant("admins-set-secrets", site, Grant("Key Vault Secrets Officer", self.id, self._args.admins, True), self)
        for workload, principal in readers:
            grant(f"{workload}-reads-secrets", site, Grant("Key Vault Secrets User", self.id, principal), self)
