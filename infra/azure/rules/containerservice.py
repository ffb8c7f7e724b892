"""What AKS refuses of a cluster: identity, API server, add-ons, upgrades, maintenance. Pure."""

from __future__ import annotations

import re
from typing import Any

from infra.azure.refusal import ArmError, refuse
from infra.azure.rules.overlap import CLUSTER
from infra.azure.rules.pool import asked
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

AKS = "https://learn.microsoft.com/azure/aks"
MAINTENANCE = f"{CLUSTER}/maintenanceConfigurations"
SCHEDULES = ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")


@rule("aks.local-accounts", CLUSTER, f"{AKS}/local-accounts")
def local_accounts_need_entra(request: Request, world: World) -> ArmError | None:
    """Local accounts are turned off only where people come in through Entra."""
    off = read(request.body, "properties.disableLocalAccounts", False)
    if off and not read(request.body, "properties.aadProfile.managed", False):
        return refuse("InvalidParameter", "disableLocalAccounts needs a cluster with managed Entra integration.")
    return None


@rule("aks.entra-rbac", CLUSTER, f"{AKS}/entra-id-authorization")
def azure_rbac_needs_entra(request: Request, world: World) -> ArmError | None:
    """Azure's roles rule inside a cluster only with managed Entra integration and with RBAC on."""
    azure = read(request.body, "properties.aadProfile.enableAzureRBAC", False)
    if not azure:
        return None
    if not read(request.body, "properties.aadProfile.managed", False):
        return refuse("InvalidParameter", "enableAzureRBAC needs aadProfile.managed.")
    if not read(request.body, "properties.enableRBAC", True):
        return refuse("RBACNotEnabledForAAD", "Entra integration needs enableRBAC.")
    return None


@rule("aks.workload-identity", CLUSTER, f"{AKS}/workload-identity-deploy-cluster")
def workload_identity_needs_issuer(request: Request, world: World) -> ArmError | None:
    """Workload identity needs the OIDC issuer."""
    wanted = read(request.body, "properties.securityProfile.workloadIdentity.enabled", False)
    if wanted and not read(request.body, "properties.oidcIssuerProfile.enabled", False):
        return refuse("InvalidParameter", "Workload identity requires OIDC issuer to be enabled.")
    return None


@rule("aks.issuer-stays", CLUSTER, f"{AKS}/use-oidc-issuer")
def issuer_stays(request: Request, world: World) -> ArmError | None:
    """The OIDC issuer is never turned off again."""
    had = read(world.inventory.get(request.id), "properties.oidcIssuerProfile.enabled", False)
    if had and not read(request.body, "properties.oidcIssuerProfile.enabled", False):
        return refuse("OIDCIssuerCannotBeDisabled", "The OIDC issuer cannot be disabled once it is enabled.")
    return None


@rule("aks.upgrade-path", CLUSTER, f"{AKS}/upgrade-aks-control-plane#kubernetes-version-upgrade-rules")
def upgrades_go_step_by_step(request: Request, world: World) -> ArmError | None:
    """A control plane goes up one minor version at a time, with long-term support several, and never down."""
    old = _minor(read(world.inventory.get(request.id), "properties.kubernetesVersion", ""))
    new = _minor(read(request.body, "properties.kubernetesVersion", ""))
    lasting = read(request.body, "properties.supportPlan", "KubernetesOfficial") == "AKSLongTermSupport"
    if old is None or new is None or 0 <= new - old <= 1 or (lasting and new > old):
        return None
    return refuse("OperationNotAllowed", f"Upgrading Kubernetes version 1.{old} to 1.{new} is not allowed.")


@rule("aks.channels", CLUSTER, f"{AKS}/auto-upgrade-node-os-image")
def channels_agree(request: Request, world: World) -> ArmError | None:
    """With the upgrade channel node-image, the channel of the nodes' system is NodeImage."""
    profile = read(request.body, "properties.autoUpgradeProfile", {})
    nodes = read(profile, "nodeOSUpgradeChannel", "NodeImage")
    if read(profile, "upgradeChannel") == "node-image" and nodes != "NodeImage":
        return refuse("InvalidParameter", f"upgradeChannel node-image does not go with nodeOSUpgradeChannel {nodes}.")
    return None


@rule("aks.image-cleaner", CLUSTER, f"{AKS}/image-cleaner")
def image_cleaner_has_time(request: Request, world: World) -> ArmError | None:
    """The image cleaner runs every 24 hours to every three months."""
    cleaner = read(request.body, "properties.securityProfile.imageCleaner", {})
    hours = read(cleaner, "intervalHours", 168)
    if read(cleaner, "enabled", False) and not 24 <= hours <= 2160:
        return refuse("InvalidParameter", f"imageCleaner.intervalHours is {hours}; it must be from 24 to 2160.")
    return None


