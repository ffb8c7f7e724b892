"""Counter series of Envoy, the engine and the load client -> bad answers of all answers, per arm. Pure.

What counts as an answer and which ones are bad is said here and nowhere else; how the series are had is the adapter's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cli.rollouts.counter import Series, summed
from cli.rollouts.evidence import ARMS, Count

# Upstream failures among Envoy's response flags; DC (the client left) is not one.
# https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
RESETS = frozenset({"UC", "UF", "UO", "UH", "UR", "UT", "UPE", "NR", "NC", "LR", "URX", "UMSDR", "DPE"})
CLIENT_LEFT = "DC"
FULL = "UO"  # an arm has as many open requests as it may: the slower it is, the sooner

Grown = tuple[Series, tuple[float, ...]]  # a counter, and how much it grew between the times of a grid
Counts = dict[str, list[Count]]  # by arm, one for each step of the grid


def errors(envoy: Sequence[Grown], others: Sequence[Grown], length: int) -> Counts:
    """Bad answers of all that Envoy gave: its own failures, and what only the engine or the clients saw (`others`)."""
    judged = [(one, row) for one, row in envoy if _judged(one)]
    bad = [*((one, row) for one, row in judged if _failed(one)), *others]
    return {arm: _zip(_of(arm, judged), _of(arm, bad), length) for arm in ARMS}


def exceedances(buckets: Sequence[Grown], length: int) -> Counts:
    """Answers above a threshold of all answers, from the cumulative buckets of that threshold and of +Inf."""
    whole = [(one, row) for one, row in buckets if one.labels["le"] == "+Inf"]
    within = [(one, row) for one, row in buckets if one.labels["le"] != "+Inf"]
    counts = {arm: _zip(_of(arm, whole), _of(arm, within), length) for arm in ARMS}
    return {arm: [Count(one.total, one.total - one.bad) for one in found] for arm, found in counts.items()}


def strangers(wanted: Mapping[str, str], up: Sequence[Series], at: float, stale: float) -> str:
    """Which arm has no sample younger than `stale` seconds, or another release than is `wanted`. Empty for none."""
    for arm, release in wanted.items():
        fresh = {one.labels.get("release") for one in up if one.labels.get("arm") == arm and one.age(at) <= stale}
        if not fresh:
            return f"no fresh sample of the {arm} replicas"
        if fresh != {release}:
            return f"the {arm} replicas run {', '.join(sorted(map(str, fresh)))}, not {release}"
    return ""


def answered(up: Series) -> Series:
    """Only the scrapes that were answered: a replica that is down is scraped in vain, and that is a sample too."""
    kept = [(time, value) for time, value in zip(up.times, up.values, strict=True) if value == 1.0]
    return Series(up.labels, tuple(time for time, _ in kept), tuple(value for _, value in kept))


def _zip(totals: list[tuple[float, ...]], bads: list[tuple[float, ...]], length: int) -> list[Count]:
    pairs = zip(summed(totals, length), summed(bads, length), strict=True)
    return [Count(max(round(total), round(bad)), round(bad)) for total, bad in pairs]


def _of(arm: str, found: Sequence[Grown]) -> list[tuple[float, ...]]:
    return [row for one, row in found if one.labels.get("arm") == arm]


def _flags(series: Series) -> set[str]:
    return set(series.labels.get("flags", "").split(","))


def _judged(series: Series) -> bool:
    """Admission (429) says nothing of a release, but where the arm itself was full; nor does a client that left."""
    flags = _flags(series)
    admission = series.labels.get("code") == "429" and FULL not in flags
    return not admission and CLIENT_LEFT not in flags


def _failed(series: Series) -> bool:
    return series.labels.get("code", "").startswith("5") or bool(_flags(series) & RESETS)
