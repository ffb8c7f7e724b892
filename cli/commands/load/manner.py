"""How the requests of a load are made: for whom, with which adapters, how long they may take. Reads options only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.commands.load.guard import NOT_STARTED
from infra.errors import InvalidInput

PHASES = ("connect", "first-token", "gap", "total")


@dataclass(frozen=True, slots=True)
class Manner:
    """What was said of it; None and empty are left as an order has them. `timeouts` in seconds by phase."""

    loras: tuple[str, ...] = ()
    users: int | None = None
    timeouts: dict[str, float] = field(default_factory=dict)
    retries: int = 0
    respect_retry_after: bool = True

    def asked(self) -> dict[str, Any]:
        """As an order has it."""
        return {
            "loras": self.loras,
            "timeouts": {phase.replace("-", "_"): seconds for phase, seconds in self.timeouts.items()},
            "retry": {"most": self.retries, "respect_retry_after": self.respect_retry_after},
            **({} if self.users is None else {"users": self.users}),
        }


def manner(
    loras: Sequence[str], users: int | None, timeouts: Sequence[str], retries: int, *, ignore_retry_after: bool
) -> Manner:
    """What the options say. Raises InvalidInput."""
    if any(not name.strip() for name in loras):
        raise InvalidInput("--lora: give the name of an adapter", not_done=NOT_STARTED)
    return Manner(tuple(loras), users, _timeouts(timeouts), retries, respect_retry_after=not ignore_retry_after)


def _timeouts(texts: Sequence[str]) -> dict[str, float]:
    """Seconds by phase."""
    from cli.commands.load.ordering import positive
    from infra.units import parse_duration

    found = dict[str, float]()
    for text in texts:
        phase, _, time = text.partition("=")
        if phase not in PHASES or not time:
            forms = f"write PHASE=TIME such as first-token=10s; the phases are {', '.join(PHASES)}"
            raise InvalidInput(f"--timeout: {text!r} is not understood; {forms}", not_done=NOT_STARTED)
        if phase in found:
            raise InvalidInput(f"--timeout: {phase} is said twice; leave one out", not_done=NOT_STARTED)
        found[phase] = positive(f"--timeout {phase}", time, parse_duration)
    return found
