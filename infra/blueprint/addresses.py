"""The addresses of a region: which part of its block is for whom, and where pods and services live. Pure.

Everything follows from the block alone. Each subnet begins where its share of the block begins, whatever is in it: no
pool that comes, goes or grows ever moves a subnet. All serving pools share one subnet and all training pools another,
since with an overlay a machine needs one address and its pods need none. A /24, the smallest block that a fleet file
takes, is filled exactly; in a larger one the shares are larger than the subnets, and the rest is left for growth.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

SHARED = IPv4Network("100.64.0.0/10")  # RFC 6598

RESERVED = 5
"""Addresses of a subnet that Azure keeps: the first four and the last (learn.microsoft.com, "Virtual network FAQ")."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the block in sixteenths, and the prefix of the largest subnet that is ever wanted at its beginning."""

    first: int
    sixteenths: int
    largest: int


SHARES = {
    # Azure Firewall wants a /26 whatever it scales to (learn.microsoft.com, "Azure Firewall FAQ").
    "firewall": Share(0, 4, 26),
    # A cluster has at most 5,000 machines (learn.microsoft.com, "Quotas, SKUs and regions in AKS"); a /20 is 4,091.
    "serving": Share(4, 4, 20),
    "training": Share(8, 2, 20),
    "system": Share(10, 2, 24),  # the system pool, the platform's machines, and the API server's private endpoint
    "endpoints": Share(12, 2, 24),
    "gateway": Share(14, 1, 26),  # load balancer frontends, and the addresses of the private link service
    "operations": Share(15, 1, 26),  # for those who work on the cluster from inside: runners of pipelines, jump hosts
}

NODES = ("system", "serving", "training")
"""The subnets that machines of the cluster are in."""


@dataclass(frozen=True, slots=True)
class AddressPlan:
    """The addresses of one region."""

    block: IPv4Network
    subnets: dict[str, IPv4Network]
    pods: IPv4Network
    services: IPv4Network

    @property
    def nodes(self) -> tuple[IPv4Network, ...]:
        """The subnets of the cluster's machines."""
        return tuple(self.subnets[name] for name in NODES)

    @property
    def dns(self) -> IPv4Address:
        """The address of the cluster's DNS service: the tenth of the service range, as AKS has it by default."""
        return self.services[10]

    @property
    def firewall(self) -> IPv4Address:
        """The firewall's private address: the first of its subnet that Azure does not keep; Azure gives it that one."""
        return self.subnets["firewall"][4]

    def room(self, subnet: str) -> int:
        """How many machines, or other things with an address, a subnet holds."""
        return self.subnets[subnet].num_addresses - RESERVED

    @property
    def machines(self) -> int:
        """How many machines the pod range is enough for: an overlay gives each one a /24."""
        return int(2 ** (24 - self.pods.prefixlen))


def plan(block: IPv4Network) -> AddressPlan:
    """The address plan of a region with this block (/8 to /24)."""
    subnets = {name: _subnet(block, share) for name, share in SHARES.items()}
    pods, services = _inside(block)
    return AddressPlan(block, subnets, pods, services)


def subnet_of(purpose: str) -> str:
    """The subnet of a GPU pool: serving and training do not share one."""
    return "training" if purpose == "training" else "serving"


def _subnet(block: IPv4Network, share: Share) -> IPv4Network:
    sixteenth = 2 ** (28 - block.prefixlen)
    first = block.network_address + share.first * sixteenth
    prefix = block.prefixlen + {4: 2, 2: 3, 1: 4}[share.sixteenths]
    return IPv4Network((first, max(prefix, share.largest)))


def _inside(block: IPv4Network) -> tuple[IPv4Network, IPv4Network]:
    """Ranges for pods and services: seen in the cluster only, so every region has the same; never in its own block.

    8,192 machines in shared address space, or 2,048 in 172.16.0.0/12 where the region itself is in the former; AKS
    keeps 172.30.0.0/15 for itself (learn.microsoft.com, "Configure Azure CNI Overlay networking").
    """
    if block.overlaps(SHARED):
        return IPv4Network("172.16.0.0/13"), IPv4Network("172.24.0.0/16")
    return IPv4Network("100.64.0.0/11"), IPv4Network("100.96.0.0/16")
