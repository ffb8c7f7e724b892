"""What the node pools of a region must have, row by row, and in which order they come, go and are made anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from infra.blueprint.node_pool import is_rack
from infra.fleet import load_fleet
from infra.region import Pool
from tests.infra.components.rendered import FEATURES, Rendered, render, scope, subscription
from tests.infra.components.rows import Row, Where, cases, everywhere, with_pool

AKS = "Microsoft.ContainerService/managedClusters"
RESERVED = "Microsoft.Compute/capacityReservationGroups"


def gpu_pools_with_taints_and_labels(made: Rendered) -> None:
    wanted = made.pools_that(lambda pool: True)
    assert set(made.pools) == {f"{pool.name}g{pool.generation}" for pool, _ in wanted} | {"platformg1"}
    for pool, found in wanted:
        vendor = "amd.com" if "MI300X" in pool.sku else "nvidia.com"
        assert f"{vendor}/gpu=present:NoSchedule" in found["nodeTaints"]
        labels = {key: found["nodeLabels"][f"bellwether/{key}"] for key in ("pool", "purpose", "gpu-count")}
        assert labels == {"pool": pool.name, "purpose": pool.purpose, "gpu-count": str(pool.size.count)}
        assert (found["mode"], found["vmSize"], found["enableAutoScaling"]) == ("User", pool.sku, True)
        assert (found["minCount"], found["maxCount"]) == (pool.nodes.min, pool.nodes.max)
        assert found["vnetSubnetID"] == made.outputs["subnet_ids"][pool.purpose]


def one_owner_of_each_driver(made: Rendered) -> None:
    for pool, found in made.pools_that(lambda pool: True):
        assert found["gpuProfile"] == {"driver": "Install" if pool.driver == "aks" else "None"}
    assert "gpuProfile" not in made.pool("platformg1") and "gpuProfile" not in made.cluster["agentPoolProfiles"][0]


def one_operating_system(made: Rendered) -> None:
    """The gpu-operator bears only one in a cluster."""
    pools = [*made.cluster["agentPoolProfiles"], *map(made.pool, made.pools)]
    assert {(pool["osType"], pool["osSKU"]) for pool in pools} == {("Linux", "Ubuntu")}


def infiniband_in_one_domain(made: Rendered) -> None:
    for pool, found in made.pools_that(lambda pool: pool.infiniband):
        assert found["availabilityZones"] == [str(made.place.zones[0])], "what is wired together is in one building"
        assert found["nodeLabels"]["bellwether/fabric"] == "infiniband" and found["type"] == "VirtualMachineScaleSets"
        assert found["vnetSubnetID"] == made.outputs["subnet_ids"][pool.purpose]


def racks_of_72_gpus(made: Rendered) -> None:
    for pool, rack in made.pools_that(is_rack):
        assert rack["count"] % 18 == 0 and rack["maxCount"] % 18 == 0 and pool.size.count * 18 == 72
        assert rack["availabilityZones"] == [str(made.place.zones[0])]
        assert rack["nodeLabels"]["bellwether/fabric"] == "nvl72"
        assert "kubernetes.io/arch=arm64:NoSchedule" in rack["nodeTaints"]


def spot_pools(made: Rendered) -> None:
    for _, found in made.pools_that(is_spot):
        bought = found["scaleSetPriority"], found["scaleSetEvictionPolicy"], found["spotMaxPrice"]
        assert bought == ("Spot", "Delete", -1)
        assert "kubernetes.azure.com/scalesetpriority=spot:NoSchedule" in found["nodeTaints"]
        assert "upgradeSettings" not in found and "capacityReservationGroupID" not in found


def reserved_capacity(made: Rendered) -> None:
    """A reservation of the pool's size in each of its zones, together what always runs; also where that is less."""
    held = made.all(f"{RESERVED}/capacityReservations")
    for pool, found in made.pools_that(is_reserved):
        group = found["capacityReservationGroupID"]
        inside = [one for one in held if one.id.startswith(f"{group}/")]
        assert sorted(one.body["zones"] for one in inside) == sorted([zone] for zone in found["availabilityZones"])
        assert {one.body["sku"]["name"] for one in inside} == {pool.sku}
        number = [one.body["sku"]["capacity"] for one in inside]
        assert sum(number) == (pool.nodes.min or pool.nodes.max) and max(number) - min(number) <= 1
        (uses,) = [one for one in made.granted("Contributor") if scope(one) == group]
        assert {uses.id, *(one.id for one in inside)} <= made.waited_for(made.pools[f"{pool.name}g{pool.generation}"])
    assert len(made.all(RESERVED)) == len(made.pools_that(is_reserved))


def upgrades_that_need_no_spare_machine(made: Rendered) -> None:
    """Of what is reserved there is none to spare, so a machine is given away before it is had again."""
    for _, found in made.pools_that(is_reserved):
        settings = found["upgradeSettings"]
        assert (settings["maxSurge"], settings["maxUnavailable"]) == ("0", "1")


def pools_that_go_down_to_nothing(made: Rendered) -> None:
    """A cluster is not stopped to save money, since what owns its GPUs does not bear it: its pools are emptied."""
    for _, found in made.pools_that(may_be_empty):
        assert (found["minCount"], found["count"], found["scaleDownMode"]) == (0, 0, "Delete")
    assert not any("powerState" in one.body["properties"] for one in (made.one(AKS), *made.pools.values()))


