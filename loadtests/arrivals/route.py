"""Which region a request goes to: its user's, by weight, or an heir while that is lost. Pure: never asks the time.

Weighted rendezvous hashing (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005): each region draws a
waiting time from the user's name, shorter for a higher weight, and the shortest wins. So a user is always in the same
region, and when one is lost nobody moves but its own users.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf, log

from loadtests.arrivals.arrival import Arrival, number_of
from loadtests.order import Order, Outage, Route

PARTS = 1 << 53  # of a float's mantissa


def belongs(order: Order) -> Callable[[Arrival], bool]:
    """Whether an arrival is for the order's region; every arrival is where nothing is routed."""
    route = order.route
    if route is None:
        return lambda arrival: True
    return lambda arrival: region_of(route, arrival) == order.region


def region_of(route: Route, arrival: Arrival) -> str:
    """The region that an arrival goes to."""
    found = _nearest(arrival.user, route.weights)
    outage = route.outage
    if outage is None or found != outage.region or not _lasts(outage, arrival.due):
        return found
    return _nearest(arrival.user, _of_heirs(route.weights, outage.heirs))


def heirs(lost: str, failover: Sequence[str], priorities: Mapping[str, int], up: Sequence[str]) -> tuple[str, ...]:
    """The regions that take the users of a lost one as the edge does it; none where nobody is left.

    Of its failover list those that are up and first in line, for its order is in the priorities: a region that stands
    by takes users only where no other is left (infra/blueprint/failover.py).
    """
    there = [name for name in failover if name in up and name != lost]
    first = min((priorities[name] for name in there), default=0)
    return tuple(name for name in there if priorities[name] == first)


def _lasts(outage: Outage, due: float) -> bool:
    return outage.at <= due and (outage.back is None or due < outage.back)


def _of_heirs(weights: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """What each heir takes: by its weight; evenly where all of them stood by."""
    found = {name: weights[name] for name in names}
    return found if any(found.values()) else dict.fromkeys(names, 1.0)


def _nearest(user: str, weights: Mapping[str, float]) -> str:
    return min(weights, key=lambda name: _wait(user, name, weights[name]))


def _wait(user: str, name: str, weight: float) -> float:
    """Exponential with the rate `weight`: never over for a weight of 0."""
    return -log((number_of(f"{user}@{name}", PARTS) + 0.5) / PARTS) / weight if weight else inf
