"""What Azure DNS refuses of zones and record sets. Pure."""

from __future__ import annotations

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/dns"
KINDS = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT")
RECORDS = tuple(f"Microsoft.Network/dnsZones/{kind}" for kind in KINDS)
CNAME = "microsoft.network/dnszones/cname"
LISTS = {
    "A": "ARecords",
    "AAAA": "AAAARecords",
    "CNAME": "CNAMERecord",
    "TXT": "TXTRecords",
    "MX": "MXRecords",
    "NS": "NSRecords",
}


@rule("dns.global", "Microsoft.Network/dnsZones", f"{LEARN}/dns-zones-records")
def zones_are_global(request: Request, world: World) -> ArmError | None:
    """A DNS zone is global."""
    place = str(read(request.body, "location", request.location) or "global").lower()
    what = f"The provided location '{place}' is not available for resource type '{request.type}'; it is 'global'."
    return None if place == "global" else refuse("LocationNotAvailableForResourceType", what)


@rule("dns.apex", RECORDS, f"{LEARN}/dns-zones-records#cname-records")
def apex_has_no_alias_name(request: Request, world: World) -> ArmError | None:
    """There is no CNAME at the top of a zone; an alias record does that."""
    wrong = request.type.lower() == CNAME and request.name == "@"
    return refuse("BadRequest", "A CNAME record set cannot be created at the zone apex.") if wrong else None


@rule("dns.alias-alone", RECORDS, f"{LEARN}/dns-zones-records#cname-records")
def alias_name_is_alone(request: Request, world: World) -> ArmError | None:
    """A name that has a CNAME has no other record set."""
    for id, _ in world.inventory.below(parent_of(request.id)):
        other = type_of(id).lower()
        same_name = name_of(id).lower() == request.name.lower() and other != request.type.lower()
        if same_name and CNAME in (other, request.type.lower()):
            what = f"The record set '{request.name}' conflicts with {id}: a CNAME must be alone."
            return refuse("Conflict", what, 409)
    return None


@rule("dns.target-or-records", RECORDS, f"{LEARN}/dns-alias")
def target_excludes_records(request: Request, world: World) -> ArmError | None:
    """A record set has a target resource or records, not both."""
    kind = request.type.rpartition("/")[2]
    listed = read(request.body, f"properties.{LISTS.get(kind, kind + 'Records')}")
    if read(request.body, "properties.targetResource.id") and listed:
        return refuse("BadRequest", f"The record set '{request.name}' has a target resource and records.")
    return None
