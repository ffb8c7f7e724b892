"""What was asked of several regions -> an order for each. Reads the fleet and what is up here, and sends nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cli.commands.load import ordering
from cli.commands.load.guard import NOT_STARTED
from cli.commands.load.ordering import Given
from infra.errors import InvalidInput

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from loadtests.order import Order, Outage, Route
    from loadtests.report.book import Book
    from loadtests.search.criterion import Criterion


@dataclass(frozen=True, slots=True)
class Shift:
    """How users belong to regions, and which region is lost when; seconds."""

    weights: dict[str, float]
    lose: str | None
    at: float | None
    back: float | None


def shift(weights: Sequence[str], lose: str | None, at: str | None, back: str | None) -> Shift:
    """What --weight, --lose, --at and --back say. Raises InvalidInput."""
    from infra.units import parse_duration

    if (lose is None) != (at is None) or (back is not None and at is None):
        raise InvalidInput("--lose NAME needs --at TIME, and --at and --back need --lose", not_done=NOT_STARTED)
    seconds = None if at is None else ordering.positive("--at", at, parse_duration)
    again = None if back is None else ordering.positive("--back", back, parse_duration)
    return Shift(dict(map(_weight, weights)), lose, seconds, again)


def given(service: str | None, duration: str, seed: int, rate: str | None, profile: str | None, workers: int) -> Given:
    """What the other options say. Raises InvalidInput."""
    seconds = ordering.duration(duration)
    if seconds is None:
        raise InvalidInput("--duration: a verdict needs an end; write a duration such as 1m", not_done=NOT_STARTED)
    return Given(service, seconds, seed, rate=ordering.rate("--rate", rate, workers), profile=profile)


def orders(fleet: Fleet, given: Given, wanted: Shift, criteria: Sequence[Criterion]) -> list[Order]:
    """One for each region that is up here, has the service and is open to users. Raises InvalidInput, RegionDown."""
    from cli.commands.load.probing import regions_up, with_slo

    names = [name for name in regions_up(fleet, given) if fleet.region(name).traffic == "open"]
    found = [with_slo(ordering.here(fleet, replace(given, region=name)), criteria) for name in names]
    route = _route(fleet, wanted, names, given.duration or 0.0)
    return [ordering.made(**{**dict(order), "route": route}) for order in found]


def by_region(books: Sequence[tuple[Order, Book]]) -> dict[str, Book]:
    """What the processes of each region counted together."""
    from loadtests.report.book import merged

    found = defaultdict[str, list["Book"]](list)
    for order, book in books:
        found[order.region].append(book)
    return {region: merged(some) for region, some in found.items()}


def _weight(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        found = float(number)
    except ValueError:
        found = -1.0
    if not name or not 0 <= found < float("inf"):
        raise InvalidInput(f"--weight: {text!r} is no weight; write one such as eastus2=3", not_done=NOT_STARTED)
    return name, found


def _route(fleet: Fleet, wanted: Shift, names: Sequence[str], duration: float) -> Route:
    from pydantic import ValidationError

    from infra.blueprint.failover import priorities
    from loadtests.order import Route

    first = priorities(fleet.regions)
    for name in (*wanted.weights, *([wanted.lose] if wanted.lose else [])):
        if fleet.region(name).name not in names:
            what = f"{name} is not up here, or takes no users; there are {', '.join(names)}"
            raise InvalidInput(what, not_done=NOT_STARTED)
    lead = min((first[name] for name in names), default=1)
    weights = {name: wanted.weights.get(name, float(first[name] == lead)) for name in names}
    try:
        return Route(weights=weights, outage=_outage(fleet, wanted, names, first, duration))
    except ValidationError as error:
        raise InvalidInput(ordering.first(error), not_done=NOT_STARTED) from error


def _outage(fleet: Fleet, wanted: Shift, names: Sequence[str], first: dict[str, int], duration: float) -> Outage | None:
    from loadtests.arrivals.route import heirs
    from loadtests.order import Outage

    if wanted.lose is None or wanted.at is None:
        return None
    if max(wanted.at, wanted.back or 0.0) >= duration:
        what = f"--at and --back lie within the load, which ends after {duration:g} s"
        raise InvalidInput(what, not_done=NOT_STARTED)
    taking = heirs(wanted.lose, fleet.region(wanted.lose).failover, first, names)
    if not taking:
        listed = ", ".join(fleet.region(wanted.lose).failover) or "nothing"
        what = f"nobody takes over from {wanted.lose}: its failover is {listed}, and up here are {', '.join(names)}"
        raise InvalidInput(what, not_done=NOT_STARTED)
    return Outage(region=wanted.lose, at=wanted.at, back=wanted.back, heirs=taking)
