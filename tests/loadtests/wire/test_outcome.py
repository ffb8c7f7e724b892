"""One word for how a request ended: ok only when everything was there."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from loadtests.wire.outcome import (
    ENDED_EARLY,
    IN_STREAM_ERROR,
    MALFORMED,
    OK,
    REFUSED,
    RESET,
    TIMEOUT_CONNECT,
    TIMEOUT_GAP,
    TIMEOUT_TOTAL,
    WORDS,
    Seen,
    http,
    is_outcome,
    judge,
)

WHOLE: dict[str, Any] = {"status": 200, "finish": True, "done": True}

CASES = {
    "a whole answer": (Seen(**WHOLE), OK),
    "a whole answer, then a reset": (Seen(**WHOLE, broken=RESET), OK),
    "a whole answer of one piece": (Seen(status=200, stream=False, whole=True), OK),
    "no [DONE]": (Seen(status=200, finish=True), ENDED_EARLY),
    "no finish reason": (Seen(status=200, done=True), ENDED_EARLY),
    "neither": (Seen(status=200), ENDED_EARLY),
    "no [DONE] in time": (Seen(status=200, finish=True, broken=TIMEOUT_GAP), TIMEOUT_GAP),
    "an error in the stream": (Seen(status=200, error=True), IN_STREAM_ERROR),
    "an error in the stream, then [DONE]": (Seen(**WHOLE, error=True), IN_STREAM_ERROR),
    "an error in the stream, then a reset": (Seen(status=200, error=True, broken=RESET), IN_STREAM_ERROR),
    "nonsense in the stream": (Seen(**WHOLE, malformed=True), MALFORMED),
    "not a stream": (Seen(status=200, stream=False), MALFORMED),
    "a success of another kind": (Seen(status=204), MALFORMED),
    "not HTTP": (Seen(malformed=True), MALFORMED),
    "a redirect": (Seen(status=302, stream=False), http(302)),
    "429": (Seen(status=429, stream=False), http(429)),
    "499": (Seen(status=499), http(499)),
    "503, then a reset": (Seen(status=503, broken=RESET), http(503)),
    "refused": (Seen(broken=REFUSED), REFUSED),
    "no connection in time": (Seen(broken=TIMEOUT_CONNECT), TIMEOUT_CONNECT),
    "reset before an answer": (Seen(broken=RESET), RESET),
    "reset in the middle": (Seen(status=200, broken=RESET), RESET),
    "too slow": (Seen(status=200, broken=TIMEOUT_TOTAL), TIMEOUT_TOTAL),
}


@pytest.mark.parametrize(("seen", "word"), CASES.values(), ids=CASES.keys())
def test_a_request_has_the_outcome_of_what_was_seen(seen: Seen, word: str) -> None:
    """Each way a request can end."""
    assert judge(seen) == word


def test_nothing_but_a_whole_answer_is_ok() -> None:
    """Over every combination there is."""
    either = [True, False]
    for status, stream, finish, done, (error, malformed, whole, broken) in product(
        [None, 200, 204, 302, 429, 500], either, either, either, product(either, either, either, [None, RESET])
    ):
        seen = Seen(status, stream, finish, done, whole, error, malformed, broken)
        right = status == 200 and ((stream and finish and done) or whole) and not error and not malformed
        assert (judge(seen) == OK) == right
        assert is_outcome(judge(seen))


@pytest.mark.parametrize("text", [*WORDS, "http_429", "http_100", "http_599"])
def test_words_are_known(text: str) -> None:
    """For labels and files that come back."""
    assert is_outcome(text)


@pytest.mark.parametrize("text", ["", "okay", "timeout", "http_", "http_4xx", "http_42", "http_4290", "http_099"])
def test_other_text_is_no_word(text: str) -> None:
    """Among it words of old."""
    assert not is_outcome(text)
