"""What AKS refuses of an agent pool, inline in a cluster or by itself. Pure.

The error codes of AKS are those of its provider: its "ErrorCode" constants, of whose package apierror a copy is public.
"""

from __future__ import annotations

import re
from typing import Any

from infra.azure.refusal import ArmError, refuse
from infra.azure.rules.overlap import CLUSTER
from infra.azure.rules.pool import BOTH, Pool, after, asked, cluster_body, kept
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

AKS = "https://learn.microsoft.com/azure/aks"


@rule("pool.names", CLUSTER, f"{AKS}/create-node-pools")
def pool_names_differ(request: Request, world: World) -> ArmError | None:
    """Two pools of a cluster do not have one name."""
    names = [pool.name for pool in asked(request)]
    twice = next((name for name in names if names.count(name) > 1), None)
    return refuse("InvalidParameter", f"The agent pool name '{twice}' is used more than once.") if twice else None


@rule("pool.number", BOTH, f"{AKS}/quotas-skus-regions")
def not_too_many_pools(request: Request, world: World) -> ArmError | None:
    """A cluster has at most 100 pools."""
    number = len(after(request, world))
    what = f"The cluster would have {number} node pools; 100 are the most."
    return refuse("MaxAgentPoolCountReached", what) if number > 100 else None


@rule("pool.machines", BOTH, f"{AKS}/quotas-skus-regions")
def not_too_many_machines(request: Request, world: World) -> ArmError | None:
    """A pool has at most 1,000 machines and a cluster at most 5,000."""
    pools = after(request, world)
    big = next((pool for pool in pools if pool.most > 1000), None)
    if big:
        return refuse("InvalidParameter", f"Node pool '{big.name}' may have {big.most} machines; 1000 are the most.")
    total = sum(pool.most for pool in pools)
    what = f"The cluster's pools may have {total} machines; 5000 are the most."
    return refuse("QuotaExceeded", what, 409) if total > 5000 else None


@rule("pool.autoscaler", BOTH, f"{AKS}/cluster-autoscaler")
def autoscaler_has_a_range(request: Request, world: World) -> ArmError | None:
    """minCount and maxCount are set with the autoscaler and only with it, in order; a new pool's count is between them.

    A later count may lie outside until the autoscaler has acted: https://github.com/Azure/AKS/issues/1758.
    """
    new = world.inventory.get(request.id) is None
    for pool in asked(request):
        if what := _range_flaw(pool, new):
            return refuse("InvalidParameter", f"Node pool '{pool.name}': {what}.")
    return None


@rule("pool.labels", BOTH, f"{AKS}/use-labels")
def labels_are_free(request: Request, world: World) -> ArmError | None:
    """Labels of AKS and of Kubernetes itself (kubernetes.azure.com, kubernetes.io) are not set, but for spot's own.

    Those of node.kubernetes.io are: learn.microsoft.com/azure/aks/configure-load-balancer-standard has one set.
    """
    for pool in asked(request):
        for label in pool.read("nodeLabels", {}):
            prefix = label.partition("/")[0] if "/" in label else ""
            own = prefix == "kubernetes.azure.com" and label != "kubernetes.azure.com/scalesetpriority"
            if own or prefix in ("kubernetes.io", "node-role.kubernetes.io"):
                return refuse("NodeLabelKeyNotAllowed", f"The label '{label}' of '{pool.name}' is reserved.")
    return None


@rule("pool.label-values", BOTH, f"{AKS}/use-labels")
def label_values_are_valid(request: Request, world: World) -> ArmError | None:
    """A label value has at most 63 letters, digits, dashes, dots and underscores."""
    for pool in asked(request):
        for label in pool.read("nodeLabels", {}):
            value = read(pool.body, f'nodeLabels["{label}"]', "")
            if not re.fullmatch(r"(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?", str(value)):
                return refuse("InvalidParameter", f"The value '{value}' of label '{label}' is not valid.")
    return None


