"""Whether a fleet can be had: quota, sizes and zones, reservations, addresses, racks, money. Pure: asks nobody.

`preflight` counts what the fleet may scale to, against the limits that one file had on one day. What is known not to
fit is a violation, with the limit that binds and what would fit instead; what nobody knows is unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from infra.fleet import Fleet
from infra.preflight.cost import Cost, cost
from infra.preflight.demand import Demand, demands
from infra.preflight.fallback import fallbacks
from infra.preflight.figures import tables
from infra.preflight.finding import KINDS, Finding, Found, Table
from infra.preflight.fit import misfits
from infra.preflight.limits import Limits
from infra.preflight.quota import Ledger, Share, allot, describe, label, needed
from infra.preflight.reservation import unreserved
from infra.release import Release
from infra.yamlfile.source import Source

FRESH = 30  # days; quota and restrictions are granted and withdrawn within weeks


@dataclass(frozen=True, slots=True)
class Preflight:
    """All that was found, the worst first, and the figures behind it."""

    findings: tuple[Finding, ...]
    tables: tuple[Table, ...]

    @property
    def verdict(self) -> Literal["violation", "unknown", "fits"]:
        """The worst that was found; warnings do not count."""
        kinds = {finding.kind for finding in self.findings}
        return "violation" if "violation" in kinds else "unknown" if "unknown" in kinds else "fits"

    def of(self, kind: str) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def document(self) -> dict[str, Any]:
        """All of it for a machine."""
        return {
            "verdict": self.verdict,
            "findings": [_document(finding) for finding in self.findings],
            "tables": {table.title: table.document() for table in self.tables},
        }


def preflight(
    fleet: Fleet,
    limits: Limits | None,
    source: Source | None = None,
    releases: Mapping[str, Release] | None = None,
    today: date | None = None,
) -> Preflight:
    """What of a fleet does not fit or is not known, at its limits; without limits nothing of Azure is known.

    `source`: the fleet file, for file and line. `releases`: by service, for GPUs and tokens; a service without one has
    neither. `today`: to say how old the limits are.
    """
    money, granted = cost(fleet, limits, releases), _granted(fleet, limits)
    ledger = allot(demands(fleet), granted) if granted else None
    found = [*_about(fleet, limits, today), *misfits(fleet, releases or {})]
    if granted and ledger:
        found += [*_quotas(fleet, granted, ledger), *_offers(fleet, granted, ledger)]
    found += [*unreserved(fleet, granted, ledger), *_prices(money), *_budget(fleet, money)]
    findings = [one.at(source) for kind in KINDS for one in found if one.kind == kind]
    return Preflight(tuple(dict.fromkeys(findings)), tables(fleet, granted, ledger, money))


def _granted(fleet: Fleet, limits: Limits | None) -> Limits | None:
    """The limits, where they are those of the fleet's subscription."""
    foreign = limits and fleet.azure and limits.subscription != fleet.azure.subscription
    return None if foreign else limits


def _about(fleet: Fleet, limits: Limits | None, today: date | None) -> Iterator[Found]:
    """What is wrong with the limits as a whole."""
    if limits is None:
        yield Found("unknown", (), "there is no limits file: quota, sizes and zones are not known")
        return
    if _granted(fleet, limits) is None and fleet.azure:
        what = f"the limits are of subscription {limits.subscription}: quota, sizes and zones of this one are not known"
        yield Found("unknown", ("azure", "subscription"), what)
    for number, region in enumerate(fleet.regions):
        if region.location not in limits.regions:
            what = f"the limits say nothing of {region.location}: its quota, sizes and zones are not known"
            yield Found("unknown", ("regions", number, "location"), what)
    if limits.example:
        yield Found("warning", (), f"the limits of {limits.as_of} are an example: nobody has asked Azure")
    elif today and abs((today - limits.as_of).days) > FRESH:
        yield Found("warning", (), f"the limits are of {limits.as_of}, today is {today}: read them again")


def _quotas(fleet: Fleet, limits: Limits, ledger: Ledger) -> Iterator[Found]:
    said = set[tuple[str, str]]()
    for share in ledger.shares:
        demand = share.demand
        for key in share.unknown if demand.location in limits.regions else ():
            if (demand.location, key) not in said:
                said.add((demand.location, key))
                yield Found("unknown", demand.place, _not_known(ledger, demand, key))
        if share.binding:
            yield _short(fleet, limits, ledger, share)


