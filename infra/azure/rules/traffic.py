"""What the network provider refuses of security rules, routes, NAT, public addresses and flow logs. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure"


@rule(
    "net.rule-priorities",
    "Microsoft.Network/networkSecurityGroups",
    f"{LEARN}/virtual-network/network-security-groups-overview",
)
def rules_have_their_place(request: Request, world: World) -> ArmError | None:
    """Rules of one direction have different priorities, from 100 to 4096."""
    seen: dict[tuple[Any, Any], str] = {}
    for row in rows(request.body, "properties.securityRules"):
        place = read(row, "properties.priority", 100), read(row, "properties.direction", "Inbound")
        name = str(read(row, "name", ""))
        if not 100 <= place[0] <= 4096:
            what = f"Security rule {name} has invalid priority {place[0]}; it must be from 100 to 4096."
            return refuse("SecurityRuleInvalidPriority", what)
        if place in seen:
            what = f"Security rule {name} conflicts with {seen[place]}: same Priority and Direction."
            return refuse("SecurityRuleConflict", what)
        seen[place] = name
    return None


@rule("net.next-hop", "Microsoft.Network/routeTables", f"{LEARN}/virtual-network/virtual-networks-udr-overview")
def appliances_have_an_address(request: Request, world: World) -> ArmError | None:
    """A route to an appliance names its address, and no other route does."""
    for row in rows(request.body, "properties.routes"):
        appliance = read(row, "properties.nextHopType") == "VirtualAppliance"
        address = read(row, "properties.nextHopIpAddress", "")
        if appliance and not _is_address(address):
            return refuse("InvalidNextHopIpAddress", f"The route {read(row, 'name')} needs nextHopIpAddress.")
        if address and not appliance:
            what = f"The route {read(row, 'name')} is to no appliance and must not have nextHopIpAddress."
            return refuse("NextHopIpAddressNotAllowed", what)
    return None


@rule("net.gateway-address", "Microsoft.Network/natGateways", f"{LEARN}/nat-gateway/nat-overview")
def gateway_addresses_are_standard(request: Request, world: World) -> ArmError | None:
    """A NAT gateway has standard public addresses only, in its own zone or in all."""
    zones = {str(zone) for zone in rows(request.body, "zones")}
    for row in rows(request.body, "properties.publicIpAddresses"):
        body = world.inventory.get(read(row, "id", "")) or {}
        if body and read(body, "sku.name", "Basic") == "Basic":
            return refuse("NatGatewayRequiresStandardPublicIp", f"{body.get('id')} is not of the standard SKU.")
        theirs = {str(zone) for zone in rows(body, "zones")}
        if zones and len(theirs) == 1 and theirs != zones:
            what = f"The public IP {body.get('id')} is in zone {theirs}, the NAT gateway in {zones}."
            return refuse("InvalidResourceReference", what)
    return None


@rule("net.gateway-zone", "Microsoft.Network/natGateways", f"{LEARN}/nat-gateway/nat-availability-zones")
def gateway_is_in_one_zone(request: Request, world: World) -> ArmError | None:
    """A standard NAT gateway is in one zone or in none."""
    zones = rows(request.body, "zones")
    what = f"NAT gateway {request.name} has zones {zones}; a standard one takes one at most."
    if read(request.body, "sku.name", "Standard") == "Standard" and len(zones) > 1:
        return refuse("NatGatewayMultipleZonesNotSupported", what)
    return None


@rule(
    "net.address-static",
    "Microsoft.Network/publicIPAddresses",
    f"{LEARN}/virtual-network/ip-services/public-ip-addresses",
)
def standard_addresses_are_static(request: Request, world: World) -> ArmError | None:
    """A standard public address is static."""
    standard = read(request.body, "sku.name") in ("Standard", "StandardV2")
    if standard and read(request.body, "properties.publicIPAllocationMethod", "Static") != "Static":
        what = f"Standard sku publicIp {request.name} must have AllocationMethod set to Static."
        return refuse("PublicIpAddressWithStandardSkuMustBeStatic", what)
    return None


@rule(
    "net.address-basic",
    "Microsoft.Network/publicIPAddresses",
    f"{LEARN}/virtual-network/ip-services/public-ip-basic-upgrade-guidance",
)
def basic_addresses_are_retired(request: Request, world: World) -> ArmError | None:
    """A basic public address cannot be made any more; an address without a SKU is a basic one."""
    if read(request.body, "sku.name", "Basic") != "Basic" or world.inventory.get(request.id) is not None:
        return None
    what = "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region."
    return refuse("IPv4BasicSkuPublicIpCountLimitReached", what)


@rule(
    "net.flow-log-target",
    "Microsoft.Network/networkWatchers/flowLogs",
    f"{LEARN}/network-watcher/nsg-flow-logs-overview",
)
def flow_logs_are_of_networks(request: Request, world: World) -> ArmError | None:
    """Since 2025-06-30 a new flow log is of a virtual network, a subnet or a card, and no more of a security group."""
    target = read(request.body, "properties.targetResourceId", "")
    old = world.inventory.get(request.id) is not None
    if type_of(target).lower() == "microsoft.network/networksecuritygroups" and not old:
        return refuse("NsgFlowLogsRetired", "New flow logs of network security groups cannot be created.")
    return None


@rule(
    "net.flow-log-region",
    "Microsoft.Network/networkWatchers/flowLogs",
    f"{LEARN}/network-watcher/vnet-flow-logs-overview",
)
def flow_logs_stay_in_the_region(request: Request, world: World) -> ArmError | None:
    """A flow log goes to a storage account in the region of what it watches."""
    target = world.inventory.get(read(request.body, "properties.targetResourceId", "")) or {}
    store = world.inventory.get(read(request.body, "properties.storageId", "")) or {}
    if target.get("location") and store.get("location") and target["location"].lower() != store["location"].lower():
        what = f"Storage account {store.get('id')} is in {store['location']}, the target in {target['location']}."
        return refuse("FlowLogStorageLocationMismatch", what)
    return None


def _is_address(text: Any) -> bool:
    try:
        return bool(IPv4Address(text))
    except ValueError:
        return False
