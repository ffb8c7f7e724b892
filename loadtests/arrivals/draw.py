"""Numbers by chance that depend on a text alone: the same on every machine and in every process. Pure.

The bits are blake2b's, and what is made of them is written here, because a library may change how it makes them.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import count
from math import cos, exp, log, pi, sqrt
from struct import unpack

BITS = 53  # of a float's mantissa


class Draw:
    """A stream of numbers that the text decides; two texts have nothing to do with each other."""

    def __init__(self, text: str) -> None:
        self._key = blake2b(text.encode(), digest_size=32).digest()
        self._blocks = count()
        self._ready: list[int] = []

    def uniform(self) -> float:
        """Between 0 and 1, never one of them."""
        if not self._ready:
            block = next(self._blocks).to_bytes(8, "big")
            self._ready = list(unpack(">8Q", blake2b(block, key=self._key, digest_size=64).digest()))
        return ((self._ready.pop() >> (64 - BITS)) + 0.5) / (1 << BITS)

    def normal(self) -> float:
        """Standard normal (Box and Muller, 1958)."""
        return sqrt(-2 * log(self.uniform())) * cos(2 * pi * self.uniform())

    def gamma(self, shape: float) -> float:
        """Gamma with scale 1 (Marsaglia and Tsang, 2000); a shape below 1 by one more power."""
        if shape < 1:
            return self.gamma(shape + 1) * exp(log(self.uniform()) / shape)
        part = shape - 1 / 3
        while True:
            normal = self.normal()
            cube = (1 + normal / (3 * sqrt(part))) ** 3
            if cube > 0 and log(self.uniform()) < normal**2 / 2 + part * (1 - cube + log(cube)):
                return part * cube

    def gap(self, cv: float) -> float:
        """A gap of mean 1 and that coefficient of variation: none for 0, exponential for 1."""
        if cv == 0:
            return 1.0
        return -log(self.uniform()) if cv == 1 else self.gamma(cv**-2) * cv**2

    def wait(self, cv: float) -> float:
        """The time to the first one, seen from any moment: what is left of a gap that the moment lies in.

        Long gaps hold more moments, so that gap is drawn in proportion to its length. With a whole gap instead, a run
        would have (cv**2 - 1) / 2 requests too many.
        """
        if cv == 0:
            return 0.0
        return -log(self.uniform()) if cv == 1 else self.uniform() * self.gamma(cv**-2 + 1) * cv**2
