"""Why a stack was not finished, in plain words, and what to do next: each failure has a class. Pure: text in, text out.

The classes are those of a deployment that stopped in the middle: retry, converge (look, then the same again), import,
cancel, restore; and three for people: elsewhere (no capacity or quota here), mend (the input is wrong), gate (the
program itself refused: preflight, residency, a file that is not valid).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Class = Literal["retry", "converge", "import", "cancel", "restore", "elsewhere", "mend", "gate", "interrupted"]


@dataclass(frozen=True, slots=True)
class Failed:
    """One resource (or the stack itself: `name` is empty) that could not be brought to what it should be."""

    type: str
    name: str
    message: str
    given: Class | None = None  # where the engine itself says which class it is

    @property
    def kind(self) -> Class:
        """Its class."""
        return self.given or classify(self.message).kind

    @property
    def words(self) -> str:
        """What it means, in plain words."""
        return GIVEN.get(self.kind, "") if self.given else classify(self.message).words

    @property
    def title(self) -> str:
        """ManagedCluster aks-demo-eus2-001"""
        return f"{self.type.rpartition(':')[2]} {self.name}" if self.name else "the stack"


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to fail: how it is recognised, what it means, and which class it has."""

    pattern: str
    kind: Class
    words: str


# The codes are those of the Azure Resource Manager and of its providers: learn.microsoft.com, "Troubleshoot common
# Azure deployment errors", "Throttling Resource Manager requests"; locks, state, pending operations are Pulumi's own.
KINDS = (
    Kind(r"currently locked by|ConflictingUpdate|stack is locked", "cancel", "another update holds the stack's lock"),
    Kind(
        r"snapshot integrity|could not deserialize deployment|failed to load checkpoint|unmarshalling checkpoint",
        "restore",
        "the stack's state cannot be read",
    ),
    Kind(
        r"update cancelled|update canceled|cancellation|signal: (interrupt|terminated)",
        "interrupted",
        "it was stopped while it worked",
    ),
    Kind(
        r"already exists|ResourceAlreadyExists|cannot create already existing",
        "import",
        "it is there already, and the stack's state does not know it",
    ),
    Kind(
        r"QuotaExceeded|InsufficientVCPUQuota|exceed(s|ing) approved (\w+ ){0,4}quota",
        "elsewhere",
        "the subscription's quota is not enough for it",
    ),
    Kind(
        r"AllocationFailed|OverconstrainedAllocation|OverconstrainedZonal|CapacityNotAvailable|SkuNotAvailable",
        "elsewhere",
        "Azure has no machines of that size there now",
    ),
    Kind(
        r"\b429\b|TooManyRequests|SubscriptionRequestsThrottled|OperationNotAllowed|AnotherOperationInProgress"
        r"|RetryableError|InProgress|\b50[234]\b|ServiceUnavailable",
        "retry",
        "Azure was busy with it, or asked us to come back later",
    ),
    Kind(
        r"\b500\b|InternalServerError|timed? ?out|deadline exceeded|connection (reset|refused)|EOF|plugin .* exited"
        r"|could not \w+ plugin|the engine was killed"
        r"|transport|Unavailable|pending operations",
        "converge",
        "no answer came, so whether it was done is not known",
    ),
    Kind(r"ConversionNotAllowed|DowngradeNotAllowed|downgrad", "mend", "Azure does not take that back by an update"),
    Kind(r"AuthorizationFailed|\b403\b|\b401\b", "mend", "whoever runs this may not do that"),
)
OTHER = Kind("", "mend", "Azure refused it")
GIVEN: dict[Class, str] = {
    "gate": "its program refused before anything was registered",
    "interrupted": "it was stopped while it worked",
    "cancel": "another update holds the stack's lock",
    "converge": "it was made by a try that did not hear so, and is taken in now",
}
AGAIN: frozenset[Class] = frozenset({"retry", "converge", "interrupted"})
"""Classes in which the same command is right, since every one looks first."""


def classify(message: str) -> Kind:
    """What kind of failure a message of Azure or of the engine tells of."""
    return next((kind for kind in KINDS if re.search(kind.pattern, message, re.IGNORECASE)), OTHER)


def said(message: str) -> str:
    """What Azure said, without the wrapping of the engine: one line."""
    inner = re.search(r'Message="((?:[^"\\]|\\.)*)"', message)
    text = inner[1].replace('\\"', '"') if inner else message
    text = re.sub(r"^.*?\berror: |^\s*\d+ errors? occurred:\s*\*?\s*", "", text.strip(), flags=re.DOTALL)
    return " ".join(text.split())


def told(failed: Failed) -> list[str]:
    """What failed and why: one line, but what a program refused is told as it told it, without its own advice."""
    head = f"{failed.title}: {failed.words}:"
    if failed.given != "gate":
        return [f"{head} {said(failed.message)}"]
    own = re.split(r"\n\s*not done: ", failed.message.strip())[0]
    return [head, *(f"  {line}" for line in own.splitlines() if line.strip())]


def advice(failed: Failed, kind: str, region: str | None, emulated: bool = False) -> str:
    """The next command for a failure in a stack of this `kind` (base, region, platform, edge)."""
    where = " --emulated" if emulated else ""
    place = f" --region {region}{where}" if region else where
    stack = f"--stack {kind}{place}"
    match failed.kind:
        case "cancel":
            return f"when nobody else works on it: ops fleet recover cancel {stack}"
        case "restore":
            return f"ops fleet recover restore {stack}"
        case "import":
            return f"ops fleet recover look {stack}, then ops fleet up{place}"
        case "elsewhere":
            fits = "ops fleet preflight names what would fit"
            return f"{fits}; change the pool in the fleet file, then ops fleet up{where}"
        case "gate":
            return f"ops fleet preflight and ops fleet residency show all of it; then ops fleet up{place}"
        case "mend":
            return f"mend the fleet file, then ops fleet up{place}; what was made stays and is not made twice"
        case _:
            return f"ops fleet up{place}, which looks first and goes on from there"
