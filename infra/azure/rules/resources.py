"""What Azure itself asks of every resource: a parent, references that exist, one place, tags. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.azure.facts import regions
from infra.azure.inventory import references
from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import GROUP, group_of, is_resource, key, name_of, parent_of, same, type_of
from infra.azure.rules.immutable import ALWAYS, CODES, alike, immutable, yields
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import known, read, rows
from infra.azure.world import World

TROUBLE = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting"
IMPLICIT = frozenset(
    {
        "microsoft.storage/storageaccounts/blobservices", "microsoft.storage/storageaccounts/fileservices",
        "microsoft.network/networkwatchers", "microsoft.features/featureproviders", "microsoft.resources/subscriptions",
        "microsoft.containerregistry/locations", "microsoft.chaos/targets",
    }
)  # fmt: skip
"""Resources that nobody makes: Azure has them wherever their parent is."""
INLINE = {
    "microsoft.network/virtualnetworks/subnets": "properties.subnets",
    "microsoft.containerservice/managedclusters/agentpools": "properties.agentPoolProfiles",
    "microsoft.network/networksecuritygroups/securityrules": "properties.securityRules",
    "microsoft.network/routetables/routes": "properties.routes",
}
"""Child types that may be written inside their parent: where."""
CHECKED = re.compile(
    r"microsoft\.(containerservice/(managedclusters|fleets)|keyvault/vaults|containerregistry/registries|compute/(capacityreservationgroups"
    r"|diskencryptionsets|proximityplacementgroups)|managedidentity/userassignedidentities|operationalinsights/workspaces"
    r"|monitor/accounts|insights/(datacollectionrules|datacollectionendpoints|actiongroups|components)|storage/storageaccounts"
    r"|dataprotection/backupvaults|cdn/profiles|network/(virtualnetworks|networksecuritygroups|routetables|natgateways"
    r"|publicipaddresses|publicipprefixes|privatelinkservices|privatednszones|dnszones|firewallpolicies|azurefirewalls"
    r"|frontdoorwebapplicationfirewallpolicies))(/|$)"
)
"""Types that a body may only name where they are; others (built-in roles, what AKS makes) are not known here."""
GLOBAL = frozenset({"global", "worldwide"})


@rule("arm.group-exists", "*", f"{TROUBLE}/error-not-found")
def group_exists(request: Request, world: World) -> ArmError | None:
    """A resource lies in a resource group that is there."""
    group = group_of(request.id)
    if not group or request.type.lower() == GROUP.lower() or _managed(group, world):
        return None
    if world.inventory.get(f"/subscriptions/{world.id}/resourceGroups/{group}") is not None:
        return None
    return refuse("ResourceGroupNotFound", f"Resource group '{group}' could not be found.", 404)


@rule("arm.parent-exists", "*", f"{TROUBLE}/error-parent-resource")
def parent_exists(request: Request, world: World) -> ArmError | None:
    """A child resource has a parent that is there; a role assignment or a lock has a scope that is there."""
    parent = parent_of(request.id)
    if not is_resource(parent) or exists(parent, world):
        return None
    what = f"Can not perform requested operation on nested resource. Parent resource '{parent}' not found."
    return refuse("ParentResourceNotFound", what, 404)


@rule("arm.references-exist", "*", f"{TROUBLE}/error-not-found")
def references_exist(request: Request, world: World) -> ArmError | None:
    """What a resource refers to in its subscription is there."""
    for id in references(request.body):
        known = CHECKED.match(type_of(id).lower()) and key(id).startswith(f"/subscriptions/{world.id.lower()}/")
        if known and not _own(id, request.id) and not _managed(group_of(id), world) and not exists(id, world):
            return _missing(id, request)
    return None


@rule("arm.place-stays", "*", f"{TROUBLE}/common-deployment-errors")
def place_stays(request: Request, world: World) -> ArmError | None:
    """A resource does not move to another region."""
    before = (world.inventory.get(request.id) or {}).get("location")
    now = _place(read(request.body, "location", request.location))
    if not before or not now or _place(before) == now:
        return None
    what = f"The resource '{request.name}' already exists in location '{before}'; it cannot be created in '{now}'."
    return refuse("InvalidResourceLocation", what, 409)


@rule("arm.place-is-a-region", "*", f"{TROUBLE}/common-deployment-errors")
def place_is_a_region(request: Request, world: World) -> ArmError | None:
    """A location is an Azure region, or global for what has no region."""
    place = _place(read(request.body, "location", request.location))
    if not place or place in GLOBAL or place in regions():
        return None
    what = f"The provided location '{place}' is not available for resource type '{request.type}'."
    return refuse("LocationNotAvailableForResourceType", what)


@rule("arm.tags", "*", "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources")
def tags_are_sane(request: Request, world: World) -> ArmError | None:
    r"""A resource has at most 50 tags, names without <>%&\?/ of at most 512 characters, values of at most 256."""
    tags = read(request.body, "tags", {})
    if len(tags) > 50:
        return refuse("InvalidTags", f"The resource has {len(tags)} tags; 50 are the most.")
    for name in tags:
        if len(name) > 512 or re.search(r"[<>%&\\?/]", name):
            return refuse("InvalidTagNameCharacters", f"The tag name '{name}' has reserved characters or is too long.")
        if len(str(read(tags, f'["{name}"]', ""))) > 256:
            return refuse("TagValueTooLong", f"The value of the tag '{name}' is longer than 256 characters.")
    return None


@rule("arm.read-only-lock", "*", "https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources")
def not_locked(request: Request, world: World) -> ArmError | None:
    """Nothing is changed below a ReadOnly lock."""
    if request.type.lower() == "microsoft.authorization/locks":
        return None
    lock = locked_by(request.id, world, ("ReadOnly",))
    what = f"The scope '{request.id}' cannot perform write operation because it is locked by '{lock}'."
    return refuse("ScopeLocked", what, 409) if lock else None


ASSIGNMENT = "microsoft.authorization/roleassignments"


@rule("arm.immutable", "*", "https://github.com/pulumi/pulumi-azure-native/issues/3655")
def immutable_stays(request: Request, world: World) -> ArmError | None:
    """What a resource provider does not change in place is as it was."""
    before = world.inventory.get(request.id)
    if before is None:
        return None
    for pattern in sorted(immutable(request.type) - ALWAYS):
        for path in _paths(request.body, pattern):
            new = read(request.body, path)
            changed = new is not None and known(new) and not alike(read(before, path), new)
            if changed and not yields(request.type, path, before, request.body):
                return _fixed(request.type, path)
    return None


def exists(id: str, world: World) -> bool:
    """Whether a resource is there, by itself, inside its parent, or because Azure has it wherever the parent is."""
    if world.inventory.get(id) is not None or type_of(id).lower() in IMPLICIT:
        return True
    parent = world.inventory.get(parent_of(id)) if "/providers/" in parent_of(id).lower() else None
    if parent is None:
        return False
    path = INLINE.get(type_of(id).lower())
    if path:
        return any(str(read(row, "name", "")).lower() == name_of(id).lower() for row in rows(parent, path))
    return not CHILDREN.match(type_of(id).lower())


CHILDREN = re.compile(
    r"microsoft\.(cdn/profiles/(origingroups(/origins)?|afdendpoints(/routes)?|rulesets|customdomains|securitypolicies)"
    r"|dataprotection/backupvaults/backuppolicies|keyvault/vaults/keys|containerregistry/registries/cachecredentials"
    r"|compute/capacityreservationgroups/capacityreservations|network/firewallpolicies/rulecollectiongroups)$"
)
"""Child types that are always resources of their own; other parts (a frontend address) are taken as there."""


def locked_by(id: str, world: World, levels: tuple[str, ...]) -> str:
    """The lock of one of the levels that covers a resource: at it, its parents, its group, the subscription."""
    for lock, body in world.inventory.of_type("Microsoft.Authorization/locks"):
        scope = key(lock).rpartition("/providers/microsoft.authorization/")[0]
        if read(body, "properties.level") in levels and (key(id) + "/").startswith(scope + "/"):
            return lock
    return ""


def _missing(id: str, request: Request) -> ArmError:
    if request.type.lower().startswith("microsoft.network/"):
        what = f"Resource {id} referenced by resource {request.id} was not found."
        return refuse("InvalidResourceReference", what)
    return refuse("ResourceNotFound", f"The Resource '{id}' under resource '{request.id}' was not found.", 404)


def _fixed(type: str, path: str) -> ArmError:
    if type.lower() == ASSIGNMENT:
        what = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        return refuse("RoleAssignmentUpdateNotPermitted", what)
    if path in CODES:
        return refuse(CODES[path], f"Changing property '{path}' is not allowed.")
    if path.endswith("scaleSetPriority"):  # github.com/ansible-collections/azure/pull/2186
        return refuse("BadRequest", "ScaleSetPriority is immutable. Please use current value.")
    return refuse("PropertyChangeNotAllowed", f"Changing property '{path}' is not allowed.", 409)


def _paths(body: Any, pattern: str) -> Iterator[str]:
    """The paths of a body that a pattern stands for: one for each element where it says [*]."""
    before, star, after = pattern.partition("[*]")
    if not star:
        yield pattern
        return
    for place, _ in enumerate(rows(body, before)):
        yield from _paths(body, f"{before}[{place}]{after}")


def _own(id: str, own: str) -> bool:
    return same(id, own) or key(id).startswith(key(own) + "/")


def _managed(group: str, world: World) -> bool:
    """Whether a group is one that Azure makes by itself: AKS's node groups, those of network watchers and Monitor."""
    low = group.lower()
    if not group or low.startswith(("mc_", "ma_", "networkwatcherrg", "defaultresourcegroup")):
        return True
    clusters = world.inventory.of_type("Microsoft.ContainerService/managedClusters")
    return any(str(body.get("properties", {}).get("nodeResourceGroup", "")).lower() == low for _, body in clusters)


def _place(location: Any) -> str:
    return location.replace(" ", "").lower() if isinstance(location, str) else ""
