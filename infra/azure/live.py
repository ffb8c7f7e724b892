"""Asks Azure for the limits of a fleet's subscription: quota and sizes of ARM, prices of the Retail Prices API.

Changes nothing. How it is asked is in asker.py, what the answers mean in answers.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from typing import TypeVar

from infra.azure import answers
from infra.azure.asker import NOTHING, Asker, Endpoints, NoLogin, StrangeAnswer, is_here
from infra.errors import InvalidInput
from infra.fleet import Fleet
from infra.preflight.limits import Limits, RegionLimits

T = TypeVar("T")

USAGES, SKUS, CLUSTERS = "2024-07-01", "2021-07-01", "2025-09-01"
"""API versions (learn.microsoft.com: "Usage - List", "Resource Skus - List", "Managed Clusters - List")."""


def login(endpoint: str) -> Callable[[], str]:
    """What gives a bearer token for that ARM and no other: the login of this machine, by DefaultAzureCredential."""
    if is_here(endpoint):
        return lambda: "emulated"
    try:
        credential = import_module("azure.identity").DefaultAzureCredential()
    except ImportError as error:
        raise NoLogin("the package azure-identity is not installed", not_done=NOTHING, next="make setup") from error
    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)  # it tells the same on stderr

    def token() -> str:
        try:
            return str(credential.get_token(f"{endpoint}/.default").token)
        except Exception as error:  # its exceptions are known only where it is installed
            why = str(error).partition("\n")[0]  # then it tells of every way that it tried
            raise NoLogin(f"no login for Azure: {why}", not_done=NOTHING, next="az login") from error

    return token


def ask(fleet: Fleet, environ: Mapping[str, str], wait: Callable[[float], None], today: date) -> Limits:
    """The limits of a fleet's subscription as Azure has them now. Raises OpsError where it does not tell."""
    import httpx

    endpoints = Endpoints.of(environ)
    with httpx.Client() as client:
        return gather(fleet, Asker(client, endpoints, login(endpoints.arm), wait), today)


def gather(fleet: Fleet, asker: Asker, today: date) -> Limits:
    """The limits, asked region by region."""
    if fleet.azure is None:
        raise InvalidInput(f"the fleet {fleet.name} names no subscription: it only runs locally", not_done=NOTHING)
    scope = f"/subscriptions/{fleet.azure.subscription}/providers"
    clusters = asker.arm(f"{scope}/Microsoft.ContainerService/managedClusters", **{"api-version": CLUSTERS})
    own = _understood(lambda: answers.own(clusters, fleet))
    regions, odd = {}, list[str]()
    for location in dict.fromkeys(region.location for region in fleet.regions):
        regions[location], differences = _region(asker, scope, location, own, today)
        odd += [f"{difference}: its quota in {location} is not known" for difference in differences]
    return Limits(
        apiVersion="bellwether/v1",
        kind="Limits",
        example=is_here(asker.endpoints.arm),
        as_of=today,
        sources=(f"{asker.endpoints.arm}, {today}", f"{asker.endpoints.prices}, {today}", *odd),
        subscription=fleet.azure.subscription,
        regions=regions,
    )


def _region(
    asker: Asker, scope: str, location: str, own: dict[answers.Key, int], today: date
) -> tuple[RegionLimits, list[str]]:
    """The limits of one region, and what in the answers contradicts what we know."""
    usages = asker.arm(f"{scope}/Microsoft.Compute/locations/{location}/usages", **{"api-version": USAGES})
    where = {"api-version": SKUS, "$filter": f"location eq '{location}'"}
    sizes = asker.arm(f"{scope}/Microsoft.Compute/skus", **where)
    items = asker.retail(condition(location))
    odd = _understood(lambda: answers.contradictions(sizes))
    quota = _understood(lambda: answers.quotas(usages, location, own))
    limits = RegionLimits(
        quota={key: one for key, one in quota.items() if key not in odd},
        skus=_understood(lambda: answers.offers(sizes, location)),
        prices=_understood(lambda: answers.prices(items, str(today))),
    )
    return limits, list(odd.values())


def condition(location: str) -> str:
    """The filter of the Retail Prices API for the sizes that we know, in one region."""
    sizes = " or ".join(f"armSkuName eq '{sku}'" for sku in answers.SKUS)
    return f"serviceName eq 'Virtual Machines' and armRegionName eq '{location}' and ({sizes})"


def _understood(read: Callable[[], T]) -> T:
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StrangeAnswer(f"an answer of Azure is not understood: {error!r}", not_done=NOTHING) from error
