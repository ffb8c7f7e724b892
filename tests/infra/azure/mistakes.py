"""Mistakes that people make in the inputs of resources, drawn by seed, and who finds them before anything is created.

Drawn from the inputs that are given, not from what our check knows: a mistake in a value that ARM does not describe
counts, too, and is missed. The Pulumi SDK is asked the same, at its best: typed arguments on all levels, under its own
mocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from infra.azure.schema import flaws
from tests.infra.azure.slips import MAKERS, Slip, shown, sites
from tests.infra.azure.typed import refused_by_sdk

Case = tuple[str, Mapping[str, Any]]
KINDS = tuple(MAKERS)
CASES = Path(__file__).parents[2] / "cases" / "azure" / "inputs.yaml"


@dataclass(frozen=True)
class Mistake:
    """One wrong input, and the path that a good message names."""

    kind: str
    token: str
    inputs: dict[str, Any]
    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.token} {self.path}: {self.what}"


@dataclass(frozen=True)
class Figures:
    """Of `count` mistakes: rejected, rejected at the right path, and what the SDK under its mocks rejected."""

    count: int
    rejected: int
    located: int
    sdk_rejected: int
    by_kind: dict[str, tuple[int, int, int, int]]
    missed: tuple[str, ...]


def cases() -> list[Case]:
    """The reference inputs, each without a flaw."""
    read = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    return [(each["token"], each["inputs"]) for each in read]


def campaign(cases: Sequence[Case], count: int, seed: int) -> Figures:
    """Draw `count` mistakes over valid cases and ask both who finds them."""
    drawn = list(mistakes(cases, count, seed))
    ours = [[flaw.path for flaw in flaws(each.token, each.inputs)] for each in drawn]
    theirs = [refused_by_sdk(each.token, each.inputs) for each in drawn]
    rows = [
        (each.kind, bool(found), each.path in found, refused)
        for each, found, refused in zip(drawn, ours, theirs, strict=True)
    ]
    by_kind = {kind: _sums([row for row in rows if row[0] == kind]) for kind in KINDS}
    missed = tuple(str(each) for each, row in zip(drawn, rows, strict=True) if not row[2])
    return Figures(*_sums(rows), by_kind, missed)


def _sums(rows: list[tuple[str, bool, bool, bool]]) -> tuple[int, int, int, int]:
    return len(rows), sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows)


def mistakes(cases: Sequence[Case], count: int, seed: int) -> Iterator[Mistake]:
    """The same for the same seed; kinds take turns, each with a case in which it can be made."""
    random = Random(seed)
    fit = {kind: [case for case in cases if _options(kind, *case)] for kind in KINDS}
    kinds = [kind for kind in KINDS if fit[kind]]
    for turn in range(count):
        kind = kinds[turn % len(kinds)]
        yield _make(kind, *random.choice(fit[kind]), random)


def _make(kind: str, token: str, inputs: Mapping[str, Any], random: Random) -> Mistake:
    path, wrong = random.choice(_options(kind, token, inputs))
    changed = deepcopy(dict(inputs))
    at, what = wrong(changed, path, random)
    return Mistake(kind, token, changed, shown(at), what)


def _options(kind: str, token: str, inputs: Mapping[str, Any]) -> list[Slip]:
    return list(MAKERS[kind](token, inputs, list(sites(token, inputs))))
