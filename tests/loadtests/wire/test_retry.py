"""A repetition waits as long as the server says, or twice as long each time."""

from __future__ import annotations

import pytest

from loadtests.wire.retry import pause

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110

SAID = {
    "seconds": ({"retry-after": "7"}, 7.0),
    "no seconds": ({"retry-after": "0"}, 0.0),
    "milliseconds": ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
    "a date": ({"retry-after": "Sun, 06 Nov 1994 08:49:40 GMT"}, 3.0),
    "a date that is past": ({"retry-after": "Sun, 06 Nov 1994 08:49:30 GMT"}, 0.0),
    "nonsense": ({"retry-after": "soon"}, 2.0),
    "nothing": ({}, 2.0),
}


@pytest.mark.parametrize(("headers", "seconds"), SAID.values(), ids=SAID.keys())
def test_the_server_says_how_long(headers: dict[str, str], seconds: float) -> None:
    """Two have been sent again already, for what names no time."""
    assert pause(lambda name: headers.get(name, ""), 2, NOW) == seconds


def test_who_does_not_listen_waits_twice_as_long_each_time() -> None:
    """From half a second."""
    waits = [pause(lambda name: "1", tries, NOW, respect=False) for tries in range(4)]
    assert waits == [0.5, 1.0, 2.0, 4.0]
