"""Whether the client can be believed: VALID, DEGRADED or INVALID, with reasons in words and numbers. Pure.

A client that is the bottleneck does not fail: it reports its own delays as the server's. An INVALID run is no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """VALID: the client added nothing of note. DEGRADED: read the reasons. INVALID: these are the client's figures."""

    VALID = "VALID"
    DEGRADED = "DEGRADED"
    INVALID = "INVALID"


@dataclass(frozen=True, slots=True)
class Vitals:
    """What was measured of the client; seconds at p99, shares of a core; None where nothing was measured."""

    send_lag: float | None = None  # a request was sent this long after it was due
    loop_lag: float | None = None  # the event loop ran something this long after it was due
    receive_delay: float | None = None  # something had come for this long when it was read
    cpu: float = 0.0  # of the busiest process, over its whole run
    cpu_peak: float = 0.0  # in the busiest tenth of all seconds
    busy: float = 0.0  # all cores of this machine
    merged: float = 0.0  # the share of token events that were read so late that they have no time of their own
    kernel: bool = True  # whether token times are the kernel's, so that a late read alone moves none


@dataclass(frozen=True, slots=True)
class Limit:
    """Above `degraded` the figure is to be read with care, above `invalid` not at all; `what` has a place for it."""

    of: str
    degraded: float
    invalid: float
    what: str


NEVER = float("inf")

# Send lag moves arrivals, not latencies: above 10 ms at p99 bursts of the profile are blunted by a tenth of a second's
# bucket; above 100 ms the profile is no longer what was sent. CPU: a gevent loop is one server in a queue; at 70 % busy
# an event waits for two others on average (M/M/1: rho / (1 - rho)), at 90 % for nine, and the wait has no bound near 1.
# A machine that is 70 % busy slows servers that share it; that is no fault of the client, so it never makes INVALID.
COMMON = (
    Limit("send_lag", 0.010, 0.100, "1 % of the requests were sent more than {ms:.0f} ms late"),
    Limit("cpu", 0.70, 0.90, "the client's one core was {value:.0%} busy"),
    Limit("cpu_peak", 0.90, NEVER, "the client's one core was {value:.0%} busy in a tenth of all seconds"),
    Limit("busy", 0.70, NEVER, "this machine's cores were {value:.0%} busy; servers that share them are slower"),
    # Events of a stream that lie in the kernel together have one time: of two gaps one is lost and the other has both.
    # At 1 % of them p99 is made by the client; half of that is the most that can be borne.
    Limit("merged", 0.001, 0.005, "{value:.1%} of the token events were read so late that others came meanwhile"),
)
# With kernel times a late read moves no figure otherwise, until what has come fills the socket's buffer (about 200 kB)
# and holds the server back: 250 ms at 64 streams of 10 ms and 200 bytes is a fifth of that.
KERNEL = (
    Limit("loop_lag", 0.050, 0.500, "the client's event loop was more than {ms:.0f} ms late in 1 % of its turns"),
    Limit("receive_delay", 0.100, 1.0, "1 % of the responses lay unread for more than {ms:.0f} ms"),
)
# Without them every late read is a later token: 2 ms is a fifth of a gap of 10 ms, and 10 ms is all of it.
READ = (Limit("loop_lag", 0.002, 0.010, "token times are our reads', and the loop was more than {ms:.1f} ms late"),)


def judge(vitals: Vitals) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and every reason for it that is worse than VALID."""
    worst, reasons = Verdict.VALID, list[str]()
    for limit in (*COMMON, *(KERNEL if vitals.kernel else READ)):
        value = getattr(vitals, limit.of)
        found = _grade(value, limit)
        if value is None or found is Verdict.VALID:
            continue
        reasons.append(limit.what.format(value=value, ms=1000 * value))
        worst = max(worst, found, key=list(Verdict).index)
    return worst, tuple(reasons)


def _grade(value: float | None, limit: Limit) -> Verdict:
    if value is None or value <= limit.degraded:
        return Verdict.VALID
    return Verdict.INVALID if value > limit.invalid else Verdict.DEGRADED
