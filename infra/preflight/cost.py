"""What a fleet costs: machines by region and service, by the hour and month, and for a million tokens. Pure.

List prices in US dollars, of machines only: no disks, traffic, firewalls, registry or edge. A price that is not known
is left out and named; no price is ever taken from another region.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.fleet import Fleet
from infra.preflight.demand import Demand, demands
from infra.preflight.limits import Limits, Rate, seen_price
from infra.preflight.throughput import Throughput, throughput
from infra.region import Region
from infra.release import Release
from infra.service import Service

HOURS = 730.0  # of a month: 8,760 / 12, as Azure's pricing calculator counts
MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Span:
    """US dollars from the fewest machines to the most."""

    least: float
    most: float

    def times(self, factor: float) -> Span:
        """Both ends multiplied."""
        return Span(self.least * factor, self.most * factor)

    def rounded(self) -> Span:
        """Both ends to the cent: sums of floating point are off by less."""
        return Span(round(self.least, 2), round(self.most, 2))


@dataclass(frozen=True, slots=True)
class PoolCost:
    """The machines of one pool, and what one of them costs an hour; None: unknown."""

    demand: Demand
    rate: Rate | None

    @property
    def machines(self) -> tuple[int, int]:
        """The fewest and the most that are paid: reserved ones always."""
        return self.demand.floor, self.demand.most

    @property
    def hour(self) -> Span | None:
        """All of them, an hour."""
        least, most = self.machines
        return Span(least * self.rate.usd, most * self.rate.usd) if self.rate else None


@dataclass(frozen=True, slots=True)
class ServiceCost:
    """What a service's replicas take of the machines of a region; None: unknown."""

    service: str
    region: str
    replicas: int
    gpus: int | None  # of all replicas
    hour: float | None
    throughput: Throughput | None  # of one replica

    @property
    def month(self) -> float | None:
        """730 hours."""
        return None if self.hour is None else self.hour * HOURS

    @property
    def per_million_output(self) -> float | None:
        """For a million tokens of answers, prompts included in the price, when all replicas are full."""
        return self._per_million(self.throughput.output) if self.throughput else None

    @property
    def per_million(self) -> float | None:
        """For a million tokens of prompts and answers together, when all replicas are full."""
        return self._per_million(self.throughput.output + self.throughput.prompt) if self.throughput else None

    def _per_million(self, tokens: float) -> float | None:
        return None if self.hour is None else self.hour / (self.replicas * tokens * 3600) * MILLION


@dataclass(frozen=True, slots=True)
class Cost:
    """What a fleet costs, pool by pool and service by service."""

    pools: tuple[PoolCost, ...]
    services: tuple[ServiceCost, ...]

    def hour(self, region: str | None = None) -> Span:
        """An hour of a region, or of all: those machines whose price is known."""
        known = [pool.hour for pool in self.pools if region in (None, pool.demand.region)]
        return Span(sum((span.least for span in known if span), 0.0), sum((span.most for span in known if span), 0.0))

    def month(self, region: str | None = None) -> Span:
        """730 hours of it."""
        return self.hour(region).times(HOURS)

    @property
    def unknown(self) -> tuple[Demand, ...]:
        """Machines whose price is not known."""
        return tuple(pool.demand for pool in self.pools if pool.rate is None)


def cost(fleet: Fleet, limits: Limits | None = None, releases: Mapping[str, Release] | None = None) -> Cost:
    """The cost of a fleet at the prices of its limits, else at those that ship with us. `releases`: by service."""
    pools = tuple(PoolCost(demand, price(limits, demand)) for demand in demands(fleet))
    return Cost(pools, tuple(_services(fleet, limits, releases or {})))


def price(limits: Limits | None, demand: Demand) -> Rate | None:
    """What one of the machines costs an hour there; None: unknown."""
    asked = (demand.location, demand.sku, demand.priority)
    return (limits.price(*asked) if limits else None) or seen_price(*asked)


def replica_gpus(release: Release | None) -> int | None:
    """GPUs of one replica; None where its release is not known."""
    return release.parallel.tensor * release.parallel.pipeline if release else None


def _services(fleet: Fleet, limits: Limits | None, releases: Mapping[str, Release]) -> Iterable[ServiceCost]:
    profiles = {profile.name: profile for profile in fleet.load_profiles}
    machines = {(demand.region, demand.pool): demand for demand in demands(fleet)}
    for service in fleet.services:
        release = releases.get(service.name)
        speed = throughput(service, profiles[service.load], release)
        for region in fleet.regions_of(service.name):
            rate = price(limits, machines[region.name, service.pool])
            yield _service(service, region, release, rate, speed)


def _service(
    service: Service, region: Region, release: Release | None, rate: Rate | None, speed: Throughput | None
) -> ServiceCost:
    """Its share of the machines: those GPUs that its replicas take."""
    each, pool = replica_gpus(release), region.pool(service.pool)
    gpus = None if each is None else each * service.replicas
    hour = None if gpus is None or rate is None or pool is None else gpus * rate.usd / pool.size.count
    return ServiceCost(service.name, region.name, service.replicas, gpus, hour, speed)
