"""What the judge promises, measured: false rollbacks of good releases, and what a bad one costs. Simulated and seeded.

One signal, errors: 0.5 % of responses are bad. Canary and baseline slice get 10 % of the traffic each, looks and blocks
of 30 s, 500 of them. A rollback is an e-value of 111, which is alpha 1 % less the bake's tenth. The judge is given the
noise of the world, at least 0.3, as a fleet takes it from its history; two rows show what a wrong figure does.
`python benchmarks/judge.py [RUNS]` takes a few minutes with 400 runs a cell.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cli.rollouts import evalue
from cli.rollouts.verdict import BAKE_SHARE

SEED = 20261121
RUNS = 400
LOOKS = 500
SECONDS = 30.0
SHARE = 0.1
RATE = 0.005
NEED = math.log(1.0 / (0.01 * (1.0 - BAKE_SHARE)))
TRAFFIC = (1, 10, 100, 10_000)  # requests a second, the whole service
Random = np.random.Generator
Floats = evalue.Floats


@dataclass(frozen=True, slots=True)
class World:
    """A name, the noise that the judge is told, and what multiplies the rate per arm (rows) and look (columns)."""

    name: str
    noise: float
    factors: Callable[[Random], Floats]


def calm(_: Random) -> Floats:
    """Requests fail independently of each other."""
    return np.ones((2, LOOKS))


def burst(cv: float) -> Callable[[Random], Floats]:
    """Each arm has its own gamma noise in each look."""
    return lambda random: random.gamma(1 / cv**2, cv**2, (2, LOOKS))


def spiky(cv: float) -> Callable[[Random], Floats]:
    """The same variation with a heavier tail than the judge assumes."""
    sigma = math.sqrt(math.log(1 + cv**2))
    return lambda random: random.lognormal(-(sigma**2) / 2, sigma, (2, LOOKS))


def incident(random: Random) -> Floats:
    """Ten times as many errors in all arms for ten minutes, at any time."""
    factors, start = np.ones((2, LOOKS)), random.integers(LOOKS - 20)
    factors[:, start : start + 20] = 10.0
    return factors


def sick_pod(random: Random) -> Floats:
    """One of eight replicas of each arm is five times as bad, and gets a share of its arm that wavers."""
    return np.asarray(1.0 + 4.0 * random.beta(8, 56, (2, LOOKS)))


def drift(random: Random) -> Floats:
    """The rate of all arms swings by half within two hours."""
    phase = np.linspace(0, LOOKS * SECONDS / 7200, LOOKS) + random.uniform()
    return np.asarray(np.ones((2, 1)) * (1 + 0.5 * np.sin(2 * np.pi * phase)))


WORLDS = (
    World("independent", 0.3, calm),
    World("burst CV 0.3", 0.3, burst(0.3)),
    World("burst CV 0.3, lognormal", 0.3, spiky(0.3)),
    World("burst CV 0.5", 0.5, burst(0.5)),
    World("burst CV 1.0", 1.0, burst(1.0)),
    World("shared incident x10", 0.3, incident),
    World("one pod of eight x5, both arms", 0.3, sick_pod),
    World("drift of the day", 0.3, drift),
    World("burst CV 0.5, judge told 0.3", 0.3, burst(0.5)),
    World("burst CV 1.0, judge told 0.3", 0.3, burst(1.0)),
)
BAD = (WORLDS[0], WORLDS[1], WORLDS[3])


def rollback(world: World, effect: float, traffic: float, random: Random) -> tuple[int, int] | None:
    """The look at which a canary `effect` times as bad is rolled back and its bad responses until then, or None."""
    rates = np.minimum(RATE * world.factors(random) * np.array([[effect], [1.0]]), 1.0)
    total = random.poisson(traffic * SHARE * SECONDS, (2, LOOKS))
    bad = random.binomial(total, rates).astype(np.float64)
    arms = total.astype(np.float64)
    crossed = np.flatnonzero(evalue.harm(bad[0], arms[0], bad[1], arms[1], world.noise) >= NEED)
    return (int(crossed[0]) + 1, int(bad[0, : crossed[0] + 1].sum())) if crossed.size else None


def cell(world: World, effect: float, traffic: int, runs: int) -> list[tuple[int, int]]:
    """The rollbacks of `runs` runs; the seed depends on the cell only."""
    random = np.random.default_rng([SEED, WORLDS.index(world), int(effect * 10), traffic])
    return [one for one in (rollback(world, effect, traffic, random) for _ in range(runs)) if one]


def share(count: int, runs: int) -> str:
    """`0.5 % +- 0.4`: a share in percent with its standard error."""
    p = count / runs
    return f"{p:6.1%} +-{100 * math.sqrt(p * (1 - p) / runs):.1f}"


def nulls(runs: int) -> None:
    """Good releases: the share that is rolled back."""
    print(f"false rollbacks in {LOOKS} looks, {runs} runs a cell; promised: at most 1 %, where the noise is known\n")
    print(f"{'world':<32}" + "".join(f"{f'{traffic}/s':>14}" for traffic in TRAFFIC))
    for world in WORLDS:
        row = [share(len(cell(world, 1.0, traffic, runs)), runs) for traffic in TRAFFIC]
        print(f"{world.name:<32}" + "".join(f"{one:>14}" for one in row), flush=True)


def detections(runs: int) -> None:
    """Bad releases: the share that is rolled back, after how long and at what price."""
    print(f"\nbad releases, {runs} runs a cell: rolled back, median seconds, median bad responses\n")
    print(f"{'world':<16}{'effect':>7}" + "".join(f"{f'{traffic}/s':>30}" for traffic in TRAFFIC))
    for world in BAD:
        for effect in (2.0, 5.0, 20.0):
            row = [_found(cell(world, effect, traffic, runs), runs) for traffic in TRAFFIC]
            print(f"{world.name:<16}{f'x{effect:g}':>7}" + "".join(f"{one:>30}" for one in row), flush=True)


def _found(hits: list[tuple[int, int]], runs: int) -> str:
    if not hits:
        return share(0, runs)
    looks, bad = np.median(np.array(hits), axis=0)
    return f"{share(len(hits), runs)} {looks * SECONDS:6.0f} s {bad:5.0f}"


def main() -> None:
    """Print both tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    nulls(runs)
    detections(max(1, runs // 4))


if __name__ == "__main__":
    main()
