"""A region as the edge sees it."""

from __future__ import annotations

from infra.blueprint.naming import Naming
from infra.blueprint.origin import Origin, origin
from infra.fleet import Fleet, load_fleet


def _origin(fleet: Fleet, name: str) -> Origin:
    assert fleet.azure
    return origin(fleet, fleet.region(name), Naming(fleet.name, fleet.environment, fleet.azure.subscription))


def test_capacity_counts_gpus_that_serve_and_no_others() -> None:
    found = _origin(load_fleet("atlas"), "southcentralus")  # 24 x 8 H100 and 12 x 4 A100 serve, 64 x 8 H200 train
    assert found.capacity == 24 * 8 + 12 * 4


def test_the_private_link_is_known_before_it_is_made() -> None:
    found = _origin(load_fleet("demo"), "eastus2")
    assert found.pls_id.endswith(f"/Microsoft.Network/privateLinkServices/{found.pls_name}")
    assert "/resourceGroups/rg-demo-demo-eus2-001/" in found.pls_id


def test_each_region_answers_under_a_name_of_its_own() -> None:
    fleet = load_fleet("atlas")
    hosts = {_origin(fleet, region.name).host for region in fleet.regions}
    assert len(hosts) == 6 and all(host.endswith(".atlas.example.com") for host in hosts)


def test_traffic_is_the_fleet_files() -> None:
    fleet = load_fleet("demo")
    closed = fleet.regions[0].model_copy(update={"traffic": "closed"})
    assert _origin(fleet.model_copy(update={"regions": (closed,)}), "eastus2").traffic == "closed"
