"""GPU pools as AKS has them, and the capacity that is reserved for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.azure.facts import gpu_sizes
from infra.blueprint.node_pool import Berth, agent_pool, labels, reserved, taints, zones
from infra.region import Nodes, Pool, Region

BERTH = Berth("the subnet", "the group")


def pool(**said: Any) -> Pool:
    """A pool for serving, with what is said."""
    plain = {"name": "h100", "sku": "Standard_ND96isr_H100_v5", "nodes": {"min": 4, "max": 8}, "purpose": "serving"}
    return Pool.model_validate(plain | said)


def region(*pools: Pool, places: tuple[int, ...] = (1, 2, 3)) -> Region:
    """A region with these pools."""
    return Region(
        name="one",
        location="eastus2",
        residency="us",
        address_space="10.16.0.0/16",
        zones=places,
        capacity_floor=0.5,
        pools=pools,
    )


RACK = {"sku": "Standard_ND128isr_NDR_GB200_v6", "nodes": {"min": 18, "max": 36}}
TRAIN = {"purpose": "training", "infiniband": True}
SPOT = {"priority": "spot", "spot_serving": True}

CASES: list[tuple[str, dict[str, Any], str, Any]] = [
    ("the operator owns the driver", {}, "gpuProfile", {"driver": "None"}),
    ("AKS owns the driver", {"driver": "aks"}, "gpuProfile", {"driver": "Install"}),
    ("machines of a pool for serving are in all zones", {}, "availabilityZones", ["1", "2", "3"]),
    ("machines on one fabric are in one zone", TRAIN, "availabilityZones", ["1"]),
    ("a rack is in one zone", RACK, "availabilityZones", ["1"]),
    ("images stream where is served", {}, "artifactStreamingProfile", {"enabled": True}),
    ("images do not stream where is trained", TRAIN, "artifactStreamingProfile", None),
    ("images do not stream to Arm", RACK, "artifactStreamingProfile", None),
    ("spot is spot", SPOT, "scaleSetPriority", "Spot"),
    ("spot costs at most what on-demand does", SPOT, "spotMaxPrice", -1),
    ("spot takes no upgrade settings", SPOT, "upgradeSettings", None),
    ("on-demand draws on no reservation", {}, "capacityReservationGroupID", None),
    ("reserved draws on its reservation", {"priority": "reserved"}, "capacityReservationGroupID", "the group"),
    ("counts begin with the least", {}, "count", 4),
    ("disks are encrypted on the machine", {}, "enableEncryptionAtHost", True),
    ("nobody logs in to a machine", {}, "securityProfile", {"sshAccess": "Disabled"}),
    ("no machine has a public address", {}, "enableNodePublicIP", False),
]


@pytest.mark.parametrize(("said", "key", "value"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_pool_becomes_an_agent_pool(said: dict[str, Any], key: str, value: Any) -> None:
    one = pool(**said)
    assert agent_pool(one, region(one), BERTH).get(key) == value


def test_an_upgrade_of_reserved_machines_needs_no_machine_more() -> None:
    one = pool(priority="reserved")
    settings = agent_pool(one, region(one), BERTH)["upgradeSettings"]
    assert (settings["maxSurge"], settings["maxUnavailable"]) == ("0", "1")


def test_a_region_without_zones_says_none() -> None:
    one = pool()
    assert "availabilityZones" not in agent_pool(one, region(one, places=()), BERTH)


TAINTS = [
    ({}, ["nvidia.com/gpu=present:NoSchedule"]),
    ({"sku": "Standard_ND96isr_MI300X_v5"}, ["amd.com/gpu=present:NoSchedule"]),
    (TRAIN, ["nvidia.com/gpu=present:NoSchedule", "bellwether/purpose=training:NoSchedule"]),
    (RACK, ["nvidia.com/gpu=present:NoSchedule", "kubernetes.io/arch=arm64:NoSchedule"]),
    (SPOT, ["nvidia.com/gpu=present:NoSchedule", "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]),
]


@pytest.mark.parametrize(("said", "wanted"), TAINTS, ids=str)
def test_taints_keep_out_what_does_not_belong(said: dict[str, Any], wanted: list[str]) -> None:
    assert taints(pool(**said)) == wanted


@pytest.mark.parametrize("sku", sorted(gpu_sizes()))
def test_labels_say_what_is_in_a_machine(sku: str) -> None:
    found, size = labels(pool(sku=sku)), gpu_sizes()[sku]
    assert (found["bellwether/gpu"], found["bellwether/gpu-count"]) == (size.gpu, str(size.count))


def test_labels_name_the_fabric() -> None:
    assert labels(pool(**RACK))["bellwether/fabric"] == "nvl72"
    assert labels(pool(**TRAIN))["bellwether/fabric"] == "infiniband"
    assert "bellwether/fabric" not in labels(pool())


def test_spot_machines_have_the_label_that_aks_gives_them() -> None:
    assert labels(pool(**SPOT))["kubernetes.azure.com/scalesetpriority"] == "spot"


@given(st.integers(0, 30), st.integers(1, 30), st.sampled_from([(), (2,), (1, 3), (1, 2, 3)]), st.booleans())
def test_what_is_reserved_adds_up_and_is_spread(least: int, more: int, places: tuple[int, ...], fabric: bool) -> None:
    """Over every zone of the pool, also where that leaves nothing for some: AKS wants a reservation in each."""
    one = pool(priority="reserved", infiniband=fabric).model_copy(update={"nodes": Nodes(min=least, max=least + more)})
    found = reserved(one, region(one, places=places))
    assert sum(found.values()) == (least or least + more)
    assert set(found) == set(zones(one, region(one, places=places)) or (None,))
    assert max(found.values()) - min(found.values()) <= 1


def test_only_what_is_reserved_holds_capacity() -> None:
    for said in ({}, SPOT):
        one = pool(**said)
        assert reserved(one, region(one)) == {}
