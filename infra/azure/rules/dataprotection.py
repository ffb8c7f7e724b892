"""What backup refuses: vaults elsewhere, clusters that do not trust them, promises that cannot be taken back. Pure."""

from __future__ import annotations

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import key, parent_of, same, type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/backup"
VAULT = "Microsoft.DataProtection/backupVaults"
INSTANCE = f"{VAULT}/backupInstances"
EXTENSION = "Microsoft.KubernetesConfiguration/extensions"
CLUSTER = "microsoft.containerservice/managedclusters"
BACKUP = "microsoft.dataprotection.kubernetes"
# What the extension must be told (learn.microsoft.com/azure/backup/azure-kubernetes-service-cluster-manage-backups), by
# ARM's names: the CLI has shorter ones (blobContainer, ...) and translates them.
SETTINGS = (
    "configuration.backupStorageLocation.bucket",
    "configuration.backupStorageLocation.config.storageAccount",
    "configuration.backupStorageLocation.config.resourceGroup",
    "configuration.backupStorageLocation.config.subscriptionId",
)


@rule("backup.cross-region", VAULT, f"{LEARN}/backup-vault-overview")
def cross_region_restore_needs_copies(request: Request, world: World) -> ArmError | None:
    """Restore in another region needs geo-redundant storage."""
    on = read(request.body, "properties.featureSettings.crossRegionRestoreSettings.state", "Disabled") == "Enabled"
    kinds = {read(row, "type") for row in rows(request.body, "properties.storageSettings")}
    if on and "GeoRedundant" not in kinds:
        what = "Cross region restore is only supported for vaults with geo-redundant storage."
        return refuse("UserErrorCrossRegionRestoreNotSupported", what)
    return None


@rule("backup.storage", VAULT, f"{LEARN}/backup-vault-overview")
def vault_has_storage(request: Request, world: World) -> ArmError | None:
    """A backup vault has exactly one vault store."""
    kinds = [read(row, "datastoreType") for row in rows(request.body, "properties.storageSettings")]
    what = f"A backup vault needs one VaultStore; this one has {kinds}."
    return None if kinds.count("VaultStore") == 1 else refuse("BMSUserErrorInvalidInput", what)


@rule("backup.locked", VAULT, f"{LEARN}/backup-azure-immutable-vault-concept")
def locks_stay(request: Request, world: World) -> ArmError | None:
    """Immutability that is locked, and soft delete that is always on, are never taken back."""
    before = world.inventory.get(request.id)
    path = "properties.securitySettings"
    for setting, final in (("immutabilitySettings.state", "Locked"), ("softDeleteSettings.state", "AlwaysOn")):
        had, has = read(before, f"{path}.{setting}"), read(request.body, f"{path}.{setting}")
        if had == final and has != final:
            what = f"{setting} is {final}, which is irreversible; it cannot become {has}."
            return refuse("UserErrorIrreversibleSettingCannotBeChanged", what)
    return None


@rule("backup.region", INSTANCE, f"{LEARN}/azure-kubernetes-service-cluster-backup-concept")
def vault_is_in_the_region(request: Request, world: World) -> ArmError | None:
    """A cluster is backed up to a vault in its own region and subscription."""
    source = read(request.body, "properties.dataSourceInfo.resourceID", "")
    cluster = world.inventory.get(source) or {}
    vault = world.inventory.get(parent_of(request.id)) or {}
    if type_of(source).lower() != CLUSTER or not cluster or not vault:
        return None
    if str(cluster.get("location")).lower() != str(vault.get("location")).lower():
        what = f"The cluster is in {cluster.get('location')}, the vault in {vault.get('location')}."
        return refuse("UserErrorDatasourceAndVaultInDifferentRegions", what)
    return None


@rule("backup.extension", INSTANCE, f"{LEARN}/azure-kubernetes-service-cluster-manage-backups")
def cluster_has_the_extension(request: Request, world: World) -> ArmError | None:
    """A cluster that is backed up has the backup extension."""
    source = read(request.body, "properties.dataSourceInfo.resourceID", "")
    if type_of(source).lower() != CLUSTER:
        return None
    for id, body in world.inventory.of_type(EXTENSION):
        if key(id).startswith(key(source)) and str(read(body, "properties.extensionType", "")).lower() == BACKUP:
            return None
    return refuse("UserErrorExtensionNotFoundOnCluster", f"The backup extension is not installed in {source}.")


@rule(
    "backup.trust",
    INSTANCE,
    f"{LEARN}/azure-kubernetes-service-cluster-manage-backups#trusted-access-related-operations",
)
def cluster_trusts_the_vault(request: Request, world: World) -> ArmError | None:
    """A cluster that is backed up gives the vault trusted access."""
    source, vault = read(request.body, "properties.dataSourceInfo.resourceID", ""), parent_of(request.id)
    if type_of(source).lower() != CLUSTER:
        return None
    for id, body in world.inventory.below(source):
        binding = type_of(id).lower().endswith("/trustedaccessrolebindings")
        if binding and same(read(body, "properties.sourceResourceId", ""), vault):
            return None
    what = f"Trusted access is not enabled between {source} and {vault}."
    return refuse("UserErrorTrustedAccessGatewayReturnedForbidden", what)


@rule("backup.policy-kind", INSTANCE, f"{LEARN}/backup-vault-overview")
def policy_is_of_the_source(request: Request, world: World) -> ArmError | None:
    """A backup policy is for the kind of source that it is used for, and in the same vault."""
    id = read(request.body, "properties.policyInfo.policyId", "")
    policy, source = world.inventory.get(id), read(request.body, "properties.dataSourceInfo.datasourceType")
    if policy is None or source is None:
        return None
    kinds = rows(policy, "properties.datasourceTypes")
    if source not in kinds or not same(parent_of(id), parent_of(request.id)):
        return refuse("UserErrorInvalidPolicy", f"The policy {id} is for {kinds}, not for {source} in this vault.")
    return None


@rule("backup.extension-settings", EXTENSION, f"{LEARN}/azure-kubernetes-service-cluster-manage-backups")
def extension_knows_where(request: Request, world: World) -> ArmError | None:
    """The backup extension is told its storage account and container."""
    if str(read(request.body, "properties.extensionType", "")).lower() != BACKUP:
        return None
    told = read(request.body, "properties.configurationSettings", {})
    lacking = [name for name in SETTINGS if name not in told]
    return refuse("BadRequest", f"The backup extension needs the setting {lacking[0]}.") if lacking else None


@rule("extension.one-of-a-type", EXTENSION, "https://learn.microsoft.com/azure/aks/cluster-extensions")
def cluster_has_one_extension_of_a_type(request: Request, world: World) -> ArmError | None:
    """A cluster has one extension of a type."""
    own = str(read(request.body, "properties.extensionType", "")).lower()
    for id, body in world.inventory.of_type(EXTENSION):
        near = same(parent_of(id), parent_of(request.id)) and not same(id, request.id)
        if near and str(read(body, "properties.extensionType", "")).lower() == own:
            return refuse("ExtensionOfSameTypeExists", f"There is an extension of type {own} already: {id}.", 409)
    return None
