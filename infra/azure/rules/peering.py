"""What the network provider refuses of peerings: address spaces that overlap, a network twice. Pure."""

from __future__ import annotations

from ipaddress import IPv4Network

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, same, type_of
from infra.azure.rules.network import NETWORK, networks, space
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure"
PEERING = f"{NETWORK}/virtualNetworkPeerings"


@rule("net.peering-apart", PEERING, f"{LEARN}/virtual-network/virtual-network-troubleshoot-peering-issues")
def peers_do_not_overlap(request: Request, world: World) -> ArmError | None:
    """Peered networks have address spaces apart from each other, and from those of the other peers."""
    own = parent_of(request.id)
    remote = read(request.body, "properties.remoteVirtualNetwork.id", "")
    if not same(own, remote) and _meet(space(own, world), space(remote, world)):
        what = f"Address spaces of {own} and {remote} overlap; they cannot be peered."
        return refuse("VnetAddressSpacesOverlap", what)
    for id, body in world.inventory.below(own):
        peer = read(body, "properties.remoteVirtualNetwork.id", "") if type_of(id).lower() == PEERING.lower() else ""
        if peer and not same(peer, remote) and _meet(space(peer, world), space(remote, world)):
            what = f"The address space of {remote} overlaps with that of {peer}, which is peered already."
            return refuse("VnetAddressSpaceOverlapsWithAlreadyPeeredVnet", what)
    return None


@rule("net.peering-twice", PEERING, f"{LEARN}/virtual-network/virtual-network-troubleshoot-peering-issues")
def networks_are_peered_once(request: Request, world: World) -> ArmError | None:
    """Two networks have one peering in each direction, and none has one with itself."""
    own, remote = parent_of(request.id), read(request.body, "properties.remoteVirtualNetwork.id", "")
    if same(own, remote):
        return refuse("VnetCannotPeerWithItself", f"{own} cannot be peered with itself.")
    for id, body in world.inventory.below(own):
        other = read(body, "properties.remoteVirtualNetwork.id", "")
        if other and same(other, remote) and not same(id, request.id):
            what = f"Peering {request.name} cannot be added: {name_of(id)} references the same remote virtual network."
            return refuse("AnotherPeeringAlreadyReferencesRemoteVnet", what)
    return None


@rule("net.space-of-peers", NETWORK, f"{LEARN}/virtual-network/update-virtual-network-peering-address-space")
def new_space_is_apart_from_peers(request: Request, world: World) -> ArmError | None:
    """A network that is peered takes no address range that a peer has."""
    spaces = networks(rows(request.body, "properties.addressSpace.addressPrefixes"))
    for id, body in world.inventory.below(request.id):
        peer = read(body, "properties.remoteVirtualNetwork.id", "") if type_of(id).lower() == PEERING.lower() else ""
        if peer and _meet(spaces, space(peer, world)):
            return refuse("VnetAddressSpacesOverlap", f"The address space overlaps with that of the peer {peer}.")
    return None


def _meet(some: list[IPv4Network], others: list[IPv4Network]) -> bool:
    return any(one.overlaps(other) for one in some for other in others)
