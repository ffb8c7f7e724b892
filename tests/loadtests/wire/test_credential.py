"""Keys come from where their references say, and get out nowhere but on the wire."""

from __future__ import annotations

import json
import pickle
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from loadtests.wire.credential import CredentialError, VaultError, read_vault, secrets
from loadtests.wire.secret import Keys, Secret

VAULTS = {"https://v.vault.azure.net/secrets/key": "k-vault\n"}


def test_references_lead_to_their_keys() -> None:
    """In their order; what copying left around a key is no part of it."""
    references = ["env:KEY", "keyvault:https://v.vault.azure.net/secrets/key"]
    found = secrets(references, {"KEY": " k-env "}, VAULTS.__getitem__)
    assert [one.reveal() for one in found] == ["k-env", "k-vault"]
    assert secrets([]) == ()


@pytest.mark.parametrize(
    ("reference", "environment", "message"),
    [
        ("env:KEY", {}, "KEY, which should hold a credential, is not set"),
        ("env:KEY", {"KEY": ""}, "is not set"),
        ("env:KEY", {"KEY": "two words"}, "what env:KEY holds cannot be a key"),
        ("env:KEY", {"KEY": "a\nHost: evil"}, "what env:KEY holds cannot be a key"),
        ("env:KEY", {"KEY": "schlüssel"}, "what env:KEY holds cannot be a key"),
        ("sk-very-secret", {}, "is no reference; write env:NAME or keyvault:"),
    ],
)
def test_a_reference_that_leads_nowhere_is_an_error(reference: str, environment: dict[str, str], message: str) -> None:
    """Before anything is sent, and without showing what is there."""
    with pytest.raises(CredentialError, match=message) as caught:
        secrets([reference], environment)
    assert not [value for value in environment.values() if value and value in str(caught.value)]


def test_a_secret_is_not_shown() -> None:
    """Not by print, log, JSON or pickle."""
    secret = Secret("k-1")
    assert "k-1" not in f"{secret} {secret!r} {[secret]}"
    for writer in (json.dumps, pickle.dumps):
        with pytest.raises(TypeError):
            writer(secret)


def test_an_empty_pool_has_no_key() -> None:
    """Servers that ask for none get none."""
    assert Keys().take() is None


@contextmanager
def vault(answer: str) -> Iterator[tuple[str, list[str]]]:
    """A server that gives one answer, and what it was asked."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as other:
                asked.append(other.recv(65536).decode())
                head = f"HTTP/1.1 {answer.partition(' ')[0]} X\r\nConnection: close\r\n\r\n"
                other.sendall((head + answer.partition(" ")[2]).encode())

        Thread(target=serve).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/secrets/key", asked


def test_a_secret_of_a_key_vault_is_read() -> None:
    """With the token of whoever is logged in."""
    with vault('200 {"value": "k-1", "id": "x"}') as (url, asked):
        assert read_vault(url, lambda: "t-1") == "k-1"
    assert asked[0].startswith("GET /secrets/key?api-version=7.4 HTTP/1.1\r\n")
    assert "Authorization: Bearer t-1" in asked[0]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("403 {}", "answered 403"),
        ("200 {}", "gave no secret: KeyError"),
        ("200 oops", "gave no secret: JSONDecodeError"),
    ],
)
def test_a_key_vault_that_gives_no_secret_is_an_error(answer: str, message: str) -> None:
    """Which does not show the token."""
    with vault(answer) as (url, _), pytest.raises(VaultError, match=message) as caught:
        read_vault(url, lambda: "t-1")
    assert "t-1" not in str(caught.value)
