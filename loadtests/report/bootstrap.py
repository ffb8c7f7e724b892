"""How sure the ratio of two runs' quantiles is, by a block bootstrap over their slots. Pure: no chance in it.

Slots are drawn in blocks, because a queue remembers: neighbouring seconds are alike (Künsch 1989, moving blocks). The
draws come from a fixed seed, so that the same two runs always get the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from loadtests.report import block
from loadtests.report.histogram import GROWTH

DRAWS = 1000  # the standard error that is taken of them is then within 2.2 % (1 / sqrt(2 * 1000))
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """What B is to A: the estimate and its confidence interval."""

    estimate: float
    low: float
    high: float


def ratio(a: Sequence[Counter[int]], b: Sequence[Counter[int]], q: float, alpha: float) -> Effect:
    """The quantile `q` of B divided by that of A; each a sequence of slots of buckets, none of them empty."""
    first, second = _quantiles(a, q, 1), _quantiles(b, q, 2)
    found = _effect(second[1] - first[1], second[0] - first[0], min(len(a), len(b)), alpha)
    return Effect(*(float(np.exp(value * GROWTH)) for value in (found.estimate, found.low, found.high)))


def _effect(drawn: Floats, estimate: float, slots: int, alpha: float) -> Effect:
    """The estimate and so many standard errors around it as Student's t says for the blocks of the shorter run.

    Blocks, not draws, are what was observed: of eight of them the ends of the draws themselves would be too near.
    """
    blocks = block.number(slots)
    half = block.width(blocks, alpha) * float(np.std(drawn)) * (blocks / max(1, blocks - 1)) ** 0.5
    return Effect(estimate, estimate - half, estimate + half)


def _quantiles(slots: Sequence[Counter[int]], q: float, stream: int) -> tuple[float, Floats]:
    """The quantile as a place on the scale of buckets, of all slots and of each draw; inside a bucket evenly spread."""
    buckets = np.array(sorted(set().union(*slots)))
    table = np.array([[slot[bucket] for bucket in buckets] for slot in slots], dtype=np.float64)
    weights = np.vstack([np.ones(len(slots)), _weights(len(slots), stream)])
    below = np.cumsum(weights @ table, axis=1)
    wanted = q * below[:, -1:]
    place = np.argmax(below >= wanted, axis=1)
    rows = np.arange(len(below))
    before = np.where(place > 0, below[rows, place - 1], 0.0)
    inside = (wanted[:, 0] - before) / np.maximum(below[rows, place] - before, 1e-12)
    found = buckets[place] + inside
    return float(found[0]), found[1:]


@cache
def _weights(count: int, stream: int) -> Floats:
    """How often each slot is in each draw: blocks of slots from a ring, so that each is as likely."""
    length, blocks = block.length(count), block.number(count)
    starts = Generator(PCG64(stream)).integers(0, count, size=(DRAWS, blocks))
    places: Any = (starts[:, :, None] + np.arange(length)) % count
    flat = places.reshape(DRAWS, -1)[:, :count] + count * np.arange(DRAWS)[:, None]
    return np.bincount(flat.ravel(), minlength=DRAWS * count).reshape(DRAWS, count).astype(np.float64)
