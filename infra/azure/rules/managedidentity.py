"""What the identity provider refuses of federated credentials. Pure."""

from __future__ import annotations

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import name_of, parent_of, same, type_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"
CREDENTIAL = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
MOST = 20


@rule("identity.credentials", CREDENTIAL, LEARN)
def credentials_are_not_too_many(request: Request, world: World) -> ArmError | None:
    """An identity has at most 20 federated credentials."""
    others = _others(request, world)
    what = f"The identity has {len(others)} federated credentials; {MOST} are the most."
    return refuse("FederatedIdentityCredentialsLimitReached", what) if len(others) >= MOST else None


@rule("identity.credential-twice", CREDENTIAL, LEARN)
def credentials_differ(request: Request, world: World) -> ArmError | None:
    """Two credentials of an identity differ in issuer or subject."""
    own = read(request.body, "properties.issuer", ""), read(request.body, "properties.subject", "")
    for id, body in _others(request, world):
        if (read(body, "properties.issuer"), read(body, "properties.subject")) == own:
            what = f"Issuer and subject combination already exists for this Managed Identity: {name_of(id)}."
            return refuse("Conflict", what, 409)
    return None


@rule("identity.audience", CREDENTIAL, LEARN)
def credential_has_one_audience(request: Request, world: World) -> ArmError | None:
    """A federated credential has exactly one audience."""
    number = len(rows(request.body, "properties.audiences"))
    return None if number == 1 else refuse("BadRequest", f"The credential has {number} audiences; it must have one.")


@rule("identity.issuer", CREDENTIAL, LEARN)
def issuer_is_an_address(request: Request, world: World) -> ArmError | None:
    """An issuer is an https address."""
    issuer = read(request.body, "properties.issuer", "")
    return None if issuer.startswith("https://") else refuse("BadRequest", f"The issuer '{issuer}' is no https URL.")


def _others(request: Request, world: World) -> list[tuple[str, object]]:
    below = world.inventory.below(parent_of(request.id))
    return [(id, body) for id, body in below
            if type_of(id).lower() == CREDENTIAL.lower() and not same(id, request.id)]  # fmt: skip
