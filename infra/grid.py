"""Time in blocks, on one grid for all: where evidence is merged, and where users are drawn anew. Pure.

Users keep their arm for a block. Only when the judge's blocks begin and end where the draw changes are they independent
of each other, so both ask here, and nobody has to remember or hand over where the grid began.
"""

from __future__ import annotations

import math

SLACK = 1e-6  # of a block: a time on the grid that rounding moved is still on it


def looks(block: float, look: float) -> int:
    """How many looks make a block of at least `block` seconds."""
    return max(1, math.ceil(block / look - 1e-9))  # a tenth is no whole number of hundredths


def number(at: float, block: float, look: float) -> int:
    """The number of the block that `at` (Unix seconds) lies in."""
    return math.floor(at / _length(block, look) + SLACK)


def begin(at: float, block: float, look: float) -> float:
    """The first beginning of a block at or after `at` (Unix seconds)."""
    length = _length(block, look)
    return math.ceil(at / length - SLACK) * length


def _length(block: float, look: float) -> float:
    return looks(block, look) * look