def _not_known(ledger: Ledger, demand: Demand, key: str) -> str:
    here = [share.demand for share in ledger.shares if share.demand.location == demand.location]
    takers = [one for one in here if key in one.quotas]
    who = ", ".join(dict.fromkeys(one.pool for one in takers))
    name, vcpus = label(key, demand.family), needed(takers)[1]
    return f"{demand.location}: the quota {name} is not known; {who} need {vcpus:,} vCPUs of it"


def _short(fleet: Fleet, limits: Limits, ledger: Ledger, share: Share) -> Found:
    """A pool that does not get what it may scale to, by the quota that binds."""
    demand, name = share.demand, label(share.binding, share.demand.family)
    spare = f", {share.spare:,} of them for upgrades" if share.spare else ""
    what = (
        f"{demand.location}: {demand.pool} needs {demand.most * demand.vcpus + share.spare:,} vCPUs of {name}{spare}, "
        f"{share.left:,} are left: at most {share.machines} of {demand.most} machines; {_floor(share)}"
    )
    binding = f"{name} in {demand.location}: {describe(limits.quota(demand.location, share.binding))}"
    place = (*demand.place, "nodes", "max") if demand.size else demand.place
    return Found("violation", place, what, binding, fallbacks(fleet, limits, ledger, demand, share.missing))


def _floor(share: Share) -> str:
    """Whether the pool can begin at all."""
    demand = share.demand
    floor = f"its {'reservation' if demand.reserved else 'minimum'} of {demand.floor}"
    return f"{floor} {'fits' if share.machines >= demand.floor else 'does not fit either'}"


def _offers(fleet: Fleet, limits: Limits, ledger: Ledger) -> Iterator[Found]:
    """Sizes that cannot be had, in the region or in a zone of it."""
    for demand in demands(fleet):
        offer, place = limits.sku(demand.location, demand.sku), demand.size_place
        here = f"{demand.location}: {demand.sku} of {demand.pool}"
        if demand.location not in limits.regions:
            continue  # said once, for all of it
        if offer is None:
            yield Found("unknown", place, f"{here}: whether it can be had, and in which zones, is not known")
        elif offer.restricted:
            why = offer.reason or "the subscription may not have it there"
            instead = fallbacks(fleet, limits, ledger, demand, demand.most)
            yield Found("violation", place, f"{here} cannot be had: {why}", f"{demand.sku}: {why}", instead)
        elif lost := [zone for zone in demand.zones if zone not in offer.open_zones]:
            zones = _zones(offer.open_zones)
            what = f"{here} is wanted in {_zones(demand.zones)} and can be had in {zones}"
            instead = fallbacks(fleet, limits, ledger, demand, demand.most)
            yield Found("violation", place, what, f"{demand.sku} in {_zones(tuple(lost))}", instead)


def _prices(money: Cost) -> Iterator[Found]:
    """One finding for each size, at the first pool of it."""
    places: dict[tuple[str, str], list[Demand]] = {}
    for demand in money.unknown:
        places.setdefault((demand.sku, demand.priority), []).append(demand)
    for (sku, priority), found in places.items():
        where = ", ".join(dict.fromkeys(one.location for one in found))
        what = f"the price of {sku} ({priority}) is not known in {where}: its machines are in no sum"
        yield Found("unknown", found[0].size_place, what)


def _budget(fleet: Fleet, money: Cost) -> Iterator[Found]:
    """The fewest machines must be within the budget; that the most are not is no fault, but to be known."""
    month, budget, place = money.month().rounded(), fleet.budget.monthly_usd, ("budget", "monthly_usd")
    beside = ", and some prices are not known" if money.unknown else ""
    if month.least > budget:
        what = f"the fewest machines cost ${month.least:,.0f} a month{beside}; the budget is ${budget:,}"
        yield Found("violation", place, what, f"budget: ${budget:,} a month")
    elif month.most > budget:
        what = f"all machines that it may scale to cost ${month.most:,.0f} a month{beside}; the budget is ${budget:,}"
        yield Found("warning", place, what, f"budget: ${budget:,} a month")


def _zones(zones: tuple[int, ...]) -> str:
    if not zones:
        return "no zone"
    return f"zone{'s' * (len(zones) > 1)} {', '.join(map(str, zones))}"


def _document(finding: Finding) -> dict[str, Any]:
    """A finding for a machine."""
    instead = [
        {
            "sku": one.sku,
            "region": one.region,
            "location": one.location,
            "machines": one.machines,
            "memory_gb": one.memory,
            "usd_per_hour": one.usd_per_hour,
        }
        for one in finding.fallbacks
    ]
    said = {"kind": finding.kind, "where": finding.where, "what": finding.what, "binding": finding.binding}
    return {**said, "fallbacks": instead}
