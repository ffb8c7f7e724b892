"""The names that a region's machines may reach outside, when a firewall that knows names stands before them. Pure.

Images and weights are not among them: they come from the fleet's registry, over its private endpoint. Sources are
learn.microsoft.com, "Outbound network and FQDN rules for AKS clusters", and the page of each service that is named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infra.region import Region


@dataclass(frozen=True, slots=True)
class Reach:
    """Names that may be reached for one reason; `tag` is a list of names that Microsoft keeps."""

    name: str
    hosts: tuple[str, ...] = ()
    tag: str | None = None
    plain: bool = False  # also over HTTP: packages are signed, and their mirrors do not all speak TLS


EVERYWHERE = (
    Reach("kubernetes", tag="AzureKubernetesService", plain=True),
    Reach(
        "ubuntu",
        ("security.ubuntu.com", "azure.archive.ubuntu.com", "changelogs.ubuntu.com", "snapshot.ubuntu.com"),
        plain=True,
    ),
    Reach("entra", ("login.microsoftonline.com",)),
    Reach("policy", ("data.policy.core.windows.net", "store.policy.core.windows.net")),
    Reach("defender", ("*.cloud.defender.microsoft.com", "*.ods.opinsights.azure.com", "*.oms.opinsights.azure.com")),
    Reach("monitor", ("*.ingest.monitor.azure.com", "*.handler.control.monitor.azure.com", "*.monitoring.azure.com")),
)

AKS_DRIVER = Reach("gpu-driver", ("nvidia.github.io", "us.download.nvidia.com", "download.docker.com"))
"""Only where AKS installs the driver; the gpu-operator takes its images from the registry."""


def reaches(region: Region) -> Iterable[Reach]:
    """All that a region may reach by name."""
    yield from EVERYWHERE
    yield Reach("extensions", (f"{region.location}.dp.kubernetesconfiguration.azure.com",))  # the backup extension
    if any(pool.driver == "aks" for pool in region.pools):
        yield AKS_DRIVER
