"""What Azure answers when it refuses: status, code and message of ARM, and where that is written. Pure."""

from __future__ import annotations

from typing import Any

from infra.errors import Unavailable


class ArmError(Unavailable):
    """A refusal of the Azure Resource Manager or of a resource provider. `rule` is the id of the rule that refused."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        retry_after: float | None = None,
        link: str = "",
        rule: str = "",
    ) -> None:
        super().__init__(f"{code}: {message}", not_done="nothing was changed")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after  # seconds
        self.link = link
        self.rule = rule


class Unfinished(ArmError):
    """An operation that was accepted, and that nobody could wait for: what is there has the body `made`."""

    def __init__(self, error: ArmError, made: dict[str, Any]) -> None:
        super().__init__(error.status, error.code, error.message, error.retry_after)
        self.made = made


def refuse(code: str, message: str, status: int = 400, retry_after: float | None = None) -> ArmError:
    """A refusal as rules write it: code and message; 400 where nothing else is said."""
    return ArmError(status, code, message, retry_after)
