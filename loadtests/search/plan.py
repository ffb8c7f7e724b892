"""What a search may do: between which rates, for how long, how sure. Pure: sets limits and takes no step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.errors import InvalidInput
from loadtests.search.criterion import Criterion
from loadtests.search.finding import fewest, strictness

PROBES = 24  # more make every one of them less sure (Bonferroni), and 20 minutes have no room for more
LONGEST = 9.0  # times the first probe of a rate: 20 s, 60 s, 180 s
BRACKET = 1.10


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds, and requests per second. `bracket` is the ratio of its ends at which the search is done."""

    start: float
    up_to: float
    seconds: float  # of a probe
    longest: float  # of a probe
    budget: float  # of sending and resting, in all
    probes: int = PROBES
    bracket: float = BRACKET
    samples: float = 0.0  # requests without which no run shows anything
    alpha: float = 0.05  # how often the interval of one criterion of one probe may miss


def planned(criteria: Sequence[Criterion], *, start: float, up_to: float, seconds: float, budget: float) -> Plan:
    """The plan for an SLO. Raises InvalidInput where there is no room for a search."""
    if start > up_to:
        raise InvalidInput(f"--from: {start:g}/s is above {up_to:g}/s, the last rate; give less, or more as --up-to")
    if budget < seconds:
        raise InvalidInput(f"--budget: {budget:g} s have no room for one probe of {seconds:g} s")
    alpha = strictness(PROBES * len(criteria))
    return Plan(start, up_to, seconds, LONGEST * seconds, budget, samples=fewest(criteria, alpha), alpha=alpha)
