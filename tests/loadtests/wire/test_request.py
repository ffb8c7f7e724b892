"""The request on the wire is what the arrival asks for, in the form that the API and the host take."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from loadtests.arrivals.arrival import Arrival
from loadtests.order import Order
from loadtests.wire.request import Writer
from loadtests.wire.secret import Keys, Secret


def order(**how: Any) -> Order:
    return Order.model_validate({"service": "chat", "model": 'odd "model"', "url": "http://127.0.0.1:80", **how})


def arrival(session: str = "s-1", **how: Any) -> Arrival:
    return Arrival(0.0, 5, 7, session, "u-1", "r-1", **how)


def parts(request: bytes) -> tuple[str, dict[str, str], dict[str, Any]]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers["Content-Length"]) == len(body)
    return first, headers, json.loads(body)


STREAM = {"max_tokens": 7, "ignore_eos": True, "stream": True, "stream_options": {"include_usage": True}}
FORMS = {
    "chat": ("/v1/chat/completions", "messages", STREAM),
    "completions": ("/v1/completions", "prompt", STREAM),
    "embeddings": ("/v1/embeddings", "input", {}),
    "moderation": ("/v1/moderations", "input", {}),
}


@pytest.mark.parametrize(("api", "form"), FORMS.items())
def test_each_api_has_its_path_and_body(api: str, form: tuple[str, str, dict[str, Any]]) -> None:
    """Exactly as many tokens are asked for as the arrival says, of those that generate."""
    path, key, rest = form
    writer = Writer(order(api=api))
    first, headers, body = parts(writer.write(arrival()))
    assert first == f"POST {path} HTTP/1.1"
    assert headers["Accept"] == ("text/event-stream" if rest else "application/json")
    assert writer.streamed == bool(rest)
    text = body.pop(key)
    text = text[0].pop("content") if api == "chat" else text
    assert len(text.split()) == 5
    assert body == {"model": 'odd "model"', **rest}


def test_a_request_says_who_asks() -> None:
    """For the assignment to arms, and so that synthetic requests can be kept apart."""
    _, headers, _ = parts(Writer(order(traffic="synthetic")).write(arrival()))
    assert headers["Host"] == "127.0.0.1:80"
    assert (headers["x-request-id"], headers["x-session-id"], headers["x-user-id"]) == ("r-1", "s-1", "u-1")
    assert headers["x-ops-class"] == "synthetic"
    assert "Authorization" not in headers


def test_the_keys_of_a_pool_take_turns() -> None:
    """Also when a request is sent again."""
    writer = Writer(order(), Keys((Secret("k1"), Secret("k2"))))
    used = [parts(writer.write(arrival()))[1]["Authorization"] for _ in range(4)]
    assert used == ["Bearer k1", "Bearer k2", "Bearer k1", "Bearer k2"]


@pytest.mark.parametrize("port", ["", ":443"])
def test_azure_takes_a_key_by_another_name_and_nothing_that_openai_does_not_know(port: str) -> None:
    """Else it answers 401 or 400."""
    writer = Writer(order(url=f"https://my.openai.azure.com{port}"), Keys((Secret("k1"),)))
    _, headers, body = parts(writer.write(arrival()))
    assert headers["api-key"] == "k1"
    assert "Authorization" not in headers
    assert "ignore_eos" not in body


def test_a_session_stays_with_one_lora() -> None:
    """And all of them are used."""
    writer = Writer(order(loras=("a", "b", "c")))
    models = [parts(writer.write(arrival(f"s-{number % 100}")))[2]["model"] for number in range(200)]
    assert models[:100] == models[100:]
    assert set(Counter(models)) == {"a", "b", "c"}


def test_turns_and_shared_blocks_are_in_the_prompt() -> None:
    """What an arrival shares with others, it shares on the wire."""
    writer = Writer(order(api="completions"))
    first, second = (
        parts(writer.write(Arrival(0.0, tokens, 1, session, "u", "r", turn, (3,))))[2]["prompt"]
        for tokens, session, turn in ((600, "s-1", 0), (700, "s-1", 1))
    )
    other = parts(writer.write(Arrival(0.0, 600, 1, "s-2", "u", "r", 0, (3,))))[2]["prompt"]
    assert second.startswith(first)
    assert other[: 512 * 4] == first[: 512 * 4]
    assert other[512 * 4 : 516 * 4] != first[512 * 4 : 516 * 4]
