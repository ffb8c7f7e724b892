"""The table of rules as values: worlds, requests, and what each case changes in them."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from infra.azure import computed, draw
from infra.azure.resource_id import name_of, type_of
from infra.azure.schema import Request
from infra.azure.subscription import Subscription
from infra.azure.values import written

CASES = Path(__file__).parent.parent.parent / "cases" / "azure"
ID = "00000000-0000-0000-0000-00000000000a"
TENANT = "00000000-0000-0000-0000-00000000000b"
GROUPS = f"/subscriptions/{ID}/resourceGroups"
RG = f"{GROUPS}/rg"


@dataclass(frozen=True)
class Quota:
    """Virtual processors of which others use some."""

    limit: int
    used: int = 0


@dataclass(frozen=True)
class Offer:
    """Where a size can be had."""

    zones: tuple[int, ...] = (1, 2)
    restricted: bool = False
    restricted_zones: tuple[int, ...] = ()
    reservable: bool | None = None


@dataclass(frozen=True)
class Limits:
    """Quota by key, in one region; the H200 is closed, the H100 has two zones, the PCIe H100 cannot be reserved."""

    quotas: Mapping[str, int] = field(default_factory=dict)

    def quota(self, location: str, family: str) -> Quota | None:
        return Quota(self.quotas[family]) if location == "eastus2" and family in self.quotas else None

    def sku(self, location: str, sku: str) -> Offer | None:
        return {
            "Standard_ND96isr_H100_v5": Offer(reservable=True),
            "Standard_ND96isr_H200_v5": Offer(restricted=True),
            "Standard_NC40ads_H100_v5": Offer(reservable=False),
        }.get(sku)


def spelled(value: Any) -> Any:
    """A value of the table with ids, principals and long lists written out."""
    if isinstance(value, dict):
        return {spelled(key): spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> Any:
    if text.startswith("~~"):
        return GROUPS + text[2:]
    if text == "~" or text.startswith("~/"):
        return RG + ("/providers" + text[1:] if len(text) > 1 else "")
    if text.startswith("=principal "):
        return draw.principal(_text(text.removeprefix("=principal ")))
    if found := re.fullmatch(r"=(\d+) ([a-z ]+?)(?: of (\d+))?", text):
        return _many(int(found[1]), found[2], int(found[3] or 1))
    return text


def _many(number: int, what: str, each: int) -> Any:
    aks, plane = (
        "~/Microsoft.ContainerService/managedClusters/aks",
        "~/Microsoft.ManagedIdentity/userAssignedIdentities/plane",
    )
    made: dict[str, Any] = {
        "characters": lambda: "x" * number,
        "tags": lambda: {f"tag{n}": "x" for n in range(number)},
        "rules": lambda: [{"record": f"r{n}", "expression": "up"} for n in range(number)],
        "custom rules": lambda: [{"name": f"r{n}", "priority": n} for n in range(number)],
        "pools": lambda: {
            f"{aks}/agentPools/p{n}": {"properties": {"mode": "User", "count": each}} for n in range(number)
        },
        "roles": lambda: {f"~/Microsoft.Authorization/roleAssignments/r{n}": {"properties": {}} for n in range(number)},
        "credentials": lambda: {
            f"{plane}/federatedIdentityCredentials/c{n}": {"properties": {}} for n in range(number)
        },
        "settings": lambda: {f"{aks}/providers/Microsoft.Insights/diagnosticSettings/s{n}": {} for n in range(number)},
    }
    return spelled(made[what]())


@cache
def world() -> dict[str, Any]:
    return spelled(yaml.safe_load((CASES / "world.yaml").read_text().replace("\n~: ", '\n"~": ')))


@cache
def bases() -> dict[str, Any]:
    return spelled(yaml.safe_load((CASES / "bases.yaml").read_text()))


@cache
def cases() -> list[dict[str, Any]]:
    return spelled(yaml.safe_load((CASES / "rules.yaml").read_text()))


def subscription(given: Mapping[str, Any], **options: Any) -> Subscription:
    """The small subscription with what is given besides."""
    full = Subscription(ID, TENANT, **options)
    for id, body in _complete_world().items():
        full.apply({"do": "put", "id": id, "body": body})
    for id, body in _bodies(given):
        full.apply({"do": "put", "id": id, "body": computed.complete(id, body, full)})
    return full


@cache
def _complete_world() -> dict[str, Any]:
    """The world with what Azure adds, made once: nobody changes a body in place."""
    full = Subscription(ID, TENANT)
    for id, body in world().items():
        full.apply({"do": "put", "id": id, "body": computed.complete(id, body, full)})
    return dict(full.resources())


def request(name: str, changes: Mapping[str, Any], id: str = "") -> Request:
    """A base with changes."""
    base_id, body = based(name, changes)
    return asked(id or base_id, body)


def asked(id: str, body: dict[str, Any]) -> Request:
    """The request to put a body at an id."""
    return Request("azure-native:test:Test", id, type_of(id), "2025-01-01", name_of(id), body.get("location"), body)


def based(name: str, changes: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    base = bases()[name]
    like = base.get("like")
    body = base["body"] if like is None else world()[base["id"]] if like == "world" else bases()[like]["body"]
    return base["id"], changed(body, {**base.get("change", {}), **changes})


def changed(body: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for path, value in changes.items():
        body = written(body, path, value)
    return copy.deepcopy(body)


def _bodies(given: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, body) if name.startswith("/") else based(name, body) for name, body in given.items()]
