"""What Azure Front Door refuses: two kinds of origins in a group, routes that lead nowhere. Pure."""

from __future__ import annotations

from typing import Any

from infra.azure.facts import edge_regions
from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, same, type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/frontdoor"
PROFILE = "Microsoft.Cdn/profiles"
GROUP = f"{PROFILE}/originGroups"
ORIGIN = f"{GROUP}/origins"
ROUTE = f"{PROFILE}/afdEndpoints/routes"
SECURITY = f"{PROFILE}/securityPolicies"
WAF = "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies"
LINK = "properties.sharedPrivateLinkResource"


@rule("edge.global", (PROFILE, WAF, f"{PROFILE}/afdEndpoints"), f"{LEARN}/create-front-door-bicep")
def edge_is_global(request: Request, world: World) -> ArmError | None:
    """A Front Door profile, its endpoints and its firewall policies are global."""
    place = str(read(request.body, "location", request.location) or "global").lower()
    what = f"The provided location '{place}' is not available for resource type '{request.type}'; it is 'global'."
    return None if place == "global" else refuse("LocationNotAvailableForResourceType", what)


@rule("edge.origin-mixing", ORIGIN, f"{LEARN}/private-link")
def origins_are_of_one_kind(request: Request, world: World) -> ArmError | None:
    """An origin group has private origins or public ones, not both."""
    own = read(request.body, LINK) is not None
    for id, body in _origins(parent_of(request.id), world):
        if not same(id, request.id) and (read(body, LINK) is not None) != own:
            what = f"Origins with and without private link cannot be mixed in one group: {request.name}, {name_of(id)}."
            return refuse("BadRequest", what)
    return None


@rule("edge.private-tier", ORIGIN, f"{LEARN}/private-link")
def private_origins_needpremium(request: Request, world: World) -> ArmError | None:
    """A private origin needs the Premium tier."""
    sku = tier_of(request.id, world)
    what = f"Private link is only supported for Premium_AzureFrontDoor, not for {sku}."
    return refuse("BadRequest", what) if read(request.body, LINK) and sku and not premium(sku) else None


@rule("edge.private-name-check", ORIGIN, f"{LEARN}/origin#private-link")
def private_origins_check_names(request: Request, world: World) -> ArmError | None:
    """A private origin has its certificate's name checked."""
    unchecked = read(request.body, "properties.enforceCertificateNameCheck", True) is False
    what = "Certificate name check must be enabled for a private link enabled origin."
    return refuse("BadRequest", what) if read(request.body, LINK) and unchecked else None


@rule("edge.private-place", ORIGIN, f"{LEARN}/private-link#region-availability")
def private_origins_say_where(request: Request, world: World) -> ArmError | None:
    """A private origin names a region in which Front Door makes private endpoints, and what to tell the owner."""
    if not read(request.body, LINK):
        return None
    place = str(read(request.body, f"{LINK}.privateLinkLocation", "")).replace(" ", "").lower()
    if place not in edge_regions():
        return refuse("BadRequest", f"The private link location '{place}' is not supported.")
    message = read(request.body, f"{LINK}.requestMessage", "")
    return None if 0 < len(message) <= 140 else refuse("BadRequest", "requestMessage must have 1 to 140 characters.")


@rule("edge.private-service", ORIGIN, f"{LEARN}/standard-premium/how-to-enable-private-link-internal-load-balancer")
def link_services_have_no_group(request: Request, world: World) -> ArmError | None:
    """A private origin that is a private link service names no sub-resource."""
    target, group = read(request.body, f"{LINK}.privateLink.id", ""), read(request.body, f"{LINK}.groupId")
    if type_of(target).lower() == "microsoft.network/privatelinkservices" and group:
        return refuse("BadRequest", f"groupId '{group}' is not valid for a private link service.")
    return None


@rule("edge.private-host", ORIGIN, f"{LEARN}/private-link")
def origins_of_a_group_differ(request: Request, world: World) -> ArmError | None:
    """Two origins of a group differ in host name."""
    host = str(read(request.body, "properties.hostName", "")).lower()
    for id, body in _origins(parent_of(request.id), world):
        if not same(id, request.id) and str(read(body, "properties.hostName", "")).lower() == host:
            return refuse("BadRequest", f"The host name '{host}' is that of the origin {name_of(id)} already.", 409)
    return None


