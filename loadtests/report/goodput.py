"""Goodput: the share of all sent requests that were ok and kept every threshold of the SLO. Pure; the one place for it.

Sent and not done, failed and refused requests are sent requests: none of them is good.
"""

from __future__ import annotations

from typing import Protocol

from loadtests.wire.outcome import OK
from loadtests.wire.sample import Sample


class Thresholds(Protocol):
    """Seconds that a request may take; None is no threshold (loadtests/order.py has the model)."""

    @property
    def ttft(self) -> float | None:
        """To the first token."""

    @property
    def itl(self) -> float | None:
        """Between tokens, the mean of the request."""

    @property
    def e2e(self) -> float | None:
        """To the last token."""


def good(sample: Sample, slo: Thresholds | None) -> bool:
    """Whether a request counts as goodput; without an SLO every ok one does."""
    if sample.outcome != OK:
        return False
    if slo is None:
        return True
    return _kept(sample.ttft, slo.ttft) and _kept(mean_itl(sample), slo.itl) and _kept(sample.e2e, slo.e2e)


def mean_itl(sample: Sample) -> float | None:
    """The mean time between tokens of one request, or None where it had fewer than two.

    By tokens and not by events: an engine that sends sixteen tokens in one event is not sixteen times as slow.
    """
    if sample.tpot is not None:
        return sample.tpot
    return sum(sample.gaps) / len(sample.gaps) if sample.gaps else None


def _kept(value: float | None, most: float | None) -> bool:
    """A moment that an answer does not have (the gaps of one token) breaks no promise."""
    return value is None or most is None or value <= most
