"""What Key Vault refuses: taken and soft-deleted names, protection that cannot be taken back. Pure."""

from __future__ import annotations

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import key, name_of, parent_of, same
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/key-vault"
VAULT = "Microsoft.KeyVault/vaults"
KEY = f"{VAULT}/keys"


@rule("vault.name-taken", VAULT, f"{LEARN}/general/overview")
def vault_name_is_free(request: Request, world: World) -> ArmError | None:
    """A vault's name is its own in all of Azure."""
    here = any(name_of(id).lower() == request.name.lower() and not same(id, request.id)
               for id, _ in world.inventory.of_type(VAULT))  # fmt: skip
    if here or f"{VAULT}/{request.name}".lower() in world.taken:
        return refuse("VaultAlreadyExists", f"The vault name '{request.name}' is already in use.", 409)
    return None


@rule("vault.soft-deleted", VAULT, f"{LEARN}/general/soft-delete-overview")
def vault_name_is_not_deleted(request: Request, world: World) -> ArmError | None:
    """The name of a deleted vault is free when it is purged; until then the vault can only be recovered."""
    recovering = read(request.body, "properties.createMode") == "recover"
    gone = [id for id in world.soft_deleted if name_of(id).lower() == request.name.lower()]
    if not gone or recovering or world.inventory.get(request.id) is not None:
        return None
    what = f"A vault with the same name already exists in deleted state: '{request.name}'. Recover or purge it."
    return refuse("ConflictError", what, 409)


@rule("vault.recover", VAULT, f"{LEARN}/general/key-vault-recovery")
def recovered_vault_was_there(request: Request, world: World) -> ArmError | None:
    """Only a deleted vault is recovered, in its place."""
    if read(request.body, "properties.createMode") != "recover" or world.inventory.get(request.id) is not None:
        return None
    what = f"The vault '{request.name}' is not in deleted state here."
    return None if key(request.id) in world.soft_deleted else refuse("VaultNotFound", what, 404)


@rule("vault.purge-protection", VAULT, f"{LEARN}/general/soft-delete-overview#purge-protection")
def purge_protection_stays(request: Request, world: World) -> ArmError | None:
    """Purge protection is never false: it is on, for good, or not there."""
    if read(request.body, "properties.enablePurgeProtection") is False:
        what = 'The property "enablePurgeProtection" cannot be set to false. Enabling it is an irreversible action.'
        return refuse("BadRequest", what)
    return None


@rule("vault.soft-delete", VAULT, f"{LEARN}/general/soft-delete-overview")
def soft_delete_stays(request: Request, world: World) -> ArmError | None:
    """Soft delete is always on, for 7 to 90 days."""
    days = read(request.body, "properties.softDeleteRetentionInDays", 90)
    if read(request.body, "properties.enableSoftDelete") is False:
        return refuse("BadRequest", 'The property "enableSoftDelete" cannot be set to false.')
    what = f"softDeleteRetentionInDays is {days}; it must be from 7 to 90."
    return None if 7 <= days <= 90 else refuse("BadRequest", what)


@rule("vault.tenant", VAULT, f"{LEARN}/general/move-subscription")
def vault_is_of_the_tenant(request: Request, world: World) -> ArmError | None:
    """A vault's tenant is its subscription's."""
    tenant = read(request.body, "properties.tenantId", world.tenant)
    what = f"The tenant ID '{tenant}' in the request is invalid for the subscription of tenant '{world.tenant}'."
    return None if tenant.lower() == world.tenant.lower() else refuse("BadRequest", what)


@rule("vault.access", VAULT, f"{LEARN}/general/rbac-guide")
def vault_says_who_may(request: Request, world: World) -> ArmError | None:
    """A vault lets Azure's roles say who may, or has access policies; and of these at most 1,024.

    Unsaid, it has the roles since API version 2026-02-01 (azure/key-vault/general/access-control-default).
    """
    policies = read(request.body, "properties.accessPolicies")
    roles = read(request.body, "properties.enableRbacAuthorization", request.api_version >= "2026-02-01")
    if not roles and policies is None:
        return refuse("BadRequest", "The parameter accessPolicies is not specified.")
    number = len(rows(request.body, "properties.accessPolicies"))
    return refuse("BadRequest", f"A vault has {number} access policies; 1024 are the most.") if number > 1024 else None


@rule("vault.hsm-key", KEY, f"{LEARN}/keys/about-keys")
def hardware_keys_need_premium(request: Request, world: World) -> ArmError | None:
    """A key in hardware needs a premium vault."""
    kind = str(read(request.body, "properties.kty", "RSA"))
    tier = read(world.inventory.get(parent_of(request.id)), "properties.sku.name", "standard")
    what = f"The key type {kind} needs a premium vault; this one is {tier}."
    return refuse("BadParameter", what) if kind.endswith("-HSM") and tier != "premium" else None


@rule("vault.key-size", KEY, f"{LEARN}/keys/about-keys-details")
def key_has_a_size(request: Request, world: World) -> ArmError | None:
    """An RSA key has 2048, 3072 or 4096 bits; an elliptic one has a curve."""
    kind = str(read(request.body, "properties.kty", "RSA"))
    size = read(request.body, "properties.keySize", 2048)
    if kind.startswith("RSA") and size not in (2048, 3072, 4096):
        return refuse("BadParameter", f"The key size {size} is not valid.")
    curve = read(request.body, "properties.curveName")
    return refuse("BadParameter", f"An RSA key has no curve {curve}.") if kind.startswith("RSA") and curve else None
