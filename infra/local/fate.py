"""The fate of one request: how it ends, how slow it is, how long its answer would be. Pure: no clock, no state.

A fate is a function of (seed, release, request id) and the release's simulation, so the same request meets the same
fate on every replica, in every run and after every restart, and another release draws anew.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b

from infra.simulate import Faults, Simulate

# Output lengths of the Azure 2023 conversation trace: p50 129 and p95 451 tokens; ln(451 / 129) / 1.645 = 0.76.
LENGTH_MEDIAN = 129
LENGTH_SIGMA = 0.76
TAIL_SHAPE = 2.0  # Pareto: finite mean, infinite variance, which is what makes a tail heavy
TAIL_CUT = 20.0


class End(Enum):
    """How a request ends."""

    WELL = "well"
    REFUSED = "refuse"
    HTTP_5XX = "http_5xx"
    STREAM_ERROR = "stream_error"
    EARLY = "early_end"


@dataclass(frozen=True, slots=True)
class Fate:
    """`cut` in 0..1 is where in the output a break lies, `slowness` multiplies all times, `length` is in tokens."""

    end: End
    cut: float
    slowness: float
    length: int


def fate(simulate: Simulate, seed: int, release: str, request: str) -> Fate:
    """The fate of `request` under `release`."""
    ending, cut, share, depth, *normals = _uniforms(f"{seed}\0{release}\0{request}")
    jitter, length = _normals(*normals)
    slowness = slow_factor(simulate.faults, share, depth) * math.exp(simulate.performance.jitter * jitter)
    return Fate(
        end=end_of(simulate.faults, ending),
        cut=cut,
        slowness=slowness,
        length=max(1, round(LENGTH_MEDIAN * math.exp(LENGTH_SIGMA * length))),
    )


def end_of(faults: Faults, uniform: float) -> End:
    """The ending that a number in [0, 1) stands for: each fault owns an interval as long as its share."""
    bound = 0.0
    for end, share in zip((End.REFUSED, End.HTTP_5XX, End.STREAM_ERROR, End.EARLY), faults.ends, strict=True):
        bound += share
        if uniform < bound:
            return end
    return End.WELL


def slow_factor(faults: Faults, uniform: float, depth: float) -> float:
    """How much slower a request is: 1, the slow factor, or a draw from the heavy tail at `depth` in [0, 1)."""
    slow = faults.slow.share if faults.slow else 0.0
    if faults.slow and uniform < slow:
        return faults.slow.factor
    if faults.slow_tail and uniform < slow + faults.slow_tail.share:
        return faults.slow_tail.factor * min(math.pow(1 - depth, -1 / TAIL_SHAPE), TAIL_CUT)
    return 1.0


def _uniforms(key: str) -> tuple[float, ...]:
    """Six independent numbers in [0, 1), each of 53 bits."""
    words = struct.unpack("<6Q", blake2b(key.encode(), digest_size=48).digest())
    return tuple((word >> 11) * 2.0**-53 for word in words)


def _normals(first: float, second: float) -> tuple[float, float]:
    """Two independent standard normal numbers from two uniform ones (Box and Muller, 1958)."""
    radius = math.sqrt(-2 * math.log(1 - first))
    return radius * math.cos(math.tau * second), radius * math.sin(math.tau * second)


def drag(faults: Faults, age: float) -> float:
    """How much slower everything is `age` seconds after loading: the cold start wears off, the leak grows."""
    factor = 1.0
    if faults.cold_start and age < faults.cold_start.period:
        factor = 1 + (faults.cold_start.factor - 1) * (1 - age / faults.cold_start.period)
    if faults.leak:
        factor *= 1 + faults.leak.latency * age / 60
    return factor


def leaked(faults: Faults, blocks: int, age: float) -> int:
    """How many of a pool's `blocks` are lost `age` seconds after loading; one always stays."""
    if faults.leak is None:
        return 0
    return min(blocks - 1, int(blocks * faults.leak.kv * age / 60))
