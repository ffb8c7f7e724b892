"""The tables of a preflight: machines, quota, what a region costs, what a service costs. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from infra.fleet import Fleet
from infra.preflight.cost import HOURS, Cost, PoolCost, ServiceCost
from infra.preflight.demand import Demand
from infra.preflight.finding import Cell, Table
from infra.preflight.limits import Limits
from infra.preflight.quota import Key, Ledger, label, needed

_LIST = "List prices in US dollars, of machines only; a month has 730 hours. Reserved machines are paid always."
_MODEL = (
    "Its share of the machines. For a million tokens: replicas that are always full, at the speed that the release "
    "assumes in its simulate section, with prompts and answers of the load profile's mean length. Nothing was measured."
)


def tables(fleet: Fleet, limits: Limits | None, ledger: Ledger | None, money: Cost) -> tuple[Table, ...]:
    """All of them, in the order of the fleet file."""
    regions = tuple(_region(region.name, money) for region in fleet.regions)
    total = ("all", *_sums(None, money))
    return (
        _table("machines", _MACHINES, (_pool(pool) for pool in money.pools)),
        _table("quota", _QUOTA, _quota(limits, ledger)),
        _table("cost of regions", _REGION, (*regions, total), _LIST),
        _table("cost of services", _SERVICE, (_service(one) for one in money.services), _MODEL),
    )


_MACHINES = (
    *("region", "pool", "size", "bought", "least", "most", "for upgrades", "vCPUs", "zones"),
    *("usd an hour each", "price confidence", "price source"),
)
_QUOTA = ("location", "quota", "needed at least", "needed at most", "limit", "left")
_REGION = (
    *("region", "usd an hour, least", "usd an hour, most", "usd a month, least", "usd a month, most"),
    "pools without a price",
)
_SERVICE = (
    *("service", "region", "replicas", "gpus", "usd an hour", "usd a month"),
    *("usd a million output tokens", "usd a million tokens"),
)


def _table(title: str, columns: tuple[str, ...], rows: Iterator[tuple[Cell, ...]] | tuple[tuple[Cell, ...], ...],
           note: str = "") -> Table:  # fmt: skip
    return Table(title, columns, tuple(rows), note)


def _pool(pool: PoolCost) -> tuple[Cell, ...]:
    demand, rate = pool.demand, pool.rate
    zones = ", ".join(map(str, demand.zones)) or "none"
    price = (rate.usd, rate.confidence, rate.source) if rate else (None, "", "")
    counts = (demand.least, demand.most, demand.surge, demand.peak * demand.vcpus)
    return (demand.region, demand.pool, demand.sku, demand.priority, *counts, zones, *price)


def _quota(limits: Limits | None, ledger: Ledger | None) -> Iterator[tuple[Cell, ...]]:
    if limits is None or ledger is None:
        return
    needs: dict[Key, list[Demand]] = {}
    for demand in (share.demand for share in ledger.shares):
        for key in demand.quotas:
            needs.setdefault((demand.location, key), []).append(demand)
    for (location, key), takers in needs.items():
        quota = limits.quota(location, key)
        known = (quota.limit, quota.left) if quota else (None, None)
        yield (location, label(key, takers[0].family), *needed(takers), *known)


def _region(name: str, money: Cost) -> tuple[Cell, ...]:
    return (name, *_sums(name, money))


def _sums(name: str | None, money: Cost) -> tuple[Cell, ...]:
    """What is known of a region, or of all; nothing where no price is."""
    pools = [pool for pool in money.pools if name in (None, pool.demand.region)]
    lost = [pool.demand.pool for pool in pools if pool.rate is None]
    hour = money.hour(name)
    spans = (hour.least, hour.most, hour.least * HOURS, hour.most * HOURS)
    known = spans if len(lost) < len(pools) else (None, None, None, None)
    return (*known, f"{len(lost)} of {len(pools)}" if name is None and lost else ", ".join(lost) or "none")


def _service(one: ServiceCost) -> tuple[Cell, ...]:
    money = (one.hour, one.month, one.per_million_output, one.per_million)
    return (one.service, one.region, one.replicas, one.gpus, *money)
