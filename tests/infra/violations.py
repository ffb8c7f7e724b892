"""Two hundred seeded violations of residency: half in the fleet file and its placements, half in rendered requests.

Each is made by a seed alone, so that one that is missed can be looked at again; together they use every way there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import yaml

from infra.azure.schema import Request
from infra.fleet import FLEETS, Fleet, load_fleet, read_fleet
from infra.residency.proof import audit, prove
from infra.yamlfile.problem import SourceError
from infra.yamlfile.source import parse
from tests.infra.arm_fleet import arm_fleet
from tests.infra.arm_violations import WAYS
from tests.infra.fleet_violations import MISPLACINGS, SLIPS

FLEET, RENDERED = 100, 100


@dataclass(frozen=True, slots=True)
class Seeded:
    """One violation: how it was made, the words that must name it, and what was said."""

    name: str
    seed: int
    names: str
    said: tuple[str, ...]

    @property
    def caught(self) -> bool:
        """Whether it was refused for the right reason."""
        return any(self.names in line for line in self.said)


def seeded_violations() -> Iterator[Seeded]:
    """All of them, each looked at by what refuses it in earnest."""
    ways = [*SLIPS, *MISPLACINGS]
    yield from (_in_fleet(ways[seed % len(ways)], seed) for seed in range(FLEET))
    yield from (_in_requests(list(WAYS)[seed % len(WAYS)], seed) for seed in range(RENDERED))


def _in_fleet(name: str, seed: int) -> Seeded:
    if name in MISPLACINGS:
        placed, words = MISPLACINGS[name](Random(seed), atlas())
        return Seeded(name, seed, words, tuple(map(str, prove(atlas(), placed))))
    data = json.loads(_plain())
    words = SLIPS[name](Random(seed), data)
    return Seeded(name, seed, words, tuple(_refusals(data)))


def _refusals(data: dict[str, Any]) -> list[str]:
    """What is said of a fleet file: on reading it, or by the proof."""
    try:
        fleet = read_fleet(parse("atlas.yaml", json.dumps(data)))  # JSON is YAML, and faster
    except SourceError as error:
        return [str(problem) for problem in error.problems]
    return [str(violation) for violation in prove(fleet)]


def _in_requests(name: str, seed: int) -> Seeded:
    requests, words = WAYS[name](Random(seed), atlas(), list(_rendered()))
    return Seeded(name, seed, words, tuple(violation.path for violation in audit(atlas(), requests)))


@cache
def atlas() -> Fleet:
    """The reference fleet of six regions in three groups."""
    return load_fleet("atlas")


@cache
def _rendered() -> tuple[Request, ...]:
    return tuple(arm_fleet(atlas()))


@cache
def _plain() -> str:
    return json.dumps(yaml.safe_load((FLEETS / "atlas.yaml").read_text(encoding="utf-8")), default=_text)


def _text(value: Any) -> str:
    return str(value.isoformat(timespec="minutes"))
