"""A load as its journal tells it: what was to be sent, what came of it, how it ended. Pure: events in, a value out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from runbooks.journal import Event


@dataclass(frozen=True, slots=True)
class Past:
    """One load. `how` is empty while its journal has no end: it is under way, or was killed.

    `orders` are what was to be sent, `sent` what came of each part, `files` where the run was kept.
    """

    run: str
    command: str
    actor: str
    began: datetime
    orders: tuple[dict[str, Any], ...]
    sent: tuple[dict[str, Any], ...] = ()
    files: tuple[str, ...] = ()
    ended: datetime | None = None
    how: str = ""
    why: str = ""
    verdict: str | None = None
    reasons: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """What was pressed."""
        return str(self.orders[0]["service"])

    @property
    def regions(self) -> tuple[str, ...]:
        """Where; empty for an endpoint that is in none."""
        return tuple(sorted({str(order["region"]) for order in self.orders} - {""}))

    @property
    def requests(self) -> int:
        """How many were sent."""
        return sum(int(part["arrivals"]["sent"]) for part in self.sent)

    @property
    def ttft_p99(self) -> float | None:
        """Of the last part that was sent; seconds."""
        return self.sent[-1]["metrics"]["ttft"]["p99"] if self.sent else None

    @property
    def client(self) -> str:
        """The worst that the client was in any part; empty where nothing was sent."""
        return max((str(part["client"]["verdict"]) for part in self.sent), key=GRADES.index, default="")


GRADES = ("VALID", "DEGRADED", "INVALID")  # what loadtests/report/verdict.py says, the worst last


def replay(run: str, events: Iterable[Event]) -> Past | None:
    """The load after these events; None where it was not begun. Raises KeyError and TypeError for another's events."""
    past: Past | None = None
    for event in events:
        past = _begun(run, event) if past is None else _after(past, event)
    return past


def to_json(past: Past, state: str) -> dict[str, Any]:
    """JSON values; `state` says how it ended or that it did not."""
    return {
        "run": past.run,
        "command": past.command,
        "actor": past.actor,
        "service": past.service,
        "regions": list(past.regions),
        "began": _utc(past.began),
        "ended": _utc(past.ended) if past.ended else None,
        "state": state,
        "why": past.why,
        "verdict": past.verdict,
        "reasons": list(past.reasons),
        "requests": past.requests,
        "files": list(past.files),
        "orders": list(past.orders),
        "sent": list(past.sent),
    }


def _begun(run: str, event: Event) -> Past:
    if event.kind != "begin":
        raise KeyError(f"it begins with {event.kind}")
    return Past(run, event.payload["command"], event.actor, event.at, tuple(event.payload["orders"]))


def _after(past: Past, event: Event) -> Past:
    told = event.payload
    match event.kind:
        case "sent":
            return replace(past, sent=(*past.sent, dict(told)))
        case "kept":
            return replace(past, files=(*past.files, *told["files"]))
        case "end":
            verdict, reasons = told["verdict"], tuple(told["reasons"])
            return replace(past, ended=event.at, how=told["how"], why=told["why"], verdict=verdict, reasons=reasons)
        case _:
            raise KeyError(f"it holds {event.kind}")


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
