"""A stream gives the same events however it was cut, and each event means what vLLM's means."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.wire.sse import DONE, TOKEN, Event, Kind, Parser, classify


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], **more}


def data(value: Any, **how: Any) -> bytes:
    return b"data: " + json.dumps(value, **how).encode()


def feed(stream: bytes, cuts: list[int]) -> list[Event]:
    parser = Parser()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [event for start, end in pairwise(edges) for event in parser.feed(stream[start:end])]


ROLE = chunk({"role": "assistant", "content": ""})
TEXT = chunk({"content": "日本 é\n"})
LAST = chunk({"content": "end"}, "length")
USAGE = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 17, "total_tokens": 20}}
ERROR = {"error": {"message": "EngineCore encountered an issue", "type": "InternalServerError", "code": 500}}

CASES = {
    "text": (data(TEXT), TOKEN),
    "text with non-ASCII characters": (data(TEXT, ensure_ascii=False), TOKEN),
    "text without blanks": (data(TEXT, separators=(",", ":")), TOKEN),
    "no blank after the colon": (b"data:" + data(TEXT)[6:], TOKEN),
    "reasoning": (data(chunk({"reasoning_content": "hm"})), TOKEN),
    "reasoning, new name": (data(chunk({"reasoning": "hm"})), TOKEN),
    "completion": (data({"choices": [{"text": "a", "finish_reason": None}]}), TOKEN),
    "tool call": (data(chunk({"tool_calls": [{"function": {"arguments": "{"}}]})), TOKEN),
    "text that looks like a finish": (data(chunk({"content": '"finish_reason": "stop"'})), TOKEN),
    "text that looks like an error": (data(chunk({"content": '{"error": {"message": "x"}}'})), TOKEN),
    "text with a null usage": (data({**TEXT, "usage": None}), TOKEN),
    "text with the usage so far": (data({**TEXT, "usage": {"completion_tokens": 4}}), Event(Kind.TOKEN, True, None, 4)),
    "text in two data lines": (b"data: {\ndata: " + data(TEXT)[7:], TOKEN),
    "text with an event name": (b"event: message\n" + data(TEXT), TOKEN),
    "role only": (data(ROLE), Event(Kind.ROLE)),
    "role without text": (data(chunk({"role": "assistant"})), Event(Kind.ROLE)),
    "role and nulls": (data(chunk({"role": "assistant", "content": None, "refusal": None})), Event(Kind.ROLE)),
    "role and text": (data(chunk({"role": "assistant", "content": "a"})), TOKEN),
    "role and a tool call": (data(chunk({"role": "assistant", "content": None, "tool_calls": [{"index": 0}]})), TOKEN),
    "role, last of all": (data(chunk({"role": "assistant", "content": ""}, "stop")), Event(Kind.FINISH, False, "stop")),
    "role with usage": (data({**ROLE, "usage": {"completion_tokens": 0}}), Event(Kind.USAGE, tokens=0)),
    "filter results": (
        data({"choices": [], "prompt_filter_results": [{"content_filter_results": {}}]}),
        Event(Kind.OTHER),
    ),
    "no choices at all": (data({"id": "x"}), Event(Kind.OTHER)),
    "finish": (data(chunk({}, "stop")), Event(Kind.FINISH, False, "stop")),
    "finish with text": (data(LAST), Event(Kind.FINISH, True, "length")),
    "usage": (data(USAGE), Event(Kind.USAGE, tokens=17, prompt_tokens=3)),
    "error": (data(ERROR), Event(Kind.ERROR, detail="InternalServerError")),
    "error as text": (data({"error": "boom"}), Event(Kind.ERROR, detail="boom")),
    "error by name": (b"event: error\n" + data({"message": "boom"}), Event(Kind.ERROR, detail="boom")),
    "error without words": (data({"error": {"code": 1}}), Event(Kind.ERROR, detail="error")),
    "null error": (data({**TEXT, "error": None}), TOKEN),
    "done": (b"data: [DONE]", DONE),
    "done without a blank": (b"data:[DONE]", DONE),
    "comment": (b": keep-alive", None),
    "nothing": (b"", None),
    "only an id": (b"id: 7", None),
    "not JSON": (b"data: {oops", Event(Kind.MALFORMED, detail="{oops")),
    "not an object": (b"data: [1]", Event(Kind.MALFORMED, detail="a JSON list, not an object")),
}


@pytest.mark.parametrize(("block", "event"), CASES.values(), ids=CASES.keys())
def test_an_event_means_what_it_says(block: bytes, event: Event | None) -> None:
    """With \\n and with \\r\\n inside the event."""
    assert classify(block) == event
    assert classify(block.replace(b"\n", b"\r\n")) == event


def test_roles_and_token_events_are_not_read_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hot path: one object for all of them, whatever the text."""
    monkeypatch.setattr(json, "loads", None)
    assert Parser().feed((data(ROLE) + b"\n\n") + (data(TEXT) + b"\n\n") * 100) == [Event(Kind.ROLE)] + [TOKEN] * 100


STREAM = [block for block, _ in CASES.values() if b"\n" not in block]


@given(
    blocks=st.lists(st.sampled_from(STREAM), max_size=8),
    end=st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n"]),
    cuts=st.lists(st.integers(0, 1500), max_size=20),
)
def test_any_cutting_of_the_bytes_gives_the_same_events(blocks: list[bytes], end: bytes, cuts: list[int]) -> None:
    """Events split across reads, several in one read, multi-byte characters cut in half."""
    stream = b"".join(block + end for block in blocks)
    expected = [event for event in map(classify, blocks) if event is not None]
    assert feed(stream, cuts) == expected
    assert feed(stream, list(range(len(stream)))) == expected


@given(stream=st.text(alphabet="\r\nda:t {}[]\"'xDONE", max_size=60), cuts=st.lists(st.integers(0, 60), max_size=10))
def test_even_nonsense_is_cut_alike(stream: str, cuts: list[int]) -> None:
    """No bytes make the parser raise, or depend on how they came."""
    assert feed(stream.encode(), cuts) == feed(stream.encode(), [])


def test_an_event_without_its_blank_line_has_not_ended() -> None:
    """It is the rest, which a client may look at."""
    parser = Parser()
    assert parser.feed(b"data: [DONE]\n") == []
    assert parser.rest == b"data: [DONE]\n"
    assert parser.feed(b"\n") == [DONE]
    assert parser.rest == b""


def test_a_long_event_is_not_searched_again_with_every_read() -> None:
    """Two megabytes in small reads: quadratic searching would take minutes."""
    parser = Parser()
    for _ in range(2000):
        assert parser.feed(b"x" * 1000) == []
    assert parser.feed(b"\n\ndata: [DONE]\n\n") == [DONE]
