"""What the network provider writes: ids of what is inline, addresses, name servers, states of connections. Pure."""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Network

from infra.azure.draw import Draw, Values, fill, guid
from infra.azure.inventory import Body, Inventory
from infra.azure.resource_id import key, name_of, same
from infra.azure.values import read, rows
from infra.azure.world import World


def _network(id: str, body: Body, world: World) -> Values:
    """Ids of what is inline: subnets, security rules, routes."""
    for child in ("subnets", "securityRules", "routes", "ipConfigurations", "loadBalancerFrontendIpConfigurations"):
        for row in rows(body, f"properties.{child}"):
            if isinstance(row, dict) and isinstance(row.get("name"), str):
                row.setdefault("id", f"{id}/{child}/{row['name']}")
                fill(row, "properties.provisioningState", "Succeeded")
    return {"properties.resourceGuid": guid(key(id))}


def _firewall(id: str, body: Body, world: World) -> Values:
    """Its private address: the first that Azure leaves free in the firewall's subnet, the fifth."""
    for row in rows(body, "properties.ipConfigurations"):
        subnet = str(read(row, "properties.subnet.id", ""))
        block = subnet_prefix(world.inventory, subnet)
        if block is not None:
            fill(row, "properties.privateIPAddress", str(block[4]))
    return _network(id, body, world)


def subnet_prefix(inventory: Inventory, id: str) -> IPv4Network | None:
    """The block of a subnet, a resource of its own or inline in its network; nothing where it is not known."""
    found = inventory.get(id) or {}
    if not found:
        network = inventory.get(id.rsplit("/", 2)[0]) or {}
        inline = (row for row in rows(network, "properties.subnets") if same(str(row.get("id", "")), id))
        found = next(inline, {})
    blocks = rows(found, "properties.addressPrefixes")
    text = read(found, "properties.addressPrefix") or next(iter(blocks), "")
    try:
        return IPv4Network(text) if text else None
    except ValueError:
        return None


def _public_address(id: str, body: Body, world: World) -> Values:
    first, second, third = hashlib.sha256(key(id).encode()).digest()[:3]
    address = f"20.{first}.{second}.{third}"  # 20.0.0.0/8 holds most of Azure's public addresses
    label = read(body, "properties.dnsSettings.domainNameLabel")
    names = {"properties.dnsSettings.fqdn": f"{label}.{body.get('location')}.cloudapp.azure.com"} if label else {}
    return {"properties.ipAddress": address, "properties.resourceGuid": guid(key(id)), **names}


def _public_prefix(id: str, body: Body, world: World) -> Values:
    first, second = hashlib.sha256(key(id).encode()).digest()[:2]
    return {"properties.ipPrefix": f"20.{first}.{second}.0/{read(body, 'properties.prefixLength', 28)}"}


def _endpoint(id: str, body: Body, world: World) -> Values:
    for path, status in (
        ("privateLinkServiceConnections", "Approved"),
        ("manualPrivateLinkServiceConnections", "Pending"),
    ):
        for row in rows(body, f"properties.{path}"):
            fill(row, "properties.privateLinkServiceConnectionState", {"status": status, "actionsRequired": "None"})
            fill(row, "id", f"{id}/{path}/{row.get('name', '')}")
    card = f"{id.rsplit('/', 2)[0]}/networkInterfaces/{name_of(id)}.nic.{guid(key(id))}"
    return {"properties.networkInterfaces": [{"id": card}]}


def _link_service(id: str, body: Body, world: World) -> Values:
    return {"properties.alias": f"{name_of(id)}.{guid(key(id))}.{body.get('location')}.azure.privatelinkservice"}


def _zone(id: str, body: Body, world: World) -> Values:
    number = int(guid(key(id))[:2], 16) % 9 + 1  # Azure DNS answers from sets 01 to 09 and more
    servers = [f"ns{place}-0{number}.azure-dns.{end}." for place, end in enumerate(("com", "net", "org", "info"), 1)]
    return {"properties.nameServers": servers, "properties.numberOfRecordSets": 2, "properties.zoneType": "Public"}


DRAWS: dict[str, Draw] = {
    "Microsoft.Network/virtualNetworks": _network,
    "Microsoft.Network/networkSecurityGroups": _network,
    "Microsoft.Network/routeTables": _network,
    "Microsoft.Network/natGateways": _network,
    "Microsoft.Network/azureFirewalls": _firewall,
    "Microsoft.Network/publicIPAddresses": _public_address,
    "Microsoft.Network/publicIPPrefixes": _public_prefix,
    "Microsoft.Network/privateEndpoints": _endpoint,
    "Microsoft.Network/privateLinkServices": _link_service,
    "Microsoft.Network/dnsZones": _zone,
}
"""ARM type -> what is written into it."""
