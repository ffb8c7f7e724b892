"""What ARM and the Retail Prices API answer -> what a limits file says. Pure: the asking is in live.py.

A family, size or price that is not in an answer is left out and so unknown, but for a size that ARM lists nowhere in a
region: that one is not offered there. Where ARM contradicts what we know of a size, its quota is left out, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from infra.azure.facts import cpu_sizes, family_key, gpu_sizes, quota_of
from infra.blueprint.naming import pool as pool_name
from infra.blueprint.node_pool import reserved
from infra.fleet import Fleet
from infra.preflight.limits import REGIONAL, SPOT, Offer, Price, Quota

YEAR = 8760.0  # hours; a reservation's price is that of its whole term
RETAIL = "Azure Retail Prices API"
TARGETED = "targeted"  # the kind of a reservation that nobody asks another kind of

SKUS = tuple(sorted({**gpu_sizes(), **cpu_sizes()}))
"""The sizes that are asked for: those that we know."""

Row = Mapping[str, Any]
Key = tuple[str, str]


def quotas(usages: Iterable[Row], location: str, ours: Mapping[Key, int]) -> dict[str, Quota]:
    """Quota family -> quota, of the families of the sizes that we know and of the two totals."""
    families = {family_key(quota.family) for sku in SKUS if (quota := quota_of(sku))} | {REGIONAL, SPOT}
    found = {family_key(str(row["name"]["value"])): row for row in usages}
    return {
        key: Quota(limit=limit, used=used, ours=min(used, ours.get((location, key), 0)))
        for key in sorted(families & found.keys())
        for limit, used in [(_count(found[key]["limit"]), _count(found[key]["currentValue"]))]
    }


def offers(rows: Iterable[Row], location: str) -> dict[str, Offer]:
    """Size -> whether it can be had in a region. `rows`: all that ARM lists of the region."""
    here = {str(row["name"]): row for row in rows if row.get("resourceType") == "virtualMachines"}
    return {sku: _offer(here.get(sku), location) for sku in SKUS}


def contradictions(rows: Iterable[Row]) -> dict[str, str]:
    """Quota family -> in what ARM and we differ about a size of it: its family, or its vCPUs."""
    found: dict[str, str] = {}
    for row in rows:
        ours = quota_of(str(row["name"]))
        if row.get("resourceType") != "virtualMachines" or ours is None:
            continue
        said = {str(one["name"]): one["value"] for one in row.get("capabilities", ())}
        theirs = (family_key(str(row.get("family", ""))), int(said.get("vCPUs", ours.vcpus)))
        if theirs != (family_key(ours.family), ours.vcpus):
            found[family_key(ours.family)] = f"ARM has {row['name']} in family {theirs[0]} with {theirs[1]} vCPUs"
    return found


def prices(items: Iterable[Row], today: str) -> dict[str, Price]:
    """Size -> price, of the rows of one region; a price that two rows give differently is left out."""
    seen: dict[str, dict[str, set[float]]] = {}
    for item in items:
        if kind := _kind(item):
            hour = float(item["retailPrice"]) / (YEAR if kind == "reserved" else 1)
            seen.setdefault(str(item["armSkuName"]), {}).setdefault(kind, set()).add(hour)
    single = {sku: {kind: min(usd) for kind, usd in of.items() if len(usd) == 1} for sku, of in seen.items()}
    return {
        sku: Price(**of, source=f"{RETAIL}, {today}", confidence="high")
        for sku, of in sorted(single.items())
        if of and sku in SKUS
    }


def own(clusters: Iterable[Row], fleet: Fleet) -> dict[Key, int]:
    """Azure region and quota family -> vCPUs of this fleet's own machines, of those clusters that carry its tags."""
    found: dict[Key, int] = {}
    tags = {"fleet": fleet.name, "environment": fleet.environment}
    for cluster in clusters:
        if tags.items() <= (cluster.get("tags") or {}).items():
            for pool in cluster["properties"].get("agentPoolProfiles", ()):
                _add(found, str(cluster["location"]), pool, fleet)
    return found