@rule("edge.last-origin", ORIGIN, f"{LEARN}/origin")
def routed_groups_keep_an_origin(request: Request, world: World) -> ArmError | None:
    """The last enabled origin of a group that a route leads to is not disabled."""
    group = parent_of(request.id)
    routed = any(type_of(user).lower() == ROUTE.lower() for user in world.inventory.referring(group))
    if not routed or read(request.body, "properties.enabledState", "Enabled") == "Enabled":
        return None
    left = [id for id, body in _origins(group, world) if not same(id, request.id) and _enabled(body)]
    what = f"The origin group {name_of(group)} has a route and must keep at least one enabled origin."
    return None if left else refuse("BadRequest", what)


@rule("edge.route-origin", ROUTE, f"{LEARN}/front-door-route-matching")
def routes_lead_somewhere(request: Request, world: World) -> ArmError | None:
    """A route leads to a group with at least one enabled origin."""
    group = read(request.body, "properties.originGroup.id", "")
    if world.inventory.get(group) is None or any(_enabled(body) for _, body in _origins(group, world)):
        return None
    return refuse(
        "BadRequest", f"The origin group {name_of(group)} has no enabled origin for the route {request.name}."
    )


@rule("edge.route-redirect", ROUTE, f"{LEARN}/how-to-configure-https-custom-domain")
def redirects_take_both_protocols(request: Request, world: World) -> ArmError | None:
    """A route that sends http to https takes both."""
    redirect = read(request.body, "properties.httpsRedirect", "Disabled") == "Enabled"
    taken = {str(one).lower() for one in rows(request.body, "properties.supportedProtocols") or ["http", "https"]}
    if redirect and taken != {"http", "https"}:
        return refuse("BadRequest", "httpsRedirect needs Http and Https in supportedProtocols.")
    return None


@rule("edge.route-domain", ROUTE, f"{LEARN}/how-to-configure-endpoints")
def routes_have_a_domain(request: Request, world: World) -> ArmError | None:
    """A route has the endpoint's domain or domains of its own."""
    linked = read(request.body, "properties.linkToDefaultDomain", "Disabled") == "Enabled"
    if not linked and not rows(request.body, "properties.customDomains"):
        return refuse("BadRequest", f"The route {request.name} has no domain.")
    return None


@rule("edge.routes-apart", ROUTE, f"{LEARN}/front-door-route-matching")
def routes_do_not_collide(request: Request, world: World) -> ArmError | None:
    """Two routes of an endpoint have no domain, protocol and path in common."""
    own = _matches(request.body)
    for id, body in world.inventory.below(parent_of(request.id)):
        both = own & _matches(body) if type_of(id).lower() == ROUTE.lower() and not same(id, request.id) else set()
        if both:
            what = f"The route {request.name} conflicts with {name_of(id)}: {' '.join(sorted(both)[0])}."
            return refuse("Conflict", what, 409)
    return None


@rule("edge.route-cache", ROUTE, f"{LEARN}/front-door-caching")
def compression_has_types(request: Request, world: World) -> ArmError | None:
    """A route that compresses says which kinds of content."""
    compression = read(request.body, "properties.cacheConfiguration.compressionSettings", {})
    on = read(compression, "isCompressionEnabled", False)
    if on and not rows(compression, "contentTypesToCompress"):
        return refuse("BadRequest", "isCompressionEnabled needs contentTypesToCompress.")
    return None


def _origins(group: str, world: World) -> list[tuple[str, Any]]:
    return [(id, body) for id, body in world.inventory.below(group) if type_of(id).lower() == ORIGIN.lower()]


def _enabled(body: Any) -> bool:
    return bool(read(body, "properties.enabledState", "Enabled") == "Enabled")


def tier_of(id: str, world: World) -> str:
    """The tier of the profile that a resource lies in."""
    while id and type_of(id).lower() != PROFILE.lower():
        id = parent_of(id)
    return str(read(world.inventory.get(id), "sku.name", ""))


def premium(sku: str) -> bool:
    """Whether a tier has private origins and managed rules."""
    return sku.startswith("Premium")


def _matches(body: Any) -> set[tuple[str, str, str]]:
    """Domain, protocol and path of all that a route takes."""
    domains = [str(read(row, "id", "")).lower() for row in rows(body, "properties.customDomains")]
    if read(body, "properties.linkToDefaultDomain", "Disabled") == "Enabled":
        domains.append("the endpoint")
    protocols = [str(one).lower() for one in rows(body, "properties.supportedProtocols") or ["http", "https"]]
    paths = rows(body, "properties.patternsToMatch") or ["/*"]
    return {(domain, protocol, path) for domain in domains for protocol in protocols for path in paths}
