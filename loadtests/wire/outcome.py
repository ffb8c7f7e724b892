"""How a request ended, as one word. Pure: judges what was seen and times nothing.

The HTTP status alone lies: an engine that dies in the middle says so inside a stream whose status was 200.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

# Also the values of the label `outcome` of ops_load_requests_total. One word for each HTTP status makes it open-ended.
Outcome = NewType("Outcome", str)

OK = Outcome("ok")
IN_STREAM_ERROR = Outcome("in_stream_error")
ENDED_EARLY = Outcome("ended_early")
REFUSED = Outcome("refused")
RESET = Outcome("reset")
TIMEOUT_CONNECT = Outcome("timeout_connect")
TIMEOUT_FIRST_TOKEN = Outcome("timeout_first_token")
TIMEOUT_GAP = Outcome("timeout_gap")
TIMEOUT_TOTAL = Outcome("timeout_total")
MALFORMED = Outcome("malformed")

WORDS = (
    *(OK, IN_STREAM_ERROR, ENDED_EARLY, REFUSED, RESET),
    *(TIMEOUT_CONNECT, TIMEOUT_FIRST_TOKEN, TIMEOUT_GAP, TIMEOUT_TOTAL, MALFORMED),
)
ALWAYS = OK, ENDED_EARLY  # exported from 0: a judge that looks for their increase must have seen them before
HTTP = re.compile(r"http_[1-9][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client saw of one response.

    `stream` is whether it was a text/event-stream; `whole` whether it was a whole JSON answer where one was asked for;
    `broken` how the connection failed, if it did: refused, reset or a timeout.
    """

    status: int | None = None
    stream: bool = True
    finish: bool = False
    done: bool = False
    whole: bool = False
    error: bool = False
    malformed: bool = False
    broken: Outcome | None = None


def http(status: int) -> Outcome:
    """The word for a response whose status is no success: http_429, http_503."""
    return Outcome(f"http_{status}")


def is_outcome(text: str) -> bool:
    """Whether `text` is one of the words."""
    return text in WORDS or HTTP.fullmatch(text) is not None


def judge(seen: Seen) -> Outcome:
    """The outcome: ok only with finish reason and [DONE]. What the server said goes before how the connection ended."""
    match seen:
        case Seen(status=int(status)) if not 200 <= status < 300:
            return http(status)
        case Seen(error=True):
            return IN_STREAM_ERROR
        case Seen(malformed=True):
            return MALFORMED
        case Seen(status=200, stream=True, finish=True, done=True) | Seen(status=200, whole=True):
            return OK
        case _:
            return seen.broken or _ended(seen)


def _ended(seen: Seen) -> Outcome:
    """A clean end without all that an answer needs: cut short, or not an answer of this kind at all."""
    return ENDED_EARLY if seen.status == 200 and seen.stream else MALFORMED
