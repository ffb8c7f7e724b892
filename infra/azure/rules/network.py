"""What the network provider refuses: address spaces, subnets, peerings, rules, gateways, public addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, same, type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure"
NETWORK = "Microsoft.Network/virtualNetworks"
SUBNET = f"{NETWORK}/subnets"
PEERING = f"{NETWORK}/virtualNetworkPeerings"
SMALLEST = 29  # the smallest subnet: learn.microsoft.com, Azure Virtual Network FAQ
# Subnets of these names belong to a service, which asks for a size: learn.microsoft.com, the page of each.
SIZES = {"AzureFirewallSubnet": 26, "AzureFirewallManagementSubnet": 26, "AzureBastionSubnet": 26, "GatewaySubnet": 29}


@rule("net.subnet-inside", (SUBNET, NETWORK), f"{LEARN}/virtual-network/virtual-network-manage-subnet")
def subnet_is_inside(request: Request, world: World) -> ArmError | None:
    """A subnet lies within its network's address space."""
    spaces = _spaces(request, world)
    for name, block in _wanted(request):
        if spaces and not any(block.subnet_of(space) for space in spaces):
            what = f"Subnet '{name}' ({block}) is not valid in virtual network: it is outside {_list(spaces)}."
            return refuse("NetcfgInvalidSubnet", what)
    return None


@rule("net.subnets-apart", (SUBNET, NETWORK), f"{LEARN}/virtual-network/virtual-network-manage-subnet")
def subnets_do_not_overlap(request: Request, world: World) -> ArmError | None:
    """Two subnets of a network do not overlap."""
    wanted = _wanted(request)
    names = {name.lower() for name, _ in wanted}
    network = parent_of(request.id) if request.type.lower() == SUBNET.lower() else request.id
    others = [pair for pair in subnets(network, world) if pair[0].lower() not in names]
    for place, (name, block) in enumerate(wanted):
        for other, taken in [*wanted[:place], *others]:
            if block.overlaps(taken):
                what = f"Subnet '{name}' is not valid because its range {block} overlaps with '{other}' {taken}."
                return refuse("NetcfgSubnetRangesOverlap", what)
    return None


@rule("net.subnet-size", (SUBNET, NETWORK), f"{LEARN}/virtual-network/virtual-networks-faq")
def subnet_is_large_enough(request: Request, world: World) -> ArmError | None:
    """A subnet has at least a /29, a firewall's and a bastion's at least a /26."""
    for name, block in _wanted(request):
        least = SIZES.get(name, SMALLEST)
        if block.prefixlen > least:
            what = f"Subnet '{name}' with prefix {block} is too small; it needs at least a /{least}."
            return refuse("NetcfgInvalidSubnet", what)
    return None


@rule("net.block", (SUBNET, NETWORK), f"{LEARN}/virtual-network/virtual-networks-faq")
def blocks_are_blocks(request: Request, world: World) -> ArmError | None:
    """An address prefix is the network address of its block: 10.1.0.0/16, not 10.1.0.1/16."""
    for text in [*_prefixes(request.body), *rows(request.body, "properties.addressSpace.addressPrefixes")]:
        try:
            IPv4Network(text)
        except ValueError:
            if ":" not in text:
                return refuse("InvalidCIDRNotation", f"The address prefix {text} is not a valid CIDR block.")
    return None


@rule("net.spaces-apart", NETWORK, f"{LEARN}/virtual-network/manage-virtual-network")
def spaces_do_not_overlap(request: Request, world: World) -> ArmError | None:
    """The address ranges of one network do not overlap."""
    spaces = networks(rows(request.body, "properties.addressSpace.addressPrefixes"))
    for place, space in enumerate(spaces):
        if any(space.overlaps(other) for other in spaces[:place]):
            return refuse("NetcfgInvalidVirtualNetwork", f"The address ranges {_list(spaces)} overlap.")
    return None


@rule("net.space-in-use", NETWORK, f"{LEARN}/virtual-network/manage-virtual-network")
def used_space_stays(request: Request, world: World) -> ArmError | None:
    """An address range that has subnets stays in the network."""
    spaces = networks(rows(request.body, "properties.addressSpace.addressPrefixes"))
    for id, body in world.inventory.below(request.id):
        block = _network(read(body, "properties.addressPrefix", "")) if type_of(id).lower() == SUBNET.lower() else None
        if block and not any(block.subnet_of(space) for space in spaces):
            what = f"IpPrefix {block} on Vnet {request.name} has active allocations and cannot be deleted."
            return refuse("InUsePrefixCannotBeDeleted", what)
    return None


