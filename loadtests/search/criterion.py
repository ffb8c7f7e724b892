"""An SLO as a client can check it: the share of requests that are ok, or fast enough. Pure: reads text only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from infra.errors import InvalidInput
from infra.objective import Objective
from infra.units import format_duration, format_ratio, parse_duration, parse_ratio

LATENCIES = ("ttft", "itl", "tpot", "e2e")
SHARES = ("ok", "goodput")
OK_AT_LEAST = 0.99  # where an SLO says nothing of failures: a service that refuses everybody keeps every latency
FORMS = "write one such as 'ttft p99 < 500ms', 'ok >= 99.9%' or 'goodput >= 99%'"

_LATENCY = re.compile(rf"({'|'.join(LATENCIES)})\s+p(\d+(?:\.\d+)?)\s*<=?\s*(\S+)")
_SHARE = re.compile(rf"({'|'.join(SHARES)})\s*>=\s*(\S+)")


class SloError(InvalidInput):
    """An SLO that cannot be read, or that no client can check."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """At least `share` of the events are good: ok, in goodput, or within `threshold` seconds.

    Events are requests that were sent, whatever became of them; of `itl` the gaps of ok answers.
    """

    of: str
    share: float
    threshold: float | None = None

    @property
    def label(self) -> str:
        """As people write it, and as `criterion` reads it."""
        if self.threshold is None:
            return f"{self.of} >= {format_ratio(self.share)}"
        return f"{self.of} p{format_ratio(self.share).removesuffix('%')} < {format_duration(self.threshold)}"


def criterion(text: str) -> Criterion:
    """`ttft p99 < 500ms`, `goodput >= 99%`. Raises SloError."""
    try:
        if found := _LATENCY.fullmatch(text.strip()):
            return _some(Criterion(found[1], parse_ratio(f"{found[2]}%"), parse_duration(found[3])))
        if found := _SHARE.fullmatch(text.strip()):
            return _some(Criterion(found[1], parse_ratio(found[2])))
    except ValueError as error:
        raise SloError(f"--slo: {text!r}: {error}") from error
    raise SloError(f"--slo: {text!r} is not understood; {FORMS}")


def promised(objectives: Iterable[Objective]) -> tuple[Criterion, ...]:
    """What a service promises, as far as a client sees it; itl by TPOT, as in goodput: events may hold many tokens."""
    found = list[Criterion]()
    for one in objectives:
        if one.sli in LATENCIES and one.threshold is not None:
            found.append(Criterion("tpot" if one.sli == "itl" else one.sli, one.target, one.threshold))
        elif one.sli == "availability":
            found.append(Criterion("ok", one.target))
    return tuple(found)


def criteria(texts: Iterable[str], objectives: Iterable[Objective]) -> tuple[Criterion, ...]:
    """What was written, else what the service promises; and one for failures where none is about them.

    Raises SloError for what cannot be read, and where there is nothing at all.
    """
    found = tuple(criterion(text) for text in texts) or promised(objectives)
    if not found:
        raise SloError(f"the service promises nothing that a client sees; give --slo: {FORMS}")
    return found if any(one.of in SHARES for one in found) else (*found, Criterion("ok", OK_AT_LEAST))


def thresholds(criteria: Iterable[Criterion]) -> dict[str, float]:
    """Seconds by latency, as an order has them for goodput, whose itl is TPOT; of several the strictest."""
    found = dict[str, float]()
    for one in criteria:
        if one.threshold is not None:
            name = "itl" if one.of == "tpot" else one.of
            found[name] = min(one.threshold, found.get(name, one.threshold))
    return found


def _some(one: Criterion) -> Criterion:
    """A criterion that something can keep and something can break."""
    if not 0 < one.share < 1:
        raise ValueError("a share lies between 0 and 100 %, and neither is one that a sample can show")
    if one.threshold is not None and one.threshold <= 0:
        raise ValueError("no time at all is kept by nobody")
    return one
