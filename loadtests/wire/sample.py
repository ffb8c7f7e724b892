"""One request that has ended, as a value: what became of it, and when what came. Pure.

docs/load.md has the definition of each time with its formula.
"""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.wire.outcome import Outcome

UNKNOWN = "unknown"  # the arm of a request that got no answer, or one without the header


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds; `due`, `sent` and `at` count from the start of the run, all others are durations.

    `sent` is when the first byte was handed to the kernel, of the last attempt where there were several; where no
    connection came to be, when the attempt began. `kernel` is whether token times are the kernel's receive times,
    `receive_delay` the worst time from there to our read, `merged` the token events that we read so late that they have
    no time of their own, `retry_wait` from the first attempt to the last.
    """

    outcome: Outcome
    arm: str
    release: str
    due: float
    sent: float
    total: float
    ttft: float | None = None
    tpot: float | None = None
    e2e: float | None = None
    gaps: tuple[float, ...] = ()
    tokens: int = 0
    prompt_tokens: int = 0
    events: int = 0
    received: int = 0
    receive_delay: float = 0.0
    merged: int = 0
    kernel: bool = False
    retries: int = 0
    retry_wait: float = 0.0
    connect: float = 0.0

    @property
    def at(self) -> float:
        """When it ended: for series over time."""
        return self.sent + self.total

    @property
    def lag(self) -> float:
        """How late the client was: neither what connecting took nor what a server asked to wait is the client's."""
        return self.sent - self.due - self.connect - self.retry_wait
