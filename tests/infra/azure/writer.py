"""Writes into a ledger, also as a program of its own: resources, a long session, an operation without end."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.azure.ledger import Ledger
from infra.azure.schema import Request

ID = "00000000-0000-0000-0000-00000000000a"
TENANT = "00000000-0000-0000-0000-00000000000b"
RG = f"/subscriptions/{ID}/resourceGroups/rg"
KIND = "Microsoft.ManagedIdentity/userAssignedIdentities"


def opened(path: Path) -> Ledger:
    """A ledger with the resource group in it."""
    ledger = Ledger(path, ID, TENANT)
    with ledger.session() as azure:
        body = {"location": "eastus2"}
        azure.put(Request("", RG, "Microsoft.Resources/resourceGroups", "2024-03-01", "rg", "eastus2", body))
    return ledger


def identity(name: str) -> str:
    return f"{RG}/providers/{KIND}/{name}"


def request(name: str) -> Request:
    return Request("", identity(name), KIND, "2023-01-31", name, "eastus2", {"location": "eastus2"})


def add(ledger: Ledger, name: str) -> None:
    with ledger.session() as azure:
        azure.put(request(name))


def main(path: str, what: str, mark: str) -> None:
    ledger = Ledger(Path(path))
    if what == "add":
        for number in range(20):
            add(ledger, f"id-{mark}-{number}")
            with ledger.session() as azure:
                azure.next_call()
        return
    if what == "stay":
        with ledger.session():
            print("inside", flush=True)
            sys.stdin.readline()
        return
    with ledger.session() as azure:
        azure.begin(request("id-left"))
    print("begun", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
