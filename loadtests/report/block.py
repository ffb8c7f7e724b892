"""Blocks of consecutive slots: what is observed as often as there are blocks, because a queue remembers. Pure.

Neighbouring seconds are alike, blocks of several of them hardly: their spread is what intervals are made of (batch
means). How much wider few of them make an interval, Student's t says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import TypeVar

from scipy.special import stdtrit

FEWEST = 5  # blocks: the spread between fewer is itself not known
USUAL = 10  # blocks that there are at least, where there are so many slots

T = TypeVar("T")


def length(count: int) -> int:
    """Slots in a block: the square root of all, as batch means want it, but so that `USUAL` blocks are left."""
    return max(1, min(round(math.sqrt(count)), count // USUAL))


def number(count: int) -> int:
    """Blocks of so many slots; the last may be shorter."""
    return -(-count // length(count)) if count else 0


def blocks(slots: Sequence[T]) -> list[list[T]]:
    """The slots in blocks."""
    size, rest = length(len(slots)), iter(slots)
    return [list(islice(rest, size)) for _ in range(number(len(slots)))]


def width(count: int, alpha: float) -> float:
    """Standard errors on each side of an estimate from so many blocks, for an interval that misses `alpha` times."""
    return float(stdtrit(max(1, count - 1), 1 - alpha / 2))
