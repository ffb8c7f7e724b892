"""What a request body means, and what is said about one that means nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.answer import Kind
from infra.local.question import Call, RequestError, parse, token_limit


def read(kind: Kind, **body: Any) -> Call:
    return parse(kind, json.dumps(body).encode())


def refusal(kind: Kind, body: bytes) -> dict[str, Any]:
    with pytest.raises(RequestError) as caught:
        parse(kind, body)
    error: dict[str, Any] = json.loads(caught.value.body)["error"]
    assert caught.value.status == error["code"] == 400
    return error


@pytest.mark.parametrize(
    ("prompt", "words"),
    [(" a  b\nc ", ["a", "b", "c"]), ([1, 2], [1, 2]), (["a b"], ["a", "b"]), ([[1, 2]], [1, 2])],
)
def test_a_prompt_is_its_words_or_its_token_ids(prompt: Any, words: list[Any]) -> None:
    assert read(Kind.COMPLETION, prompt=prompt).words == words
    assert read(Kind.EMBEDDING, input=prompt).words == words


def test_a_completion_has_openais_default_of_16_tokens() -> None:
    assert read(Kind.COMPLETION, prompt="x").max_tokens == 16
    assert read(Kind.COMPLETION, prompt="x", max_tokens=None).max_tokens is None


def test_an_embedding_asks_for_no_tokens() -> None:
    assert read(Kind.EMBEDDING, input="x").max_tokens == 0


def test_a_chat_counts_a_token_for_each_role() -> None:
    messages = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "hello you"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None},
    ]
    assert read(Kind.CHAT, messages=messages).words == ["system", "be", "kind", "user", "hello", "you", "assistant"]


def test_max_completion_tokens_wins_over_its_older_name() -> None:
    messages = [{"role": "user", "content": "x"}]
    assert read(Kind.CHAT, messages=messages, max_tokens=5).max_tokens == 5
    assert read(Kind.CHAT, messages=messages, max_tokens=5, max_completion_tokens=7).max_tokens == 7


def test_stream_options_are_read() -> None:
    call = read(Kind.COMPLETION, prompt="x", stream=True, stream_options={"include_usage": True}, ignore_eos=True)
    assert (call.stream, call.include_usage, call.ignore_eos) == (True, True, True)


def test_what_the_simulation_does_not_know_is_ignored() -> None:
    assert read(Kind.COMPLETION, prompt="x", temperature=0.7, top_p=1).words == ["x"]


@pytest.mark.parametrize(
    ("kind", "body", "param"),
    [
        (Kind.COMPLETION, b"", "body"),
        (Kind.COMPLETION, b"\xff", "body"),
        (Kind.COMPLETION, b'{"prompt":""}', "prompt"),
        (Kind.COMPLETION, b'{"prompt":[]}', "prompt"),
        (Kind.COMPLETION, b'{"prompt":["a","b"]}', "prompt"),
        (Kind.COMPLETION, b'{"prompt":[[1],[2]]}', "prompt"),
        (Kind.COMPLETION, b'{"prompt":"x","max_tokens":0}', "body.max_tokens"),
        (Kind.COMPLETION, b'{"prompt":"x","stream_options":{}}', "stream_options"),
        (Kind.CHAT, b'{"messages":[]}', "body.messages"),
        (Kind.EMBEDDING, b'{"input":" "}', "input"),
    ],
)
def test_a_wrong_body_names_the_field(kind: Kind, body: bytes, param: str) -> None:
    assert refusal(kind, body)["param"] == param


@given(body=st.binary(max_size=60), kind=st.sampled_from(Kind))
def test_no_body_is_more_than_refused(body: bytes, kind: Kind) -> None:
    refusal(kind, body)


@pytest.mark.parametrize(("asked", "granted"), [(None, 7), (7, 7), (1, 1), (0, 0)])
def test_the_output_may_fill_the_context(asked: int | None, granted: int) -> None:
    assert token_limit(Call(Kind.CHAT, None, ["w"] * 3, asked), 10) == granted


@pytest.mark.parametrize(("prompt", "asked"), [(3, 8), (10, None), (11, 0)])
def test_what_does_not_fit_the_context_is_refused(prompt: int, asked: int | None) -> None:
    with pytest.raises(RequestError, match="maximum context length"):
        token_limit(Call(Kind.CHAT, None, ["w"] * prompt, asked), 10)
