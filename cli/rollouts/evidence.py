"""What was counted, look by look and block by block. Pure: no clock, no network, no journal."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infra import grid

Arm = Literal["stable", "canary", "baseline"]
ARMS: tuple[Arm, ...] = ("stable", "canary", "baseline")
COMPARED: tuple[Arm, ...] = ("canary", "baseline")
STALE = 3.5  # seconds: three scrapes of the local region and some; an older sample says nothing


@dataclass(frozen=True, slots=True)
class Count:
    """`bad` of `total` responses."""

    total: int
    bad: int

    def __add__(self, other: Count) -> Count:
        return Count(self.total + other.total, self.bad + other.bad)

    @property
    def rate(self) -> float:
        """The share of bad responses, 0 where there are none at all."""
        return self.bad / self.total if self.total else 0.0


NOTHING = Count(0, 0)
Counts = Mapping[str, Count]  # by signal name


@dataclass(frozen=True, slots=True)
class Look:
    """What came since the look before, per arm and signal. `at` is Unix seconds on the grid of the rollout.

    A look with a `problem` (stale samples, a missing arm, ...) carries no evidence.
    """

    at: float
    weight: float
    arms: Mapping[str, Counts]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Looks merged until their noise is independent of the next block's: canary and baseline counts per signal."""

    at: float
    weight: float
    canary: Counts
    baseline: Counts


def blocks(
    looks: Iterable[Look], start: float, look: float, block: float, needs: tuple[Arm, ...] = COMPARED
) -> tuple[Block, ...]:
    """Merge looks into whole blocks of at least `block` seconds on the grid that begins at `start`.

    What was before `start` is left out. A block with a missing or troubled look, or without the arms that it `needs`,
    says nothing and is left out too. A weight may change inside a block: canary and baseline always have the same
    weight, so they stay comparable.
    """
    size = grid.looks(block, look)
    groups: dict[int, list[Look]] = {}
    for one in looks:
        groups.setdefault((round((one.at - start) / look) - 1) // size, []).append(one)
    return tuple(_merge(group) for index, group in sorted(groups.items()) if index >= 0 and _whole(group, size, needs))


def _whole(group: list[Look], size: int, needs: tuple[Arm, ...]) -> bool:
    return len(group) == size and all(not one.problem and all(arm in one.arms for arm in needs) for one in group)


def _merge(group: list[Look]) -> Block:
    last = group[-1]
    return Block(last.at, last.weight, total(group, "canary"), total(group, "baseline"))


def total(looks: Iterable[Look], arm: Arm) -> dict[str, Count]:
    """The counts of one arm summed over looks, by signal."""
    result: dict[str, Count] = {}
    for look in looks:
        for name, count in look.arms.get(arm, {}).items():
            result[name] = result.get(name, NOTHING) + count
    return result


def look_lines(look: Look) -> list[dict[str, Any]]:
    """One journal line per arm; a troubled look is one line that says why."""
    head = {"at": look.at, "weight": look.weight}
    if look.problem:
        return [{**head, "problem": look.problem}]
    return [
        {**head, "arm": arm, "counts": {n: [c.total, c.bad] for n, c in look.arms[arm].items()}} for arm in look.arms
    ]


def parse_looks(lines: Iterable[Mapping[str, Any]], known: tuple[Look, ...] = ()) -> tuple[Look, ...]:
    """The inverse of `look_lines`: the looks of the lines before, which are `known`, and of `lines`, by their times."""
    more = list(lines)
    if not more:
        return known
    kept = bisect_left(known, min(float(line["at"]) for line in more), key=lambda look: look.at)
    found = {look.at: look for look in known[kept:]}  # the lines of one look may come in two parts
    for line in more:
        at, weight = float(line["at"]), float(line["weight"])
        before = found.get(at, Look(at, weight, {}))
        arms = dict(before.arms)
        if "arm" in line:
            arms[line["arm"]] = {name: Count(n, bad) for name, (n, bad) in line["counts"].items()}
        found[at] = Look(at, weight, arms, line.get("problem", before.problem))
    return (*known[:kept], *(found[at] for at in sorted(found)))
