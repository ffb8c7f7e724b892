"""Answers: valid events whatever names they carry, and the same words whole or in parts."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.local.answer import DONE, VOCABULARY, Answer, Kind, error_event, models
from infra.local.generation import Finish


def answer(kind: Kind = Kind.COMPLETION, request: str = "r", usage: bool = False) -> Answer:
    return Answer(kind, request, "m", 0, ["a", "b"], usage)


def events(data: bytes) -> list[Any]:
    parts = data.decode().split("\n\n")
    assert parts.pop() == ""
    return [json.loads(part.removeprefix("data: ")) for part in parts]


def said(event: Any) -> str:
    (choice,) = event["choices"]
    text: str = choice["text"] if "text" in choice else choice["delta"]["content"]
    return text


@given(
    kind=st.sampled_from([Kind.COMPLETION, Kind.CHAT]),
    request=st.text(st.characters(codec="latin-1"), max_size=20),
    parts=st.lists(st.integers(1, 90), min_size=1, max_size=6),
)
def test_the_words_are_the_same_whole_or_in_parts(kind: Kind, request: str, parts: list[int]) -> None:
    streamed = answer(kind, request)
    chunks = [event for tokens in parts for event in events(streamed.event(tokens))]
    text = "".join(said(event) for event in chunks)
    whole = json.loads(answer(kind, request).whole(sum(parts), Finish.STOP))
    (choice,) = whole["choices"]
    assert text == (choice["message"]["content"] if kind is Kind.CHAT else choice["text"])
    assert len(text.split()) == sum(parts) == whole["usage"]["completion_tokens"]
    assert {event["id"] for event in chunks} == {f"{kind.value}-{request}"} == {whole["id"]}


def test_a_chat_names_its_role_once() -> None:
    streamed = answer(Kind.CHAT)
    first, second = events(streamed.event(1)), events(streamed.event(1, Finish.STOP))
    assert [event["choices"][0]["delta"].get("role") for event in (*first, *second)] == ["assistant", None, None]
    assert [event["choices"][0]["finish_reason"] for event in (*first, *second)] == [None, None, "stop"]


def test_the_end_is_done_and_the_usage_before_it_if_asked_for() -> None:
    assert answer().end() == DONE
    streamed = answer(usage=True)
    streamed.event(3)
    (usage,) = events(streamed.end().removesuffix(DONE))
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 5)


def test_an_early_end_has_no_finish_reason() -> None:
    assert json.loads(answer().whole(3, None))["choices"][0]["finish_reason"] is None


def test_an_embedding_has_a_vector_and_no_words() -> None:
    (item,) = json.loads(answer(Kind.EMBEDDING).whole(0, Finish.STOP))["data"]
    assert len(item["embedding"]) == 64


def test_an_error_event_ends_the_stream() -> None:
    (error,) = events(error_event("m", "T", 503).removesuffix(DONE))
    assert error == {"error": {"message": "m", "type": "T", "param": None, "code": 503}}


def test_the_one_model_is_listed() -> None:
    assert [card["id"] for card in json.loads(models("m", 0, 10))["data"]] == ["m"]


def test_words_need_no_escape_in_json() -> None:
    assert all(word.isalpha() and word.isascii() for word in VOCABULARY)
