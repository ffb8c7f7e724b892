"""What goes wrong in an emulated subscription, by plan: which mutating call meets which fault, each once. Pure.

Azure's own words for each fault are in learn.microsoft.com: "Resource Manager throttling" (429 with Retry-After),
"Asynchronous operations", and the AKS pages on OperationNotAllowed, AllocationFailed and
InsufficientVCPUQuota.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How a call fails, and what it leaves behind."""

    CONFLICT = "conflict"  # 409: another operation is in progress; no effect
    THROTTLED = "throttled"  # 429 with Retry-After; no effect
    INTERNAL = "internal"  # 500 after the effect: the resource is there, the answer is not
    TIMEOUT = "timeout"  # accepted and carried out, and nobody waited for the end
    ALLOCATION = "allocation"  # AllocationFailed: no capacity now; no effect
    QUOTA = "quota"  # ErrCode_InsufficientVCPUQuota; no effect
    CRASH = "crash"  # the provider's process dies after the effect


AFTER_EFFECT = frozenset({Kind.INTERNAL, Kind.TIMEOUT, Kind.CRASH})


@dataclass(frozen=True, slots=True)
class Answer:
    """What Azure says to a call that meets a fault."""

    status: int
    code: str
    message: str
    retry_after: float | None = None


ANSWERS: Mapping[Kind, Answer] = {
    Kind.CONFLICT: Answer(409, "AnotherOperationInProgress", "Another operation on this resource is in progress."),
    Kind.THROTTLED: Answer(429, "TooManyRequests", "The subscription has sent too many requests.", 5.0),
    Kind.INTERNAL: Answer(500, "InternalServerError", "The server could not complete the request."),
    Kind.TIMEOUT: Answer(504, "GatewayTimeout", "context deadline exceeded while waiting for the operation to end."),
    Kind.ALLOCATION: Answer(409, "AllocationFailed", "There is not enough capacity for the size in this zone."),
    Kind.QUOTA: Answer(400, "ErrCode_InsufficientVCPUQuota", "Insufficient vCPU quota left in the size's family."),
}
"""Kind -> answer; a crash has none."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It meets the call of number `at` (from 1, over the life of the subscription) or, where there is
    no number, the first call whose method and id match `match`, a regular expression such as "PUT .*agentPools"."""

    kind: Kind
    at: int = 0
    match: str = ""

    @property
    def key(self) -> str:
        """How the ledger remembers that it was met."""
        return f"{self.kind}@{self.at or self.match}"

    def meets(self, number: int, call: str) -> bool:
        """Whether the call of this number, such as "PUT /subscriptions/...", meets the fault."""
        return number == self.at if self.at else re.search(self.match, call) is not None


def due(plan: Collection[Fault], met: Collection[str], number: int, call: str) -> Fault | None:
    """The fault that a call meets: the first of the plan that was not met before."""
    return next((fault for fault in plan if fault.key not in met and fault.meets(number, call)), None)


def to_json(plan: Collection[Fault]) -> list[dict[str, Any]]:
    """A plan as it lies in a file."""
    return [{"kind": str(fault.kind), "at": fault.at, "match": fault.match} for fault in plan]


def from_json(rows: Collection[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """The plan of a file. Raises ValueError for a kind that there is not."""
    return tuple(Fault(Kind(row["kind"]), row.get("at", 0), row.get("match", "")) for row in rows)
