"""How a command with a verdict ends. Prints nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import GateFailed, Inconclusive, Interrupted

if TYPE_CHECKING:
    from cli.rollouts.ruling import Ruling
    from loadtests.report.run_file import Run


def end(run: Run, ruling: Ruling, *, says: str, broken: str, more: str) -> None:
    """Raises what the verdict ends with; `says` is what a load that was stopped says nothing of, `more` would tell."""
    if run.report.interrupted:
        raise Interrupted(f"the load was stopped before its time; it says nothing of {says}")
    if ruling.verdict == "fail":
        raise GateFailed(f"{broken}: {ruling.why}")
    if ruling.verdict == "cannot tell":
        raise Inconclusive(f"it cannot be told: {ruling.why}", next=more)
