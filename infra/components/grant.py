"""Roles in Azure and who has them: built-in roles by their ids, one assignment each, never for a whole subscription."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import pulumi
from pulumi_azure_native import authorization

from infra.components.site import Site

# MicrosoftDocs/azure-docs articles/role-based-access-control/built-in-roles.md (2026-04-09), "Azure built-in roles".
ROLES = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Data Operator for Managed Disks": "959f8984-c045-4866-89c7-12bf9737be2e",
    "Disk Snapshot Contributor": "7efff54f-a5b4-42b5-a1c5-5411624893ce",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may do what with which resource."""

    role: str
    scope: pulumi.Input[str]
    principal: pulumi.Input[str]
    people: bool = False
    """Whether it is a group of people; else a service principal, which Azure need not look up before it is there."""


def grant(name: str, site: Site, given: Grant, parent: pulumi.Resource) -> pulumi.Resource:
    """Assign a role. Its id follows from the region and `name`, so that a second try finds the first one's."""
    path = f"{site.subscription()}/{site.name('resource group')}/{name}"
    assignment: pulumi.Resource = authorization.RoleAssignment(
        name,
        role_assignment_name=str(uuid5(NAMESPACE_URL, path)),
        scope=given.scope,
        principal_id=given.principal,
        principal_type="Group" if given.people else "ServicePrincipal",
        role_definition_id=(
            f"{site.subscription()}/providers/Microsoft.Authorization/roleDefinitions/{ROLES[given.role]}"
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return assignment
