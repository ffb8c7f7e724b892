"""How long to wait before a request that was refused with HTTP 429 is sent again. Pure: is told what time it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

DATE = "%a, %d %b %Y %H:%M:%S GMT"  # the one form of a date that servers may still write (RFC 9110, 5.6.7)
PAUSE = 0.5  # s before the first repetition where no time is named or none is to be listened to; then twice that


def pause(header: Callable[[str], str], tries: int, now: float, *, respect: bool = True) -> float:
    """Seconds to wait after `tries` repetitions. `header` gives a response header's value, `now` is Unix time."""
    asked = _asked(header, now) if respect else None
    return PAUSE * 2.0**tries if asked is None else asked


def _asked(header: Callable[[str], str], now: float) -> float | None:
    """What the server says: Azure OpenAI in milliseconds too, HTTP in seconds or as a date (RFC 9110, 10.2.3)."""
    milliseconds, seconds = header("retry-after-ms"), header("retry-after")
    if milliseconds.isdecimal():
        return int(milliseconds) / 1000
    if seconds.isdecimal():
        return float(seconds)
    try:
        return max(0.0, datetime.strptime(seconds, DATE).replace(tzinfo=UTC).timestamp() - now)
    except ValueError:
        return None
