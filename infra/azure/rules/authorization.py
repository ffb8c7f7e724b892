"""What the authorization provider refuses: assignments that are there already, names that are no GUIDs, locks. Pure."""

from __future__ import annotations

import re

from infra.azure.draw import principal
from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import key, name_of, same, scope_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/role-based-access-control"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
DEFINITION = "Microsoft.Authorization/roleDefinitions"
POLICY = "Microsoft.Authorization/policyAssignments"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@rule("role.exists", ASSIGNMENT, f"{LEARN}/troubleshooting")
def assignment_is_new(request: Request, world: World) -> ArmError | None:
    """One principal has one role at one scope once, whatever the assignment is called."""
    wanted = _meaning(request.id, request.body)
    for id, body in world.inventory.of_type(ASSIGNMENT):
        if not same(id, request.id) and _meaning(id, body) == wanted:
            what = f"The role assignment already exists. The ID of the existing role assignment is {name_of(id)}."
            return refuse("RoleAssignmentExists", what, 409)
    return None


@rule("role.name", ASSIGNMENT, f"{LEARN}/role-assignments#name")
def assignment_has_a_guid(request: Request, world: World) -> ArmError | None:
    """The name of a role assignment is a GUID."""
    what = f"The role assignment ID '{request.name}' is not valid. The role assignment ID must be a GUID."
    return None if GUID.fullmatch(request.name) else refuse("InvalidRoleAssignmentId", what)


@rule("role.definition", ASSIGNMENT, f"{LEARN}/troubleshooting")
def role_exists(request: Request, world: World) -> ArmError | None:
    """A role definition is named by its GUID, not by its name."""
    role = name_of(read(request.body, "properties.roleDefinitionId", ""))
    what = f"The specified role definition with ID '{role}' does not exist."
    return None if GUID.fullmatch(role) else refuse("RoleDefinitionDoesNotExist", what)


@rule("role.principal-type", ASSIGNMENT, f"{LEARN}/role-assignments-template#new-service-principal")
def new_principals_say_what_they_are(request: Request, world: World) -> ArmError | None:
    """An assignment to an identity says principalType ServicePrincipal, or Entra may not find a new one yet."""
    who, kind = read(request.body, "properties.principalId", ""), read(request.body, "properties.principalType")
    if kind == "ServicePrincipal" or not _is_ours(who, world):
        return None
    what = f"Principal {who.replace('-', '')} does not exist in the directory; set principalType ServicePrincipal."
    return refuse("PrincipalNotFound", what)


@rule("role.principal", ASSIGNMENT, f"{LEARN}/troubleshooting")
def principal_is_a_guid(request: Request, world: World) -> ArmError | None:
    """A principal is named by its object id, a GUID."""
    who = read(request.body, "properties.principalId", "")
    what = f"The principal ID '{who}' is not valid. Principal ID must be a GUID."
    return None if GUID.fullmatch(who) else refuse("InvalidPrincipalId", what)


@rule("role.number", ASSIGNMENT, f"{LEARN}/troubleshoot-limits")
def assignments_are_not_too_many(request: Request, world: World) -> ArmError | None:
    """A subscription has at most 4,000 role assignments."""
    number = sum(1 for _ in world.inventory.of_type(ASSIGNMENT))
    what = "No more role assignments can be created (code: RoleAssignmentLimitExceeded)."
    return (
        refuse("RoleAssignmentLimitExceeded", what)
        if number >= 4000 and world.inventory.get(request.id) is None
        else None
    )


@rule("role.custom-name", DEFINITION, f"{LEARN}/custom-roles")
def custom_role_has_its_name(request: Request, world: World) -> ArmError | None:
    """A custom role's name is its own in the tenant, and it may be assigned somewhere."""
    name = read(request.body, "properties.roleName", "")
    if not rows(request.body, "properties.assignableScopes"):
        return refuse("MissingAssignableScopes", f"The role '{name}' has no assignable scopes.")
    for id, body in world.inventory.of_type(DEFINITION):
        if not same(id, request.id) and read(body, "properties.roleName") == name:
            what = f"A custom role with the same name '{name}' already exists in this directory."
            return refuse("RoleDefinitionWithSameNameExists", what, 409)
    return None


@rule("policy.identity", POLICY, "https://learn.microsoft.com/azure/governance/policy/how-to/remediate-resources")
def assignment_with_identity_has_a_place(request: Request, world: World) -> ArmError | None:
    """A policy assignment with an identity has a location."""
    kind = read(request.body, "identity.type", "None")
    what = f"The policy assignment '{request.name}' has an identity and no location."
    return refuse("LocationRequired", what) if kind != "None" and not read(request.body, "location") else None


def _meaning(id: str, body: object) -> tuple[str, str, str]:
    """Where, who and what an assignment is."""
    who = str(read(body, "properties.principalId", "")).lower()
    return key(scope_of(id)), who, name_of(str(read(body, "properties.roleDefinitionId", ""))).lower()


def _is_ours(who: str, world: World) -> bool:
    """Whether a principal is an identity of this subscription."""
    kinds = ("Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.ContainerService/managedClusters",
             "Microsoft.DataProtection/backupVaults", "Microsoft.Compute/diskEncryptionSets", POLICY)  # fmt: skip
    return any(principal(id) == who for kind in kinds for id, _ in world.inventory.of_type(kind))