@rule("aks.defender", CLUSTER, "https://learn.microsoft.com/azure/defender-for-cloud/defender-for-containers-enable")
def defender_has_a_workspace(request: Request, world: World) -> ArmError | None:
    """Defender's sensor reports to a Log Analytics workspace."""
    defender = read(request.body, "properties.securityProfile.defender", {})
    on = read(defender, "securityMonitoring.enabled", False)
    if on and not read(defender, "logAnalyticsWorkspaceResourceId"):
        what = "Defender needs logAnalyticsWorkspaceResourceId."
        return refuse("LogAnalyticsWorkspaceNotSetForAzureDefender", what)
    return None


@rule("aks.kms", CLUSTER, f"{AKS}/use-kms-etcd-encryption")
def kms_has_a_key(request: Request, world: World) -> ArmError | None:
    """Encryption of etcd has a key, and the vault's id where the vault is private."""
    kms = read(request.body, "properties.securityProfile.azureKeyVaultKms", {})
    if not read(kms, "enabled", False):
        return None
    if not read(kms, "keyId"):
        return refuse("InvalidParameter", "azureKeyVaultKms needs keyId.")
    if read(kms, "keyVaultNetworkAccess") == "Private" and not read(kms, "keyVaultResourceId"):
        return refuse("InvalidParameter", "azureKeyVaultKms with a private vault needs keyVaultResourceId.")
    return None


@rule("aks.auto-provisioning", CLUSTER, f"{AKS}/migrate-from-autoscaler-to-node-auto-provisioning")
def provisioning_excludes_the_autoscaler(request: Request, world: World) -> ArmError | None:
    """Node auto-provisioning does not go with a pool that the cluster autoscaler scales, but for a preview feature."""
    together = "microsoft.containerservice/allowclusterautoscalerandnap" in world.features
    if together or read(request.body, "properties.nodeProvisioningProfile.mode", "Manual") != "Auto":
        return None
    scaled = next((pool.name for pool in asked(request) if pool.read("enableAutoScaling", False)), None)
    what = f"Node auto-provisioning cannot be on while pool '{scaled}' uses the cluster autoscaler."
    return refuse("InvalidParameter", what) if scaled else None


@rule("aks.maintenance-name", MAINTENANCE, f"{AKS}/planned-maintenance")
def maintenance_has_a_known_name(request: Request, world: World) -> ArmError | None:
    """A maintenance window is called default, aksManagedAutoUpgradeSchedule or aksManagedNodeOSUpgradeSchedule."""
    if request.name in ("default", *SCHEDULES):
        return None
    return refuse("InvalidParameter", f"A maintenance configuration cannot be called '{request.name}'.")


@rule("aks.maintenance-form", MAINTENANCE, f"{AKS}/planned-maintenance")
def maintenance_has_its_form(request: Request, world: World) -> ArmError | None:
    """A maintenance window has at least 4 hours and one schedule, that of default a weekly one.

    default may have hours of a week instead (timeInWeek), which AKS turns into a window.
    """
    window, plain = read(request.body, "properties.maintenanceWindow"), request.name == "default"
    if request.name not in ("default", *SCHEDULES) or (plain and window is None):
        return None
    if plain and rows(request.body, "properties.timeInWeek"):
        return refuse("InvalidParameter", "'default' takes maintenanceWindow or timeInWeek, not both.")
    if window is None or read(window, "durationHours", 0) < 4:
        return refuse("InvalidParameter", f"'{request.name}' needs a maintenanceWindow of at least 4 hours.")
    kinds = [kind for kind in ("daily", "weekly", "absoluteMonthly", "relativeMonthly")
             if read(window, f"schedule.{kind}")]  # fmt: skip
    if len(kinds) != 1:
        return refuse("InvalidParameter", f"'{request.name}' needs one schedule, not {len(kinds)}.")
    what = f"'default' takes a weekly schedule, not {kinds[0]}."
    return refuse("InvalidParameter", what) if plain and kinds != ["weekly"] else None


@rule("aks.trusted-access", f"{CLUSTER}/trustedAccessRoleBindings", f"{AKS}/trusted-access-feature")
def trusted_roles_are_of_the_source(request: Request, world: World) -> ArmError | None:
    """Trusted access gives a resource roles of its own type."""
    source = str(read(request.body, "properties.sourceResourceId", ""))
    kind = re.search(r"/providers/([^/]+/[^/]+)/", source)
    for role in rows(request.body, "properties.roles"):
        if kind and not str(role).lower().startswith(kind[1].lower() + "/"):
            return refuse("InvalidParameter", f"The role '{role}' is not one of {kind[1]}.")
    return None


def _minor(version: Any) -> int | None:
    found = re.match(r"1\.(\d+)", str(version))
    return int(found[1]) if found else None
