"""What the judge says of a canary, and the evidence that it rests on. Pure values; the judge fills them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cli.rollouts.evidence import Count
from cli.rollouts.plan import Signal

BAKE_SHARE = 0.1  # of alpha, kept for the bake; the ladder has the rest


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one signal. `harm` is an e-value; both bounds hold at the plan's confidence at every look."""

    signal: Signal
    canary: Count
    baseline: Count
    harm: float
    ratio_bound: float  # this canary/baseline and all above are excluded; infinite where none is
    rate_bound: float  # this own rate of the canary and all above are excluded; 1 where none is
    passed: bool

    @property
    def excluded(self) -> str:
        """The effect that is excluded, as it proves the tolerance: `errors above x4.2`; empty where none is."""
        if math.isfinite(self.ratio_bound) and (self.ratio_bound <= self.signal.ratio or not self.passed):
            return f"{self.signal.name} above x{self.ratio_bound:.3g}"
        return f"{self.signal.name} above {self.rate_bound:.2%} of responses" if self.rate_bound < 1.0 else ""


@dataclass(frozen=True, slots=True)
class Pass:
    """Every gate signal is proven within its tolerance."""

    evidence: tuple[Evidence, ...]
    e_value: float


@dataclass(frozen=True, slots=True)
class Fail:
    """The canary is worse: an e-value reached 1/alpha."""

    reason: str
    evidence: tuple[Evidence, ...]
    e_value: float


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """Neither is proven; `reason` says what is missing. Never promotes and never rolls back by itself."""

    reason: str
    evidence: tuple[Evidence, ...]
    e_value: float
    blind: bool = False  # there is no sound look now, whatever was seen before


Verdict = Pass | Fail | Inconclusive
