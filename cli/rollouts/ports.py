"""What the rollout loop needs of the world, each as small as its one caller. Adapters implement them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cli.rollouts.evidence import Look
from cli.rollouts.plan import Plan
from cli.rollouts.procedure import Press, Shift
from cli.rollouts.ruling import Ruling
from infra.errors import Locked


class Fenced(Locked):
    """Somebody holds a newer fencing token; nothing was changed."""


@dataclass(frozen=True, slots=True)
class World:
    """What a region does for a service, read back and never assumed. Weights in percent."""

    canary: float
    baseline: float
    slices: str | None  # the release that the canary slice runs, None when there are no slices
    slices_ready: bool
    open_requests: int  # requests under way on the canary slice
    stable: str
    stable_ready: bool
    unready: str = ""  # what keeps the slices from being ready, in words
    crashes: str = ""  # why the canary counts as crashing, where it does: its replicas die and the baseline's do not


class Traffic(Protocol):
    """Moves traffic between the arms of one service in one region."""

    def wish(self, shift: Shift, token: int, expiry: float) -> None:
        """Wish absolute weights, good for `expiry` seconds. Safe to repeat; Fenced for an older `token`."""

    def observe(self) -> World:
        """What is in force now. Raises Unavailable when it cannot be known."""


class Metrics(Protocol):
    """Counts what canary, baseline and stable answered."""

    def looks(self, plan: Plan, after: float, until: float, weight: float) -> tuple[Look, ...]:
        """One look for each grid time in (after, until], `plan.look` seconds apart. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a load on the canary came to: the ruling, and the facts that it was made of as JSON values."""

    ruling: Ruling
    facts: Mapping[str, Any]


class Loads(Protocol):
    """Sends the load of a plan's load stage to the canary alone; one at a time, beside the loop."""

    @property
    def under_way(self) -> bool:
        """Whether a load was begun here, and neither was its end told nor was it stopped."""

    def begin(self, plan: Plan, press: Press) -> None:
        """Begin to send, and return at once."""

    def ended(self) -> Pressed | None:
        """What came of it, told once; None while it goes on. A client that died could not tell."""

    def stop(self) -> None:
        """Cut off what is under way: nothing of it counts. Safe to repeat."""


class Record(Protocol):
    """The release of record."""

    def read(self) -> str:
        """The release of record of the service in the region. Raises Unavailable when it cannot be read."""

    def set(self, release: str, run: str, expect: str) -> None:
        """Make `release` the one of record if it still is `expect`. Safe to repeat; raises Refused otherwise."""


class Lease(Protocol):
    """One writer per service and region."""

    def renew(self) -> int:
        """Keep the lease; returns the newest fencing token, for all that follows. Raises Locked when it is lost."""


class Clock(Protocol):
    """Time, so that a test of an hour takes a millisecond."""

    def now(self) -> float:
        """Unix seconds."""

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world of one rollout."""

    traffic: Traffic
    metrics: Metrics
    record: Record
    lease: Lease
    clock: Clock
    loads: Loads
