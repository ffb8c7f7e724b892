"""Which regions of a residency group take users, and which only stand by, as the fleet file's failover lists say. Pure.

Regions that fail over to each other, directly or around, share their users. A region that others fail over to, and that
never fails over back to them, stands by: it has no users of its own that would have to go anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infra.region import Region

LOWEST = 5  # Front Door knows priorities 1 to 5 (learn.microsoft.com/azure/frontdoor/routing-methods)


def priorities(regions: Iterable[Region]) -> dict[str, int]:
    """Region name -> priority at the edge: 1 takes users, each further number stands by for those before it."""
    leads = {region.name: region.failover for region in regions}
    reach = {name: _reached(name, leads) for name in leads}
    return {name: min(1 + _depth(name, reach), LOWEST) for name in leads}


def _depth(name: str, reach: Mapping[str, frozenset[str]]) -> int:
    """How many stand before a region: the longest way of failovers to it that has no way back."""
    before = [other for other in reach if name in reach[other] and other not in reach[name]]
    return max((1 + _depth(other, reach) for other in before), default=0)


def _reached(name: str, leads: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """All regions that users of one may come to, over any number of failovers."""
    found, todo = set[str](), [name]
    while todo:
        new = [one for one in leads.get(todo.pop(), ()) if one in leads and one not in found]
        found.update(new)
        todo.extend(new)
    return frozenset(found)