@rule("pool.taints", BOTH, f"{AKS}/use-node-taints")
def taints_are_valid(request: Request, world: World) -> ArmError | None:
    """A taint is key=value:Effect with the effect NoSchedule, PreferNoSchedule or NoExecute."""
    for pool in asked(request):
        for taint in rows(pool.body, "nodeTaints"):
            if not re.fullmatch(r"[\w./-]+(=[\w.-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)", str(taint)):
                return refuse("InvalidParameter", f"The taint '{taint}' of node pool '{pool.name}' is not valid.")
    return None


@rule("pool.upgrade", BOTH, f"{AKS}/upgrade-aks-node-pools-rolling")
def upgrade_can_move(request: Request, world: World) -> ArmError | None:
    """An upgrade adds machines or takes some away: maxSurge and maxUnavailable are not both 0, nor both above it.

    Both above 0 (take some away where there are none to add) is a preview; a system pool has no maxUnavailable at all.
    """
    for pool in asked(request):
        surge, gone = pool.read("upgradeSettings.maxSurge"), pool.read("upgradeSettings.maxUnavailable")
        if surge is not None and gone is None and _zero(surge):
            return refuse("InvalidParameter", f"'{pool.name}': with maxSurge 0, maxUnavailable must be above 0.")
        if surge is not None and gone is not None and _zero(surge) == _zero(gone):
            what = "cannot both be 0" if _zero(surge) else "cannot both be above 0"
            return refuse("InvalidParameter", f"'{pool.name}': maxSurge and maxUnavailable {what}.")
        if pool.system and gone is not None and not _zero(gone):
            return refuse("InvalidParameter", f"'{pool.name}': maxUnavailable cannot be set for a system pool.")
    return None


@rule("pool.version", BOTH, f"{AKS}/upgrade-aks-control-plane#kubernetes-version-upgrade-rules")
def version_fits(request: Request, world: World) -> ArmError | None:
    """A pool's Kubernetes version is not above the control plane's and at most three minor versions below.

    Those made with their cluster have its version (learn.microsoft.com/azure/aks/create-node-pools#limitations).
    """
    control = _minor(read(cluster_body(request, world), "properties.kubernetesVersion", ""))
    together = request.type.lower() == CLUSTER.lower() and world.inventory.get(request.id) is None
    for pool in asked(request):
        own = _minor(pool.read("orchestratorVersion", ""))
        if control and own and not 0 <= control - own <= (0 if together else 3):
            what = f"Node pool version 1.{own} and control plane version 1.{control} are incompatible."
            return refuse("NodePoolMcVersionIncompatible", what)
    return None


@rule("pool.inline-stays", CLUSTER, "https://github.com/pulumi/pulumi-azure-native/issues/2059")
def inline_immutables_stay(request: Request, world: World) -> ArmError | None:
    """A pool inline in a cluster keeps its size, disk, zones and priority, as any pool does."""
    if world.inventory.get(request.id) is None:
        return None
    before = {pool.name: pool for pool in kept(request.id, world)}
    for pool in asked(request):
        for path in ("vmSize", "osDiskType", "osType", "scaleSetPriority", "vnetSubnetID", "maxPods"):
            old = before[pool.name].read(path) if pool.name in before else None
            if old is not None and pool.read(path) is not None and str(pool.read(path)).lower() != str(old).lower():
                what = f"Changing property 'agentPoolProfiles.{path}' is not allowed: '{pool.name}'."
                return refuse("PropertyChangeNotAllowed", what, 409)
    return None


def _range_flaw(pool: Pool, new: bool) -> str:
    scaled = pool.read("enableAutoScaling", False)
    least, most, count = pool.read("minCount"), pool.read("maxCount"), pool.read("count")
    if not scaled:
        return "minCount and maxCount need enableAutoScaling" if least is not None or most is not None else ""
    if least is None or most is None:
        return "enableAutoScaling needs minCount and maxCount"
    if least > most:
        return f"minCount {least} is more than maxCount {most}"
    inside = count is None or least <= count <= most
    return "" if inside or not new else f"count {count} is not between {least} and {most}"


def _minor(version: Any) -> int | None:
    found = re.match(r"1\.(\d+)", str(version))
    return int(found[1]) if found else None


def _zero(value: Any) -> bool:
    return str(value).rstrip("%") == "0"
