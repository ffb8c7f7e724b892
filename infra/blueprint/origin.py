"""What the edge must know of a region to send users there: the contract between the two stacks. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from infra.blueprint.naming import Naming
from infra.fleet import Fleet
from infra.region import Region

HEALTH = "/healthz"


@dataclass(frozen=True, slots=True)
class Origin:
    """A region as the edge sees it."""

    pls_id: str
    """Of the private link service, which the cluster makes for the gateway's load balancer; its id is known before."""
    pls_name: str
    host: str
    location: str
    health_path: str
    capacity: int
    """GPUs that serve, at most."""
    traffic: str


def origin(fleet: Fleet, region: Region, names: Naming) -> Origin:
    """The origin of a region. Raises AssertionError for a fleet that is not in Azure."""
    assert fleet.azure is not None
    group, service = (names.name(kind, region.location) for kind in ("resource group", "private link service"))
    provider = f"resourceGroups/{group}/providers/Microsoft.Network/privateLinkServices"
    serving = [pool for pool in region.pools if pool.purpose == "serving"]
    return Origin(
        pls_id=f"/subscriptions/{names.subscription}/{provider}/{service}",
        pls_name=service,
        host=f"{region.name}.{fleet.azure.domain}",
        location=region.location,
        health_path=HEALTH,
        capacity=sum(pool.nodes.max * pool.size.count for pool in serving),
        traffic=region.traffic,
    )
