"""Keys of our own for the disks of a region: in its Key Vault, in hardware, turned over every year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import compute, keyvault

from infra.components.grant import Grant, grant
from infra.components.site import Site


@dataclass(frozen=True, slots=True)
class EncryptionArgs:
    """What a disk encryption set is made of. Azure wants the vault in the same region as the disks."""

    site: Site
    vault_id: pulumi.Input[str]
    vault_name: pulumi.Input[str]
    cluster: pulumi.Input[str]
    """Principal of the cluster, which makes disks with it."""


class Encryption(pulumi.ComponentResource):
    """The disk encryption set; `id` is its id, and disks may be made once `ready` is there."""

    def __init__(self, name: str, args: EncryptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:region:Encryption", name, None, opts)
        self._args = args
        made = self._set(self._key())
        self.id: pulumi.Output[str] = made.id
        given = {
            "disks-use-key": Grant(
                "Key Vault Crypto Service Encryption User", args.vault_id, made.identity.principal_id
            ),
            "cluster-uses-disks": Grant("Reader", made.id, args.cluster),
        }
        self.ready = [grant(name, args.site, one, self) for name, one in given.items()]
        self.register_outputs({"id": self.id})

    def _key(self) -> Any:
        turned = {"trigger": {"time_after_create": "P1Y"}, "action": {"type": "rotate"}}
        return keyvault.Key(
            "disk-key",
            key_name="disks",
            vault_name=self._args.vault_name,
            resource_group_name=self._args.site.data,
            properties={
                "kty": "RSA-HSM",
                "key_size": 4096,
                "key_ops": ["wrapKey", "unwrapKey"],
                "rotation_policy": {"attributes": {"expiry_time": "P2Y"}, "lifetime_actions": [turned]},
            },
            tags=dict(self._args.site.tags),
            opts=self._args.site.holding(self),  # without it no disk of the region can be read
        )

    def _set(self, key: Any) -> Any:
        return compute.DiskEncryptionSet(
            "disk-encryption",
            disk_encryption_set_name=self._args.site.name("disk encryption set"),
            encryption_type="EncryptionAtRestWithCustomerKey",
            active_key={"source_vault": {"id": self._args.vault_id}, "key_url": key.key_uri_with_version},
            rotation_to_latest_key_version_enabled=True,
            identity={"type": "SystemAssigned"},
            # The key's version moves by itself from then on.
            opts=self._args.site.guarded(self, ignore_changes=["activeKey"]),
            **self._args.site.placed(),
        )
