"""What AKS refuses of the way out of a cluster: routes and gateways that are not there or lead nowhere. Pure."""

from __future__ import annotations

from typing import Any

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import parent_of
from infra.azure.rules.overlap import CLUSTER
from infra.azure.rules.pool import BOTH, Pool, asked, cluster_body
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

AKS = "https://learn.microsoft.com/azure/aks"
NET = "properties.networkProfile"


@rule("aks-net.route-table", BOTH, f"{AKS}/egress-udr")
def user_routes_have_a_table(request: Request, world: World) -> ArmError | None:
    """With egress by one's own routes, every subnet of the pools has a route table before the cluster is made."""
    for pool, subnet in _outbound(request, world, "userDefinedRouting"):
        if not read(subnet, "properties.routeTable.id"):
            what = f"An existing route table has not been associated with subnet {pool.read('vnetSubnetID')}."
            return refuse("ExistingRouteTableNotAssociatedWithSubnet", what)
    return None


@rule("aks-net.default-route", BOTH, f"{AKS}/egress-udr")
def user_routes_lead_out(request: Request, world: World) -> ArmError | None:
    """With egress by one's own routes, the route table sends 0.0.0.0/0 to an appliance or a gateway."""
    for _, subnet in _outbound(request, world, "userDefinedRouting"):
        table = world.inventory.get(str(read(subnet, "properties.routeTable.id", "")))
        if table is None:
            continue
        ways = [row for row in _routes(table, world, subnet) if read(row, "properties.addressPrefix") == "0.0.0.0/0"]
        if not ways:
            what = f"The route table {table.get('id')} has no default route 0.0.0.0/0."
            return refuse("RouteTableMissingDefaultRouteError", what)
        if read(ways[0], "properties.nextHopType") not in ("VirtualAppliance", "VirtualNetworkGateway"):
            return refuse("RouteTableInvalidNextHop", "The default route must lead to an appliance or a gateway.")
    return None


@rule("aks-net.route-identity", CLUSTER, f"{AKS}/configure-kubenet")
def user_routes_need_an_identity(request: Request, world: World) -> ArmError | None:
    """With kubenet, egress by one's own routes needs a user-assigned identity; with Azure CNI it does not."""
    net = read(request.body, NET, {})
    routed = read(net, "outboundType") == "userDefinedRouting" and read(net, "networkPlugin", "azure") == "kubenet"
    if routed and "UserAssigned" not in str(read(request.body, "identity.type", "SystemAssigned")):
        what = "Clusters using managed identity type SystemAssigned do not support bringing your own route table."
        return refuse("CustomRouteTableWithUnsupportedMSIType", what)
    return None


@rule("aks-net.nat-gateway", BOTH, f"{AKS}/nat-gateway")
def own_gateway_is_there(request: Request, world: World) -> ArmError | None:
    """With egress by one's own NAT gateway, every subnet of the pools has one, and it has a public address."""
    for pool, subnet in _outbound(request, world, "userAssignedNATGateway"):
        gateway = str(read(subnet, "properties.natGateway.id", ""))
        if not gateway:
            what = f"The subnet {pool.read('vnetSubnetID')} is not associated with a NAT gateway."
            return refuse("SubnetNotAssociatedWithNATGateway", what)
        body = world.inventory.get(gateway) or {}
        if not rows(body, "properties.publicIpAddresses") and not rows(body, "properties.publicIpPrefixes"):
            what = f"The NAT gateway {gateway} has neither a public IP nor a prefix."
            return refuse("NATGatewayNotAssociatedWithPublicIPOrIPPrefix", what)
    return None


@rule("aks-net.managed-gateway", CLUSTER, f"{AKS}/nat-gateway")
def managed_gateway_is_for_managed_networks(request: Request, world: World) -> ArmError | None:
    """AKS makes a NAT gateway only where it makes the network, too."""
    managed = read(request.body, f"{NET}.outboundType") == "managedNATGateway"
    if managed and any(pool.read("vnetSubnetID") for pool in asked(request)):
        what = "managedNATGateway cannot be used with a virtual network of one's own."
        return refuse("ManagedNATGatewayWithCustomVNetNotAllowed", what)
    return None


@rule("aks-net.public-nodes", BOTH, f"{AKS}/use-node-public-ips")
def routed_nodes_are_not_public(request: Request, world: World) -> ArmError | None:
    """With egress by one's own routes, machines have no public addresses."""
    routed = read(cluster_body(request, world), f"{NET}.outboundType") == "userDefinedRouting"
    public = next((pool.name for pool in asked(request) if pool.read("enableNodePublicIP", False)), None)
    what = f"'{public}' has public addresses, which do not go with userDefinedRouting."
    return refuse("UDRWithNodePublicIPNotAllowed", what) if routed and public else None


@rule("aks-net.balancer", CLUSTER, f"{AKS}/egress-outboundtype")
def balancer_is_standard(request: Request, world: World) -> ArmError | None:
    """Egress by routes or NAT gateway needs the standard load balancer; the basic one is retired."""
    if str(read(request.body, f"{NET}.loadBalancerSku", "standard")).lower() == "basic":
        code = "UnexpectedLoadBalancerSkuForCurrentOutboundConfiguration"
        return refuse(code, "The load balancer must be standard; basic is retired since 2025-09-30.")
    return None


def _outbound(request: Request, world: World, kind: str) -> list[tuple[Pool, Any]]:
    """Pools with the bodies of their subnets, where the cluster's egress is of this kind."""
    if read(cluster_body(request, world), f"{NET}.outboundType") != kind:
        return []
    found = [(pool, _subnet(str(pool.read("vnetSubnetID", "")), world)) for pool in asked(request)]
    return [(pool, subnet) for pool, subnet in found if subnet is not None]


def _subnet(id: str, world: World) -> Any:
    """A subnet, by itself or inline in its network."""
    if (body := world.inventory.get(id)) is not None or not id:
        return body
    inline = rows(world.inventory.get(parent_of(id)), "properties.subnets")
    return next((row for row in inline if str(read(row, "name", "")).lower() == id.rpartition("/")[2].lower()), None)


def _routes(table: Any, world: World, subnet: Any) -> list[Any]:
    """The routes of a table, inline or as resources of their own."""
    own = world.inventory.below(str(read(subnet, "properties.routeTable.id", "")))
    return rows(table, "properties.routes") + [body for id, body in own if "/routes/" in id]
