"""What AKS refuses of a cluster's network: ranges that overlap or are too small, egress that leads nowhere. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

from infra.azure.network_values import subnet_prefix
from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import parent_of, same
from infra.azure.rules.overlap import CLUSTER, POOL
from infra.azure.rules.pool import BOTH, Pool, after, asked, cluster_body, everywhere
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

AKS = "https://learn.microsoft.com/azure/aks"
TROUBLE = "https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes"
RESERVED = 5  # addresses of a subnet that Azure keeps: learn.microsoft.com, Azure Virtual Network FAQ
PER_NODE = 24  # an overlay gives every node a /24: learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay
NET = "properties.networkProfile"


@rule("aks-net.service-range", BOTH, f"{TROUBLE}/error-codes/servicecidroverlapexistingsubnetscidr-error")
def services_do_not_overlap(request: Request, world: World) -> ArmError | None:
    """The range of Services lies beside every subnet of the cluster's network."""
    services = _network(read(cluster_body(request, world), f"{NET}.serviceCidr", "10.0.0.0/16"))
    for name, block in _subnets(request, world):
        if services and services.overlaps(block):
            what = f"The specified service CIDR {services} is conflicted with an existing subnet CIDR {block} ({name})."
            return refuse("ServiceCidrOverlapExistingSubnetsCidr", what)
    return None


@rule("aks-net.pod-range", BOTH, f"{AKS}/concepts-network-azure-cni-overlay")
def pods_do_not_overlap(request: Request, world: World) -> ArmError | None:
    """The range of an overlay's pods lies beside every subnet of the network and beside the range of Services."""
    body = cluster_body(request, world)
    pods, services = _network(read(body, f"{NET}.podCidr", "")), _network(read(body, f"{NET}.serviceCidr", ""))
    if pods and services and pods.overlaps(services):
        return refuse("PodCidrOverlapServiceCidr", f"The pod CIDR {pods} overlaps with the service CIDR {services}.")
    for name, block in _subnets(request, world):
        if pods and pods.overlaps(block):
            what = f"The pod CIDR {pods} overlaps with the subnet {name} ({block})."
            return refuse("PodCidrOverlapExistingSubnetsCidr", what)
    return None


@rule("aks-net.dns-address", CLUSTER, f"{AKS}/configure-azure-cni")
def dns_has_its_address(request: Request, world: World) -> ArmError | None:
    """The address of cluster DNS lies in the range of Services, and is not one of its first two addresses."""
    services = _network(read(request.body, f"{NET}.serviceCidr", ""))
    text = read(request.body, f"{NET}.dnsServiceIP", "")
    if not services or not text:
        return None
    address = IPv4Address(text)
    if address not in services:
        return refuse("DnsServiceIpOutOfServiceCidr", f"{address} is not in the service CIDR {services}.")
    if address in (services[0], services[1]):
        return refuse("DnsServiceIpConflicting", f"{address} is the address of the API server or of the range.")
    return None


@rule("aks-net.pods-fit", BOTH, f"{AKS}/concepts-network-azure-cni-overlay")
def overlay_has_room(request: Request, world: World) -> ArmError | None:
    """An overlay's pod range has a /24 for every machine that the cluster may ever have."""
    body = cluster_body(request, world)
    pods = _network(read(body, f"{NET}.podCidr", ""))
    if read(body, f"{NET}.networkPluginMode") != "overlay" or not pods:
        return None
    room, most = 2 ** max(PER_NODE - pods.prefixlen, 0), sum(pool.most for pool in after(request, world))
    if pods.prefixlen > PER_NODE or most > room:
        what = f"The pod CIDR {pods} has room for {room} nodes; the pools may have {most}."
        return refuse("InsufficientPodCidr", what)
    return None


@rule("aks-net.subnet-size", BOTH, f"{TROUBLE}/connectivity/insufficientsubnetsize-error-advanced-networking")
def subnet_has_room(request: Request, world: World) -> ArmError | None:
    """A subnet has an address for every machine that its pools may ever have and for one that an upgrade adds to each;
    without an overlay or a pod subnet, for every pod too."""
    for subnet in {str(pool.read("vnetSubnetID", "")) for pool in asked(request)} - {""}:
        block = subnet_prefix(world.inventory, subnet)
        needed = sum(_addresses(pool, request, world) for pool in after(request, world) if _in(pool, subnet))
        if block is not None and needed > block.num_addresses - RESERVED:
            free = max(block.num_addresses - RESERVED, 0)
            what = (
                f"Pre-allocated IPs {needed} exceeds IPs available {free} in Subnet Cidr {block}, Subnet Name {subnet}."
            )
            return refuse("InsufficientSubnetSize", what)
    return None


@rule("aks-net.subnet-shared", BOTH, f"{TROUBLE}/error-codes/subnetisfull-error")
def subnet_is_not_full(request: Request, world: World) -> ArmError | None:
    """A subnet that several clusters share has an address for every machine that they begin with."""
    for subnet in {str(pool.read("vnetSubnetID", "")) for pool in asked(request)} - {""}:
        block = subnet_prefix(world.inventory, subnet)
        there = [pool for _, pool in everywhere(request, world) if _in(pool, subnet)]
        others = any(not same(pool.cluster, there[0].cluster) for pool in there)
        if block is not None and others and sum(pool.now for pool in there) > block.num_addresses - RESERVED:
            return refuse("SubnetIsFull", f"Subnet {subnet} with address prefix {block} has insufficient capacity.")
    return None


