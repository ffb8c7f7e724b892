"""One word for how a request ended: ok only when everything was there."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from loadtests.wire.outcome import Broken, Outcome, Seen, judge

WHOLE: dict[str, Any] = {"status": 200, "finish": True, "done": True}

CASES = {
    "a whole answer": (Seen(**WHOLE), Outcome.OK),
    "a whole answer, then a reset": (Seen(**WHOLE, broken=Broken.RESET), Outcome.OK),
    "no [DONE]": (Seen(status=200, finish=True), Outcome.ENDED_EARLY),
    "no finish reason": (Seen(status=200, done=True), Outcome.ENDED_EARLY),
    "neither": (Seen(status=200), Outcome.ENDED_EARLY),
    "an error in the stream": (Seen(status=200, error=True), Outcome.IN_STREAM_ERROR),
    "an error in the stream, then [DONE]": (Seen(**WHOLE, error=True), Outcome.IN_STREAM_ERROR),
    "an error in the stream, then a reset": (
        Seen(status=200, error=True, broken=Broken.RESET),
        Outcome.IN_STREAM_ERROR,
    ),
    "nonsense in the stream": (Seen(**WHOLE, malformed=True), Outcome.MALFORMED),
    "not a stream": (Seen(status=200, stream=False), Outcome.MALFORMED),
    "a redirect": (Seen(status=302, stream=False), Outcome.MALFORMED),
    "not HTTP": (Seen(malformed=True), Outcome.MALFORMED),
    "429": (Seen(status=429, stream=False), Outcome.HTTP_429),
    "400": (Seen(status=400, stream=False), Outcome.HTTP_4XX),
    "499": (Seen(status=499), Outcome.HTTP_4XX),
    "500": (Seen(status=500), Outcome.HTTP_5XX),
    "503, then a reset": (Seen(status=503, broken=Broken.RESET), Outcome.HTTP_5XX),
    "refused": (Seen(broken=Broken.REFUSED), Outcome.REFUSED),
    "reset before an answer": (Seen(broken=Broken.RESET), Outcome.RESET),
    "reset in the middle": (Seen(status=200, broken=Broken.RESET), Outcome.RESET),
    "too slow": (Seen(status=200, broken=Broken.TIMEOUT), Outcome.TIMEOUT),
}


@pytest.mark.parametrize(("seen", "outcome"), CASES.values(), ids=CASES.keys())
def test_a_request_has_the_outcome_of_what_was_seen(seen: Seen, outcome: Outcome) -> None:
    """Each way a request can end."""
    assert judge(seen) is outcome


def test_nothing_but_a_whole_answer_is_ok() -> None:
    """Over every combination there is."""
    either = [True, False]
    statuses = [None, 200, 302, 429, 500]
    for status, stream, finish, done, (error, malformed, broken) in product(
        statuses, either, either, either, product(either, either, Broken)
    ):
        seen = Seen(status, stream, finish, done, error, malformed, broken)
        whole = status == 200 and stream and finish and done and not error and not malformed
        assert (judge(seen) is Outcome.OK) == whole