@rule("net.subnet-dropped", NETWORK, "https://github.com/Azure/bicep-types-az/issues/1687")
def used_subnets_stay(request: Request, world: World) -> ArmError | None:
    """A PUT of a network that leaves out a subnet deletes it, which fails while it is in use."""
    kept = {str(read(row, "name", "")).lower() for row in rows(request.body, "properties.subnets")}
    for row in rows(world.inventory.get(request.id), "properties.subnets"):
        id = f"{request.id}/subnets/{read(row, 'name', '')}"
        users = [user for user in world.inventory.referring(id) if not same(user, request.id)]
        if name_of(id).lower() not in kept and users and world.inventory.get(id) is None:
            what = f"Subnet {name_of(id)} is in use by {users[0]} and cannot be deleted."
            return refuse("InUseSubnetCannotBeDeleted", what)
    return None


@rule("net.subnet-moves", SUBNET, f"{LEARN}/virtual-network/virtual-network-manage-subnet")
def used_subnet_keeps_its_range(request: Request, world: World) -> ArmError | None:
    """The range of a subnet stays as it is while something is in it."""
    old = read(world.inventory.get(request.id), "properties.addressPrefix")
    new = read(request.body, "properties.addressPrefix")
    users = world.inventory.referring(request.id)
    if old is None or new is None or old == new or not users:
        return None
    what = f"Subnet {request.name} is in use by {users[0]} and its range cannot be updated."
    return refuse("InUseSubnetCannotBeUpdated", what)


@rule("net.subnet-same-region", SUBNET, f"{LEARN}/virtual-network/virtual-network-manage-subnet")
def subnet_parts_are_near(request: Request, world: World) -> ArmError | None:
    """A subnet's security group, route table and NAT gateway are in its network's region."""
    place = (world.inventory.get(parent_of(request.id)) or {}).get("location")
    for part in ("networkSecurityGroup", "routeTable", "natGateway"):
        other = world.inventory.get(read(request.body, f"properties.{part}.id", "")) or {}
        if place and other.get("location") and other["location"].lower() != place.lower():
            what = f"{part} {other.get('id')} is in {other['location']}, the virtual network in {place}."
            return refuse("InvalidResourceReference", what)
    return None


@rule("net.no-group-there", SUBNET, f"{LEARN}/firewall/firewall-faq")
def firewall_subnet_is_bare(request: Request, world: World) -> ArmError | None:
    """The subnet of a firewall or a gateway takes no security group."""
    group = read(request.body, "properties.networkSecurityGroup.id")
    if group and request.name in ("AzureFirewallSubnet", "AzureFirewallManagementSubnet", "GatewaySubnet"):
        what = f"Network security group cannot be associated with subnet {request.name}."
        return refuse("NetworkSecurityGroupNotSupportedOnSubnet", what)
    return None


def subnets(network: str, world: World) -> Iterator[tuple[str, IPv4Network]]:
    """Name and block of every subnet that a network has."""
    for row in rows(world.inventory.get(network), "properties.subnets"):
        if block := _network(next(iter(_prefixes(row)), "")):
            yield str(read(row, "name", "")), block
    for id, body in world.inventory.below(network):
        if type_of(id).lower() == SUBNET.lower() and (block := _network(next(iter(_prefixes(body)), ""))):
            yield name_of(id), block


def space(network: str, world: World) -> list[IPv4Network]:
    """The address ranges of a network that is there."""
    return networks(rows(world.inventory.get(network), "properties.addressSpace.addressPrefixes"))


def _spaces(request: Request, world: World) -> list[IPv4Network]:
    if request.type.lower() == SUBNET.lower():
        return space(parent_of(request.id), world)
    return networks(rows(request.body, "properties.addressSpace.addressPrefixes"))


def _wanted(request: Request) -> list[tuple[str, IPv4Network]]:
    """Name and block of the subnets that a request writes."""
    if request.type.lower() == SUBNET.lower():
        pairs = [(request.name, text) for text in _prefixes(request.body)]
    else:
        inline = rows(request.body, "properties.subnets")
        pairs = [(str(read(row, "name", "")), text) for row in inline for text in _prefixes(row)]
    return [(name, block) for name, text in pairs if (block := _network(text))]


def _prefixes(body: Any) -> list[str]:
    one = read(body, "properties.addressPrefix", "")
    return [one] if one else rows(body, "properties.addressPrefixes")


def networks(texts: list[Any]) -> list[IPv4Network]:
    """The blocks among texts."""
    return [block for text in texts if (block := _network(text))]


def _network(text: Any) -> IPv4Network | None:
    try:
        return IPv4Network(text) if text else None
    except ValueError:
        return None


def _list(blocks: list[IPv4Network]) -> str:
    return ", ".join(map(str, blocks))
