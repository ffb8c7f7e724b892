"""What AKS refuses of pools with GPUs: drivers, partitions, InfiniBand, streamed images. Pure."""

from __future__ import annotations

import re

from infra.azure.facts import gpu_sizes
from infra.azure.refusal import ArmError, refuse
from infra.azure.rules.overlap import CLUSTER, POOL
from infra.azure.rules.pool import BOTH, Pool, asked
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

AKS = "https://learn.microsoft.com/azure/aks"
# GPUs that AKS partitions: learn.microsoft.com/azure/aks/gpu-multi-instance#limitations
MIG = re.compile(r"A100|H100|H200", re.IGNORECASE)


@rule("pool.gpu-driver", BOTH, f"{AKS}/use-nvidia-gpu")
def driver_is_for_gpus(request: Request, world: World) -> ArmError | None:
    """A GPU driver setting is for a size that has GPUs."""
    for pool in asked(request):
        size = pool.read("vmSize", "")
        if pool.read("gpuProfile.driver") is not None and size and not _has_gpu(size):
            return refuse("InvalidParameter", f"gpuProfile of '{pool.name}' needs a GPU size; {size} has none.")
    return None


@rule("pool.mig", BOTH, f"{AKS}/gpu-multi-instance")
def mig_is_supported(request: Request, world: World) -> ArmError | None:
    """GPUs are partitioned only where their kind can be: A100, H100 and H200."""
    for pool in asked(request):
        size = pool.read("vmSize", "")
        if pool.read("gpuInstanceProfile") is not None and size and not MIG.search(_gpu(size)):
            return refuse("VMSizeDoesNotSupportMIG", f"{size} of '{pool.name}' does not support multi-instance GPUs.")
    return None


@rule("pool.infiniband", BOTH, "https://github.com/Azure/aks-rdma-infiniband")
def infiniband_is_registered(request: Request, world: World) -> ArmError | None:
    """A pool that is labelled for InfiniBand or RDMA needs the feature AKSInfinibandSupport, which puts its machines on
    one fabric."""
    if "microsoft.containerservice/aksinfinibandsupport" in world.features:
        return None
    for pool in asked(request):
        if label := _fabric(pool):
            what = "Feature Microsoft.ContainerService/AKSInfinibandSupport is not registered in the subscription"
            return refuse("FeatureNotEnabled", f"{what}; '{pool.name}' is labelled {label}.")
    return None


@rule("pool.infiniband-zone", BOTH, "https://learn.microsoft.com/azure/virtual-machines/setup-infiniband")
def infiniband_is_in_one_place(request: Request, world: World) -> ArmError | None:
    """Machines that share InfiniBand share a scale set in one zone: a pool that is labelled so has at most one."""
    for pool in asked(request):
        zones = rows(pool.body, "availabilityZones")
        if len(zones) > 1 and _fabric(pool):
            return refuse("InvalidParameter", f"'{pool.name}' needs one InfiniBand fabric and has zones {zones}.")
    return None


@rule(
    "pool.inline",
    CLUSTER,
    "https://github.com/Azure/terraform-azurerm-avm-res-containerservice-managedcluster/issues/196",
)
def inline_takes_less(request: Request, world: World) -> ArmError | None:
    """Inline in a cluster, a pool takes no artifact streaming profile, though the type has it."""
    for pool in asked(request):
        if pool.read("artifactStreamingProfile") is not None:
            what = f"artifactStreamingProfile of '{pool.name}' is set on the pool itself, not in the cluster."
            return refuse("InvalidParameter", what)
    return None


@rule("pool.streaming", POOL, f"{AKS}/artifact-streaming")
def streaming_is_linux_amd64(request: Request, world: World) -> ArmError | None:
    """Artifact streaming is for Linux on amd64."""
    for pool in asked(request):
        size = gpu_sizes().get(str(pool.read("vmSize", "")))
        arm = size is not None and size.arch == "arm64"
        if pool.read("artifactStreamingProfile.enabled", False) and (pool.read("osType", "Linux") != "Linux" or arm):
            return refuse("InvalidParameter", f"'{pool.name}': artifact streaming is for Linux on amd64.")
    return None


def _gpu(size: str) -> str:
    """The kind of GPU: not every size has it in its name, as Standard_ND96asr_v4 (A100) has not."""
    return gpu_sizes()[size].gpu if size in gpu_sizes() else size


def _has_gpu(size: str) -> bool:
    """Sizes of the families with GPUs begin with N."""
    return size in gpu_sizes() or size.startswith("Standard_N")


def _fabric(pool: Pool) -> str:
    """The label that claims InfiniBand, in its name (and not "false") or as its value; nothing where none does."""
    for label in pool.read("nodeLabels", {}):
        value = str(read(pool.body, f'nodeLabels["{label}"]', ""))
        if value == "infiniband" or (re.search("infiniband|rdma", label, re.IGNORECASE) and value != "false"):
            return str(label)
    return ""
