"""What a firewall lets out."""

from __future__ import annotations

from infra.blueprint.egress import AKS_DRIVER, reaches
from infra.fleet import load_fleet
from infra.region import Region


def _with(driver: str) -> Region:
    region = load_fleet("atlas").region("westeurope")
    pools = tuple(pool.model_copy(update={"driver": driver}) for pool in region.pools)
    return region.model_copy(update={"pools": pools})


def test_driver_downloads_are_reached_only_where_aks_installs_the_driver() -> None:
    assert AKS_DRIVER in list(reaches(_with("aks")))
    assert AKS_DRIVER not in list(reaches(_with("operator")))


def test_the_backup_extension_reaches_its_own_region_only() -> None:
    found = [host for reach in reaches(_with("operator")) for host in reach.hosts if "dp.kubernetes" in host]
    assert found == ["westeurope.dp.kubernetesconfiguration.azure.com"]


def test_no_name_stands_for_the_whole_internet_or_all_of_a_registry() -> None:
    hosts = [host for reach in reaches(_with("aks")) for host in reach.hosts]
    assert hosts and all(host.lstrip("*.").count(".") >= 1 and host != "*" for host in hosts)
    assert not any(word in host for host in hosts for word in ("docker.io", "nvcr", "huggingface", "ghcr"))


def test_each_reach_has_names_or_a_tag_and_a_name_of_its_own() -> None:
    found = list(reaches(_with("aks")))
    assert all(bool(reach.hosts) != bool(reach.tag) for reach in found)
    assert len({reach.name for reach in found}) == len(found)
