"""When the start of a region has failed, and what a person should read then. Decides; stops nothing."""

from __future__ import annotations

from collections.abc import Sequence

from infra.errors import OpsError, Unavailable
from infra.local.layout import Failure
from infra.local.process import Child, State, tail

LIMIT = 30.0  # seconds until a start that is not healthy has failed
FEW = 3  # early deaths after which a start has failed
TAIL = 8  # lines of the log that are told


class StartFailure(Unavailable):
    """A process of the region did not come up."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.process}: {failure.reason}")
        self.failure = failure


def failure(children: Sequence[Child], blocked: str, age: float) -> Failure | None:
    """Why the start has failed after `age` seconds, or None while it may still succeed."""
    if blocked:
        return Failure(process="supervisor", reason=blocked, next="ops release current")
    for child in children:
        if child.early_deaths >= FEW:
            return _of(child, f"ended {child.early_deaths} times with exit {child.last_exit}")
    return _late(children) if age > LIMIT else None


def why(error: OpsError) -> Failure:
    """What any error that ended the supervisor says in failure.json."""
    if isinstance(error, StartFailure):
        return error.failure
    return Failure(process="supervisor", reason=error.what, next=error.next)


def _late(children: Sequence[Child]) -> Failure:
    reason = f"not ready after {LIMIT:.0f} s"
    late = next((child for child in children if child.state is not State.READY), None)
    return _of(late, reason) if late else Failure(process="envoy", reason=f"it does not know the replicas, {reason}")


def _of(child: Child, reason: str) -> Failure:
    return Failure(process=child.program.name, reason=reason, tail=tuple(tail(child.program.log, TAIL)))
