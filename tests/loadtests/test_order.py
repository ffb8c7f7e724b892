"""The request on the wire is what the arrival asks for, to the token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loadtests.arrivals.arrival import Arrival
from loadtests.order import Order, Writer

ORDER = Order(service="chat", model='odd "model"', url="http://127.0.0.1:80", rate=1.0)
WRITER = Writer(ORDER, longest=20_000)


def arrival(prompt: int = 5, output: int = 7, session: str = "s-1") -> Arrival:
    return Arrival(0.0, prompt, output, session, "u-1", "r-1")


def parts(request: bytes) -> tuple[str, dict[str, str], dict[str, Any]]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), json.loads(body)


def test_a_request_says_who_asks_and_for_how_much() -> None:
    """Headers for the assignment to arms, a body that makes the server generate exactly the trace's count."""
    first, headers, body = parts(WRITER.write(arrival()))
    assert first == "POST /v1/chat/completions HTTP/1.1"
    assert headers["Host"] == "127.0.0.1:80"
    assert (headers["x-request-id"], headers["x-session-id"], headers["x-user-id"]) == ("r-1", "s-1", "u-1")
    assert headers["x-ops-class"] == "user"
    assert body.pop("messages")[0]["role"] == "user"
    assert body == {
        "model": 'odd "model"',
        "max_tokens": 7,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@given(prompt=st.integers(1, 20_000), session=st.integers())
def test_a_prompt_has_one_word_per_token(prompt: int, session: int) -> None:
    """By words and by four characters a token; and the length of the body is what the head says."""
    request = WRITER.write(arrival(prompt, session=f"s-{session}"))
    _, headers, body = parts(request)
    text = body["messages"][0]["content"]
    assert len(text.split(" ")) == prompt == (len(text) + 1) // 4
    assert int(headers["Content-Length"]) == len(request.partition(b"\r\n\r\n")[2])


def test_sessions_share_no_prefix() -> None:
    """Sixteen tokens are vLLM's block: a shared one would be a cache hit that real users would not have."""
    assert len({WRITER.prompt(arrival(16, session=f"s-{number}")) for number in range(2000)}) == 2000


def test_a_session_keeps_its_prompt() -> None:
    """The same in every process, so that a run can be repeated."""
    assert WRITER.prompt(arrival(50)) == Writer(ORDER, longest=60).prompt(arrival(50))


@pytest.mark.parametrize(
    "wrong",
    [{"rate": 0}, {"rate": float("inf")}, {"duration": 0}, {"url": "https://x"}, {"url": "http://x/v1"}, {"speed": 1}],
    ids=str,
)
def test_an_order_that_cannot_be_carried_out_is_refused(wrong: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(ValidationError):
        Order.model_validate({**ORDER.model_dump(), **wrong})
