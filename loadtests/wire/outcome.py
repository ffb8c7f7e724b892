"""How a request ended, as one word of a fixed vocabulary. Pure: judges what was seen and times nothing.

The HTTP status alone lies: an engine that dies in the middle says so inside a stream whose status was 200.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The words; also the values of the label `outcome` of ops_load_requests_total."""

    OK = "ok"
    HTTP_429 = "http_429"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    IN_STREAM_ERROR = "in_stream_error"
    ENDED_EARLY = "ended_early"
    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"


class Broken(StrEnum):
    """How a connection failed, as far as it did."""

    NOT = "not"
    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client saw of one response. `stream` is whether it was a text/event-stream at all."""

    status: int | None = None
    stream: bool = True
    finish: bool = False
    done: bool = False
    error: bool = False
    malformed: bool = False
    broken: Broken = Broken.NOT


def judge(seen: Seen) -> Outcome:
    """The outcome: ok only with finish reason and [DONE]. What the server said goes before how the connection ended."""
    match seen:
        case Seen(status=int(status)) if status >= 400:
            return _http(status)
        case Seen(error=True):
            return Outcome.IN_STREAM_ERROR
        case Seen(malformed=True):
            return Outcome.MALFORMED
        case Seen(status=200, stream=True, finish=True, done=True):
            return Outcome.OK
        case Seen(broken=Broken.NOT):
            return _ended(seen)
        case _:
            return Outcome(seen.broken.value)


def _http(status: int) -> Outcome:
    if status == 429:
        return Outcome.HTTP_429
    return Outcome.HTTP_5XX if status >= 500 else Outcome.HTTP_4XX


def _ended(seen: Seen) -> Outcome:
    """A clean end without all that an answer needs: cut short, or not an answer of this kind at all."""
    return Outcome.ENDED_EARLY if seen.status == 200 and seen.stream else Outcome.MALFORMED
