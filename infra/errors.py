"""Why a command cannot go on: one category per exit code of `ops`. Knows no codes and prints nothing."""

from __future__ import annotations


class OpsError(Exception):
    """Something a person must know: what happened, what was not done, and the next command."""

    def __init__(self, what: str, *, not_done: str = "", next: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.not_done = not_done
        self.next = next


class InvalidInput(OpsError):
    """Wrong usage, or an input file that is not valid."""


class GateFailed(OpsError):
    """A gate or check said no; whatever was changed for it is rolled back."""


class Refused(OpsError):
    """A guard rail refused, or a person answered no."""


class Inconclusive(OpsError):
    """The outcome is unknown or the evidence is inconclusive."""


class Unavailable(OpsError):
    """A dependency did not answer, or refused us."""


class Locked(OpsError):
    """Somebody else holds the lock; the message names owner, age and host."""


class Pending(OpsError):
    """Changes are pending."""


class DeadlinePassed(OpsError):
    """The time that was given is over and the work goes on elsewhere."""


class Interrupted(OpsError):
    """A person stopped it; it can be resumed."""