def artifact_streaming(made: Rendered) -> None:
    """By a generic resource: the typed one is of an older API version."""
    for pool, found in made.pools_that(streams):
        asked = made.pools[f"{pool.name}g{pool.generation}"]
        assert asked.api_version == "2026-05-01" and asked.token == "azure-native:resources:Resource"
        assert found["artifactStreamingProfile"] == {"enabled": True}


def is_reserved(pool: Pool) -> bool:
    return pool.priority == "reserved"


def is_spot(pool: Pool) -> bool:
    return pool.priority == "spot"


def may_be_empty(pool: Pool) -> bool:
    return pool.nodes.min == 0


def streams(pool: Pool) -> bool:
    return pool.purpose == "serving" and pool.size.arch == "amd64"


ROWS: list[tuple[Where, Row]] = [
    (everywhere, gpu_pools_with_taints_and_labels),
    (everywhere, one_owner_of_each_driver),
    (everywhere, one_operating_system),
    (with_pool(lambda pool: pool.infiniband), infiniband_in_one_domain),
    (with_pool(is_rack), racks_of_72_gpus),
    (with_pool(is_spot), spot_pools),
    (with_pool(is_reserved), reserved_capacity),
    (with_pool(is_reserved), upgrades_that_need_no_spare_machine),
    (with_pool(may_be_empty), pools_that_go_down_to_nothing),
    (with_pool(streams), artifact_streaming),
]


@pytest.mark.parametrize(("region", "row"), cases(ROWS))
def test_a_region_has(rendered: dict[str, Rendered], region: str, row: Row) -> None:
    row(rendered[region])


def test_only_the_system_pool_is_inline_and_its_changes_are_nobodys_business(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        assert len(made.cluster["agentPoolProfiles"]) == 1
        assert made.options(made.one(AKS)).ignore_changes == ("agentPoolProfiles",)


def test_counts_belong_to_the_autoscaler(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        for name, pool in made.pools.items():
            count = "count" if name == "platformg1" else "properties.count"
            assert made.options(pool).ignore_changes == (count,)


def test_pools_are_made_one_after_the_other(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        order = [f"{one.name}g{one.generation}" for one in made.place.pools]
        for before, after in zip(["platformg1", *order], order, strict=False):
            assert made.pools[before].id in made.waited_for(made.pools[after])
        last = made.pools[order[-1]].id
        assert last in made.waited_for(made.one("Microsoft.KubernetesConfiguration/extensions"))


@dataclass(frozen=True)
class Anew:
    """A pool of the walled region, what is to be changed of it, and whether another reservation is needed for that."""

    pool: str
    change: dict[str, object]
    reserved_anew: bool = False


ANEW = {
    "another size": Anew("amd", {"sku": "Standard_NC40ads_H100_v5", "generation": 4}),
    "another driver": Anew("h100", {"driver": "aks", "generation": 2}),
    "another size that is reserved": Anew("h100", {"sku": "Standard_ND96isr_H200_v5", "generation": 2}, True),
    "wired to each other and reserved": Anew("h100", {"infiniband": True, "generation": 2}, True),
}


@pytest.mark.parametrize("what", ANEW)
def test_the_next_generation_of_a_pool_is_made_beside_the_one_before(tmp_path: Path, what: str) -> None:
    """Nothing that is there is asked to become what Azure cannot make of it: the subscription has both for a while."""
    anew, azure = ANEW[what], subscription(load_fleet(FEATURES))
    before = render(FEATURES, "walled", azure=azure)["walled"]
    after = render(edited(tmp_path, anew.pool, anew.change), "walled", azure=azure)["walled"]
    (gone,), (new,) = before.pools.keys() - after.pools.keys(), after.pools.keys() - before.pools.keys()
    assert (gone.partition("g")[0], new) == (anew.pool, f"{anew.pool}g{anew.change['generation']}")
    assert {azure.read(made.pools[name].id) is not None for made, name in ((before, gone), (after, new))} == {True}
    changed = {one.type for id, one in after.recorder.requests.items() if before.recorder.requests.get(id) != one}
    reservations = {RESERVED, f"{RESERVED}/capacityReservations", "Microsoft.Authorization/roleAssignments"}
    assert changed == {f"{AKS}/agentPools"} | (reservations if anew.reserved_anew else set())


def test_a_reservation_that_grows_or_shrinks_stays_the_same_one(tmp_path: Path) -> None:
    """Also where there are fewer machines than zones."""
    azure = subscription(load_fleet(FEATURES))
    before = render(FEATURES, "walled", azure=azure)["walled"]
    after = render(edited(tmp_path, "h100", {"nodes": {"min": 2, "max": 8}}), "walled", azure=azure)["walled"]
    assert before.recorder.requests.keys() == after.recorder.requests.keys()


def edited(folder: Path, pool: str, change: dict[str, object]) -> Path:
    """The fleet of everything with another pool in its walled region."""
    data = yaml.safe_load(FEATURES.read_text(encoding="utf-8"))
    next(one for one in data["regions"][0]["pools"] if one["name"] == pool).update(change)
    path = folder / FEATURES.name
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path