@rule("aks-net.delegated", BOTH, f"{TROUBLE}/error-codes/subnetisdelegated-error")
def nodes_are_not_in_a_delegated_subnet(request: Request, world: World) -> ArmError | None:
    """Machines are in a subnet that is delegated to nobody."""
    for pool in asked(request):
        subnet = str(pool.read("vnetSubnetID", ""))
        if rows(world.inventory.get(subnet), "properties.delegations"):
            return refuse("SubnetIsDelegated", f"Subnet {subnet} of '{pool.name}' is delegated to another service.")
    return None


@rule("aks-net.same-region", BOTH, f"{AKS}/concepts-network")
def network_is_in_the_region(request: Request, world: World) -> ArmError | None:
    """A cluster's network is in the cluster's region."""
    place = read(cluster_body(request, world), "location", request.location)
    for pool in asked(request):
        network = world.inventory.get(parent_of(str(pool.read("vnetSubnetID", "")))) or {}
        if network and place and str(network.get("location")).lower() != str(place).lower():
            what = f"The virtual network of '{pool.name}' is in {network.get('location')}, the cluster in {place}."
            return refuse("InvalidParameter", what)
    return None


@rule("aks-net.cilium", CLUSTER, f"{AKS}/azure-cni-powered-by-cilium")
def cilium_has_its_plugin(request: Request, world: World) -> ArmError | None:
    """The Cilium data plane goes with Azure CNI, and with no other policy."""
    net = read(request.body, NET, {})
    if read(net, "networkDataplane") != "cilium":
        return None
    if read(net, "networkPlugin") != "azure":
        return refuse("InvalidParameter", "The Cilium data plane needs Azure CNI.")
    if read(net, "networkPolicy", "cilium") not in ("cilium", "none"):
        return refuse("NetworkPolicyNotSupported", f"Cilium does not go with the policy {read(net, 'networkPolicy')}.")
    return None


@rule("aks-net.cilium-policy", CLUSTER, f"{AKS}/azure-cni-powered-by-cilium")
def cilium_policy_needs_cilium(request: Request, world: World) -> ArmError | None:
    """The Cilium network policy, and the network security of ACNS, need the Cilium data plane."""
    net = read(request.body, NET, {})
    wanted = read(net, "networkPolicy") == "cilium" or read(net, "advancedNetworking.security.enabled", False)
    if wanted and read(net, "networkDataplane") != "cilium":
        return refuse("InvalidParameter", "The Cilium network policy and ACNS security need networkDataplane cilium.")
    return None


@rule("aks-net.overlay-plugin", CLUSTER, f"{AKS}/concepts-network-azure-cni-overlay")
def overlay_has_its_plugin(request: Request, world: World) -> ArmError | None:
    """An overlay goes with Azure CNI, and its pools have no pod subnets."""
    net = read(request.body, NET, {})
    if read(net, "networkPluginMode") != "overlay":
        return None
    if read(net, "networkPlugin") != "azure":
        return refuse("InvalidParameter", "networkPluginMode overlay needs networkPlugin azure.")
    named = next((pool.name for pool in asked(request) if pool.read("podSubnetID")), None)
    return (
        refuse("InvalidParameter", f"'{named}' has a podSubnetID, which does not go with overlay.") if named else None
    )


@rule("aks-net.pod-subnet", POOL, f"{AKS}/concepts-network-azure-cni-overlay")
def overlay_pools_have_no_pod_subnet(request: Request, world: World) -> ArmError | None:
    """A pool of a cluster with an overlay has no pod subnet."""
    overlay = read(cluster_body(request, world), f"{NET}.networkPluginMode") == "overlay"
    if overlay and read(request.body, "properties.podSubnetID"):
        return refuse("InvalidParameter", "podSubnetID does not go with networkPluginMode overlay.")
    return None


def _addresses(pool: Pool, request: Request, world: World) -> int:
    """Addresses that a pool may take of its subnet: machines, those of an upgrade, and pods where they count."""
    surge = str(pool.read("upgradeSettings.maxSurge", "0" if pool.spot else "10%"))
    share = surge.endswith("%")
    extra = -(-pool.most * int(surge.rstrip("%") or 0) // 100) if share else int(surge)
    flat = read(cluster_body(request, world), f"{NET}.networkPluginMode") == "overlay" or pool.read("podSubnetID")
    plugin = read(cluster_body(request, world), f"{NET}.networkPlugin", "azure")
    pods = 0 if flat or plugin != "azure" else pool.read("maxPods", 30)  # Azure CNI's default is 30
    return int((pool.most + extra) * (1 + pods))


def _subnets(request: Request, world: World) -> list[tuple[str, IPv4Network]]:
    """Name and block of every subnet in the networks that the pools are in."""
    networks = {parent_of(str(pool.read("vnetSubnetID", ""))) for pool in asked(request)} - {""}
    found = []
    for network in networks:
        for id, body in world.inventory.below(network):
            inline = [(f"{id}/subnets/{read(row, 'name')}", row) for row in rows(body, "properties.subnets")]
            for name, row in [(id, body), *inline]:
                if block := _network(read(row, "properties.addressPrefix", "")):
                    found.append((name, block))
    return found


def _in(pool: Pool, subnet: str) -> bool:
    return same(str(pool.read("vnetSubnetID", "")), subnet)


def _network(text: Any) -> IPv4Network | None:
    try:
        return IPv4Network(text) if text else None
    except ValueError:
        return None
