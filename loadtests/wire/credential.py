"""Reads the keys that references name: `env:NAME` from the environment, `keyvault:URL` from Azure Key Vault."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from infra.errors import InvalidInput, Unavailable
from loadtests.wire.secret import Secret

NOT_DONE = "no load was started"
VAULT = "https://vault.azure.net/.default"  # the scope of Azure Key Vault's data plane
VERSION = "7.4"  # of its REST API: GET {vault}/secrets/{name}/{version}?api-version=7.4
PATIENCE = 10.0  # s for one secret: it is read once, before anything is sent


class CredentialError(InvalidInput):
    """A reference that leads to no key."""


class VaultError(Unavailable):
    """The key vault did not give the key."""


def secrets(
    references: Iterable[str],
    environment: Mapping[str, str] = os.environ,
    vault: Callable[[str], str] | None = None,
) -> tuple[Secret, ...]:
    """The key of each reference. `vault` reads the URL of a secret. Raises CredentialError or VaultError."""
    return tuple(_secret(reference, environment, vault or read_vault) for reference in references)


def _secret(reference: str, environment: Mapping[str, str], vault: Callable[[str], str]) -> Secret:
    kind, _, place = reference.partition(":")
    if kind == "keyvault":
        return _checked(reference, vault(place))
    if kind != "env":
        what = f"the credential {kind}:... is no reference; write env:NAME or keyvault:https://VAULT/secrets/NAME"
        raise CredentialError(what, not_done=NOT_DONE)
    if not environment.get(place):
        raise CredentialError(
            f"the environment variable {place}, which should hold a credential, is not set",
            not_done=NOT_DONE,
            next=f"export {place}=...",
        )
    return _checked(reference, environment[place])


def _checked(reference: str, text: str) -> Secret:
    """A key goes into a header, so it has neither blanks nor line ends; those around it are a slip of copying."""
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise CredentialError(f"what {reference} holds cannot be a key: it goes into an HTTP header", not_done=NOT_DONE)
    return Secret(key)


def read_vault(url: str, token: Callable[[], str] | None = None) -> str:
    """The value of a secret of Azure Key Vault. `token` is for its data plane. Raises VaultError."""
    import httpx

    headers = {"Authorization": f"Bearer {(token or _token)()}"}
    try:
        answer = httpx.get(url, params={"api-version": VERSION}, headers=headers, timeout=PATIENCE)
        answer.raise_for_status()
        return str(answer.json()["value"])
    except httpx.HTTPStatusError as error:
        raise VaultError(f"{url} answered {error.response.status_code}", not_done=NOT_DONE, next=_hint()) from error
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise VaultError(f"{url} gave no secret: {type(error).__name__}", not_done=NOT_DONE, next=_hint()) from error


def _hint() -> str:
    return "az keyvault secret show --id URL shows whether you may read it"


def _token() -> str:
    """Whoever is logged in: az login, a managed identity or a workload identity. Raises VaultError."""
    try:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        what = "azure-identity is not installed, and key vaults are read with it"
        raise VaultError(what, not_done=NOT_DONE, next="make setup, or use env:NAME") from error
    try:
        return str(DefaultAzureCredential().get_token(VAULT).token)
    except ClientAuthenticationError as error:
        raise VaultError("nobody is logged in to Azure", not_done=NOT_DONE, next="az login") from error
