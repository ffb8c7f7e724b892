"""A GPU pool of the fleet file -> the AKS agent pool it stands for, and the capacity that is reserved for it. Pure.

Properties have ARM's names, of API version 2026-05-01: the first stable one with artifact streaming. What AKS cannot
change about a pool is only ever changed by its next generation, which is a pool of another name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.region import Pool, Region

API_VERSION = "2026-05-01"

AMD = frozenset({"MI300X"})

PODS = (
    110  # on one machine: Kubernetes' own recommendation for most (kubernetes.io, "Considerations for large clusters")
)


@dataclass(frozen=True, slots=True)
class Berth:
    """Where a pool lies: its subnet, and the capacity reservation group it draws on. Ids, known or yet to be known."""

    subnet: Any
    reservation: Any = None


def agent_pool(pool: Pool, region: Region, berth: Berth) -> dict[str, Any]:
    """The properties of the agent pool."""
    return {
        **_machines(pool, region),
        **_scale(pool),
        **_purchase(pool, berth),
        "vnetSubnetID": berth.subnet,
        "maxPods": PODS,
        "nodeLabels": labels(pool),
        "nodeTaints": taints(pool),
        # AKS installs the driver, or it must not: two owners of one driver leave GPUs that are never advertised.
        "gpuProfile": {"driver": "Install" if pool.driver == "aks" else "None"},
        "enableEncryptionAtHost": True,
        "enableNodePublicIP": False,
        "securityProfile": {"sshAccess": "Disabled"},
    }


def zones(pool: Pool, region: Region) -> tuple[int, ...]:
    """The zones of a pool: one where its machines share a fabric, which is wired inside one scale set and building."""
    return region.zones[:1] if shares_fabric(pool) else region.zones


def shares_fabric(pool: Pool) -> bool:
    """Whether its machines are wired to each other: by InfiniBand, or as racks of one NVLink domain."""
    return pool.infiniband or is_rack(pool)


def is_rack(pool: Pool) -> bool:
    """Whether it is made of whole racks."""
    return pool.size.rack > 1


def labels(pool: Pool) -> dict[str, str]:
    """Labels of its machines: what schedulers, dashboards and people select by."""
    facts = {"pool": pool.name, "purpose": pool.purpose, "gpu": pool.size.gpu, "gpu-count": str(pool.size.count)}
    if shares_fabric(pool):
        facts["fabric"] = f"nvl{pool.size.rack * pool.size.count}" if is_rack(pool) else "infiniband"
    spot = {"kubernetes.azure.com/scalesetpriority": "spot"} if pool.priority == "spot" else {}
    return {f"bellwether/{key}": value for key, value in facts.items()} | spot


def taints(pool: Pool) -> list[str]:
    """Taints of its machines: only what asks for GPUs comes here, and what trains stays away from what serves."""
    vendor = "amd.com" if pool.size.gpu in AMD else "nvidia.com"
    # Named for the resource, so that Kubernetes itself lets those pods come that ask for it.
    found = [f"{vendor}/gpu=present:NoSchedule"]
    if pool.purpose == "training":
        found.append("bellwether/purpose=training:NoSchedule")
    if pool.size.arch == "arm64":
        found.append("kubernetes.io/arch=arm64:NoSchedule")  # images for x86-64 do not start there
    if pool.priority == "spot":
        found.append("kubernetes.azure.com/scalesetpriority=spot:NoSchedule")  # AKS adds it; unsaid, it is drift
    return found


def reserved(pool: Pool, region: Region) -> dict[int | None, int]:
    """Zone -> machines reserved for a pool (None: the region has no zones); empty for one that is not reserved.

    A reservation holds the machines that always run. Where none does, they are wanted all at once: it holds the most.
    A zone for which no machine is left holds none: AKS wants a reservation in each zone of a pool all the same
    (learn.microsoft.com, "Use capacity reservation groups in AKS"), and the zones of a group stay what they are.
    """
    if pool.priority != "reserved":
        return {}
    places: tuple[int | None, ...] = zones(pool, region) or (None,)
    number, more = divmod(pool.nodes.min or pool.nodes.max, len(places))
    return {place: number + (position < more) for position, place in enumerate(places)}


def _machines(pool: Pool, region: Region) -> dict[str, Any]:
    places = [str(zone) for zone in zones(pool, region)]
    streaming = {"artifactStreamingProfile": {"enabled": True}} if _streams(pool) else {}
    return {
        "mode": "User",
        "type": "VirtualMachineScaleSets",
        "vmSize": pool.sku,
        "osType": "Linux",
        "osSKU": "Ubuntu",  # in all pools: the gpu-operator bears only one operating system in a cluster
        "osDiskType": "Ephemeral",  # every GPU size has a local disk for it; its size is that of the machine's
        **({"availabilityZones": places} if places else {}),
        **streaming,
    }


def _streams(pool: Pool) -> bool:
    """Images start before they are whole; x86-64 only (learn.microsoft.com, "Artifact streaming in AKS")."""
    return pool.purpose == "serving" and pool.size.arch == "amd64"


def _scale(pool: Pool) -> dict[str, Any]:
    return {
        "count": pool.nodes.min,
        "enableAutoScaling": True,
        "minCount": pool.nodes.min,
        "maxCount": pool.nodes.max,
        "scaleDownMode": "Delete",
    }


def _purchase(pool: Pool, berth: Berth) -> dict[str, Any]:
    match pool.priority:
        case "spot":  # AKS takes no upgrade settings for spot pools: their machines go without notice anyway
            return {"scaleSetPriority": "Spot", "scaleSetEvictionPolicy": "Delete", "spotMaxPrice": -1}
        case "reserved":
            return {"capacityReservationGroupID": berth.reservation, "upgradeSettings": _upgrade(pool)}
        case _:
            return {"upgradeSettings": _upgrade(pool)}


def _upgrade(pool: Pool) -> dict[str, Any]:
    """One machine at a time. A reserved pool gives one away first: there is no quota for one more."""
    surge = pool.priority != "reserved"
    return {
        "maxSurge": "1" if surge else "0",
        "maxUnavailable": "0" if surge else "1",
        "drainTimeoutInMinutes": 30
        if pool.purpose == "serving"
        else 240,  # open streams end; a job writes a checkpoint
        "nodeSoakDurationInMinutes": 10,  # a broken driver shows before the next machine is touched
        "undrainableNodeBehavior": "Cordon",
    }
