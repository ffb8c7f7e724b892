"""What Pulumi needs in Azure is compared with what is there, and made: one plan, then item by item in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, Protocol

from cli.provision.scope import provisioned
from infra.blueprint.foundation import PROVIDERS, Foundation, Item, denied, difference, foundation
from infra.errors import InvalidInput, Refused
from infra.fleet import Fleet, load_fleet

if TYPE_CHECKING:
    from collections.abc import Mapping

RESOURCES = "2024-03-01"  # Microsoft.Resources
WIDEST = 16  # a block of 65,536 addresses is a company's; a wider one is nobody's
PERMISSIONS = "2022-04-01"  # Microsoft.Authorization


class NotAllowed(Refused):
    """Whoever is logged in may not do what is needed."""


class BadBlock(InvalidInput):
    """An address block that is none, or that stands for everybody."""


class Azure(Protocol):
    """Resources by id, as cli/adapters/arm.py has them."""

    def get(self, path: str, api: str) -> dict[str, Any] | None:
        """The body of a resource, None where it is not there."""

    def values(self, path: str, api: str) -> list[dict[str, Any]]:
        """All rows of a list."""

    def put(self, path: str, api: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make a resource, or make it so."""

    def post(self, path: str, api: str) -> None:
        """Call an action."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a fleet needs."""

    fleet: Fleet
    foundation: Foundation
    subscription: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is missing or different: items with the paths that differ (none: it is not there), and providers."""

    items: tuple[tuple[Item, tuple[str, ...] | None], ...]
    unregistered: tuple[str, ...]

    @property
    def changing(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.unregistered) or any(differs is None or differs for _, differs in self.items)


def wanted(fleet: str, allowed: Sequence[str]) -> Wanted:
    """What the fleet of a command line needs. Raises FleetError, NotInAzure, BadBlock."""
    loaded = provisioned(load_fleet(fleet))
    assert loaded.azure is not None
    blocks = [_block(text) for text in allowed]
    return Wanted(loaded, foundation(loaded, loaded.azure, blocks), loaded.azure.subscription)


def azure(fleet: Fleet) -> Azure:
    """Azure, in the name of whoever is logged in."""
    from cli.adapters.arm import connect

    return connect()


def compare(what: Wanted, azure: Azure) -> Comparison:
    """What is there and what is not. Raises NotAllowed before anything is planned that could not be done."""
    scope = f"/subscriptions/{what.subscription}"
    lacking = denied(azure.values(f"{scope}/providers/Microsoft.Authorization/permissions", PERMISSIONS))
    if lacking:
        raise NotAllowed(
            f"whoever is logged in may not do this in subscription {what.subscription}: {', '.join(lacking)}",
            not_done="nothing was made",
            next="ask for Owner, or Contributor and User Access Administrator, until this is done",
        )
    known = {row["namespace"]: row["registrationState"] for row in azure.values(f"{scope}/providers", RESOURCES)}
    unregistered = tuple(name for name in PROVIDERS if known.get(name) not in ("Registered", "Registering"))
    return Comparison(tuple((item, _differs(item, azure)) for item in what.foundation.items), unregistered)


def _differs(item: Item, azure: Azure) -> tuple[str, ...] | None:
    found = azure.get(item.id, item.api)
    if found is None:
        return None
    return () if "/keys/" in item.id else difference(item.body, found)  # a key is never made anew by a PUT


def lines(what: Wanted, plan: Comparison) -> Iterator[str]:
    """The plan as people read it."""
    yield f"bootstrap fleet {what.fleet.name} ({what.fleet.environment}), in subscription {what.subscription}"
    if plan.unregistered:
        yield f"  register {', '.join(plan.unregistered)}"
    for item, differs in plan.items:
        how = "create" if differs is None else "update" if differs else "same"
        yield f"  {how:<8} {item.title}{': ' + ', '.join(differs) if differs else ''}"


def make(what: Wanted, plan: Comparison, azure: Azure, tell: Callable[[str], None]) -> None:
    """Make what is missing, in order. Raises ArmRefused; what was made stays, and is not made twice."""
    for name in plan.unregistered:
        azure.post(f"/subscriptions/{what.subscription}/providers/{name}/register", RESOURCES)
    for item, differs in plan.items:
        if differs is None or differs:
            azure.put(item.id, item.api, item.body)
            tell(f"{'made' if differs is None else 'changed'} {item.title}")


def _block(text: str) -> str:
    """An address block as Azure's firewalls take it. Raises BadBlock."""
    advice = "--allow ADDRESS/32, with the public address of your network"
    try:
        block = IPv4Network(text)
    except ValueError as error:
        raise BadBlock(f"--allow {text}: {error}", not_done="nothing was made", next=advice) from error
    if not block.is_global or block.prefixlen < WIDEST:
        why = f"has more than a /{WIDEST}" if block.is_global else "is not public, and Azure sees public addresses only"
        raise BadBlock(f"--allow {text}: it {why}", not_done="nothing was made", next=advice)
    return str(block)
