"""Whether what a fleet wants reserved can be: Azure reserves some sizes only. Pure.

The limits file knows it of ARM, for one subscription and region. Without that there is what ships with us, which only
knows of series that a page excludes: pages lag behind, so that is no violation but unknown, as is what nobody says.
"""

from __future__ import annotations

from collections.abc import Iterator

from infra.fleet import Fleet
from infra.preflight.demand import Demand, demands
from infra.preflight.fallback import fallbacks
from infra.preflight.finding import Found
from infra.preflight.limits import Limits
from infra.preflight.quota import Ledger

PAGE = "Microsoft's page of 2026-02-17 on capacity reservations"  # facts.json, unreservable_source


def unreserved(fleet: Fleet, limits: Limits | None, ledger: Ledger | None) -> Iterator[Found]:
    """Pools with `priority: reserved` of a size that cannot be reserved; once for each size of which it is unknown."""
    unknown: dict[str, list[Demand]] = {}
    for demand in (one for one in demands(fleet) if one.priority == "reserved"):
        offer = limits.sku(demand.location, demand.sku) if limits else None
        if offer and offer.restricted:
            continue  # it cannot be had at all, and that is said
        if offer is None or offer.reservable is None:
            unknown.setdefault(demand.sku, []).append(demand)
        elif limits and ledger and not offer.reservable:
            yield _refused(fleet, limits, ledger, demand)
    for sku, found in unknown.items():
        yield from _unknown(sku, found, limits)


def _refused(fleet: Fleet, limits: Limits, ledger: Ledger, demand: Demand) -> Found:
    what = (
        f"{demand.location}: no capacity of {demand.sku} can be reserved, as {demand.pool} wants it; "
        "write priority: on-demand, or another sku"
    )
    binding = f"capacity reservations of {demand.sku} in {demand.location}: not supported, by the limits"
    instead = fallbacks(fleet, limits, ledger, demand, demand.most)
    return Found("violation", (*demand.place, "priority"), what, binding, instead)


def _unknown(sku: str, found: list[Demand], limits: Limits | None) -> Iterator[Found]:
    place = (*found[0].place, "priority")
    where = ", ".join(dict.fromkeys(one.location for one in found))
    if found[0].size and found[0].size.reservable is False:
        what = f"{PAGE} excludes the series of {sku}, which is reserved in {where}: whether you may is not known"
        yield Found("unknown", place, f"{what}; ask your account team at Microsoft, or ARM by --live")
        return
    mentioned = [one.location for one in found if limits and one.location in limits.regions]
    if mentioned:  # of all else it is said once that nothing of Azure is known
        where = ", ".join(dict.fromkeys(mentioned))
        yield Found("unknown", place, f"whether {sku} can be reserved in {where} is not known; --live asks ARM")