def _add(found: dict[Key, int], location: str, pool: Row, fleet: Fleet) -> None:
    """A pool's machines, or what is reserved for it where that is more: reservations count as used."""
    quota = quota_of(str(pool["vmSize"]))
    if quota is None:
        return
    vcpus = max(_count(pool.get("count", 0)), _reserved(fleet, location, str(pool["name"]))) * quota.vcpus
    spot = pool.get("scaleSetPriority") == "Spot"
    for key in (SPOT,) if spot else (family_key(quota.family), REGIONAL):
        found[location, key] = found.get((location, key), 0) + vcpus


def _reserved(fleet: Fleet, location: str, name: str) -> int:
    """Machines that are reserved for the pool of that name in AKS."""
    pools = [(pool, region) for region in fleet.regions if region.location == location for pool in region.pools]
    return sum(
        sum(reserved(pool, region).values()) for pool, region in pools if pool_name(pool.name, pool.generation) == name
    )


def _offer(row: Row | None, location: str) -> Offer:
    if row is None:
        return Offer(restricted=True, reason="it is not offered in the region")
    zones = [zone for place in row.get("locationInfo", ()) if _is(place, location) for zone in place.get("zones", ())]
    bars = list(row.get("restrictions", ()))
    whole = [bar for bar in bars if bar["type"] == "Location" and _hits(bar, location)]
    shut = [zone for bar in bars if bar["type"] == "Zone" and _hits(bar, location) for zone in _info(bar, "zones")]
    return Offer(
        zones=tuple(sorted({int(zone) for zone in zones})),
        restricted=bool(whole),
        restricted_zones=tuple(sorted({int(zone) for zone in shut})),
        reason=str(whole[0].get("reasonCode", "restricted")) if whole else None,
        reservable=_reservable(row),
    )


def _reservable(row: Row) -> bool | None:
    """Whether ARM takes a reservation for those who name its group, as a pool does; None where it does not say.

    azure-rest-api-specs, ComputeRP.json of 2026-04-01: where CapacityReservationSupported is true,
    SupportedCapacityReservationTypes has the kinds. In answers they are "True" and "Open,Targeted".
    """
    said = {str(one["name"]): str(one["value"]).lower() for one in row.get("capabilities", ())}
    kinds = said.get("SupportedCapacityReservationTypes", TARGETED).replace(" ", "").split(",")
    match said.get("CapacityReservationSupported"):
        case "true":
            return TARGETED in kinds
        case "false":
            return False
    return None


def _hits(bar: Row, location: str) -> bool:
    places = _info(bar, "locations") or bar.get("values", ())
    return any(str(place).lower() == location for place in places)


def _info(bar: Row, key: str) -> list[Any]:
    return list((bar.get("restrictionInfo") or {}).get(key) or ())


def _is(place: Row, location: str) -> bool:
    return str(place.get("location", "")).lower() == location


def _kind(item: Row) -> str | None:
    """on_demand, spot or reserved; None for a row that is about something else: Windows, dev/test, low priority."""
    product, name = str(item.get("productName", "")), f"{item.get('skuName', '')} {item.get('meterName', '')}"
    other = "Windows" in product or "Cloud Services" in product or "CloudServices" in product or "Low Priority" in name
    if other or item.get("currencyCode") != "USD" or item.get("isPrimaryMeterRegion") is False:
        return None
    match item.get("type"), item.get("reservationTerm"):
        case "Consumption", None:
            return "spot" if "Spot" in name else "on_demand"
        case "Reservation", "1 Year":
            return "reserved"
    return None


def _count(value: object) -> int:
    """A count; ARM writes some as text or with a fraction of nothing, and -1 for no limit."""
    number = int(float(str(value)))
    return number if number >= 0 else 1_000_000
