"""A response comes to the same however it was cut, at once or by its shape, and its times are those of their reads."""

from __future__ import annotations

import gc
import json
import weakref
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.wire.outcome import OK, judge
from loadtests.wire.reply import Reply
from loadtests.wire.shape import Shape, shape_of
from loadtests.wire.sse import TOKEN, Parser
from tests.loadtests.truth import HEAD, chunk, sse

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
USAGE = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}}


def framed(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


def text(words: str, key: str = "content", end: str = "\n\n") -> bytes:
    return framed(sse(chunk({key: words}), end))


ROLE = framed(sse(chunk({"role": "assistant", "content": ""})))
FINISH, LAST = framed(sse(chunk({}, "stop"))), framed(sse(USAGE))
DONE = framed(sse("[DONE]"))
ERROR = framed(sse({"error": {"message": "EngineCore died"}}))


def reply_of(reads: list[bytes], **how: bool) -> Reply:
    """The reply when read number n came at n seconds."""
    reply = Reply(lambda: None, **how)
    for at, read in enumerate(reads):
        reply.feed(read, float(at))
    reply.settle()
    return reply


def facts(reply: Reply) -> tuple[object, ...]:
    """All but the times."""
    return reply.seen(None), reply.events, reply.received, reply.tokens, reply.prompt_tokens, reply.reusable


def test_times_are_those_of_the_reads() -> None:
    """The role is no token, [DONE] and usage are in no latency, and the second read of a split event is its time."""
    split = text("b")
    reads = [CHUNKED, ROLE, text("a"), split[:9], split[9:], text("c") + text("d"), FINISH, LAST, DONE + END]
    reply = reply_of(reads)
    assert reply.times == [2.0, 4.0, 5.0]
    assert reply.gaps == (2.0, 1.0)
    assert reply.tpot == 1.0
    assert reply.last == 6.0
    assert (reply.events, reply.tokens, reply.prompt_tokens) == (4, 4, 5)
    assert judge(reply.seen(None)) == OK


def test_a_closed_reply_is_freed_at_once() -> None:
    """No garbage collector has to look for it, between two tokens of others."""
    reply = reply_of([CHUNKED, text("a"), FINISH, DONE + END])
    alive = weakref.ref(reply)
    gc.disable()
    try:
        reply.close()
        del reply
        assert alive() is None
    finally:
        gc.enable()


def test_a_single_arrival_has_no_time_per_token() -> None:
    """Nor has an answer whose tokens nobody counted."""
    assert reply_of([CHUNKED, text("a"), FINISH, LAST, DONE, END]).tpot is None
    assert reply_of([CHUNKED, text("a"), text("b"), FINISH, DONE, END]).tpot is None


EVENTS = st.sampled_from(
    [
        ROLE,
        text("a"),
        text("日本 é"),
        text('she said \\"no\\"'),
        text('"'),
        text("ends with \\"),
        text("a\nb"),
        text("think", "reasoning_content"),
        text("crlf", end="\r\n\r\n"),
        framed(sse(chunk({"content": "last"}, "length"))),
        framed(sse({**chunk({"content": "x"}), "usage": {"completion_tokens": 2}})),
        framed(b": keep-alive\n\n"),
        framed(b"data: "),
        text("x" * 300),
        framed(sse(chunk({"content": "a"})) + sse(chunk({"content": "b"}))),
        framed(sse(chunk({"content": "a"}))[:20]) + framed(sse(chunk({"content": "a"}))[20:]),
        FINISH,
        LAST,
        DONE,
        ERROR,
    ]
)


@given(
    events=st.lists(st.one_of(EVENTS, st.text(min_size=1).map(text)), max_size=12),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
)
def test_what_is_known_at_a_glance_is_what_the_long_way_finds(events: list[bytes], cuts: list[int]) -> None:
    """One event per read, which takes the short way; byte ranges of any kind, which do not."""
    stream = b"".join([CHUNKED, *events, END])
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    cut = [stream[start:end] for start, end in pairwise(edges) if end > start]
    short = reply_of([CHUNKED, *events, END])
    assert facts(short) == facts(reply_of(cut)) == facts(reply_of([stream]))
    assert len(short.times) <= short.events


def test_a_token_that_an_unfinished_event_runs_into_is_read_with_it() -> None:
    """However well it fits: else the rest would spoil the event after it."""
    reply = reply_of([CHUNKED, text("a"), framed(b"data: {"), text("b"), FINISH, LAST, DONE + END])
    assert (reply.events, reply.malformed, judge(reply.seen(None))) == (2, False, OK)


@given(first=st.text(min_size=1), second=st.text(), key=st.sampled_from(["content", "reasoning_content", "text"]))
def test_only_a_token_fits_a_shape(first: str, second: str, key: str) -> None:
    """And most tokens of the same stream do."""
    shape = shape_of(text(first, key))
    plain = '"' not in json.dumps(first)[1:-1] and "\\" not in json.dumps(first, ensure_ascii=False)
    assert (shape is not None) == plain
    if shape is not None and shape.fits(text(second, key)):
        assert Parser().feed(sse(chunk({key: second}))) == [TOKEN]


def test_a_shape_is_no_other_event() -> None:
    """What looks alike and is not the same."""
    shape = shape_of(text("a"))
    assert isinstance(shape, Shape)
    assert shape.fits(text("bc"))
    for other in (text(""), text('"'), ROLE, FINISH, DONE, text("a") + text("b"), text("a")[:-1], text("a", "text")):
        assert not shape.fits(other)
    assert not shape.fits(b"ff" + text("a")[2:])


def test_the_hot_path_reads_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the short way nor the long one."""
    reply = reply_of([CHUNKED])
    monkeypatch.setattr(json, "loads", None)
    for read in (text("a"), text("b"), text('"'), text("c") + text("d")):
        reply.feed(read, 1.0)
    assert reply.events == 5


@pytest.mark.parametrize(
    ("reads", "reusable"),
    [
        ([CHUNKED, DONE, END], True),
        ([CHUNKED, DONE], False),
        ([CHUNKED, DONE, END + b"HTTP/1.1 200 OK\r\n\r\nmore"], False),
        ([CHUNKED.replace(b"x-ops-arm: canary", b"Connection: close"), DONE, END], False),
        ([b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n{}"], True),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", CHUNKED, DONE, END], True),
        ([b"NOPE\r\n\r\n"], False),
    ],
)
def test_a_connection_is_used_again_after_a_whole_answer(reads: list[bytes], reusable: bool) -> None:
    """Only if nothing is left on it, and the server keeps it open."""
    assert reply_of(reads).reusable == reusable


def test_the_end_is_told_once() -> None:
    """Whoever waits is woken when all is there, and not again by the connection's end."""
    told: list[None] = []
    reply = Reply(lambda: told.append(None))
    reply.feed(CHUNKED + DONE, 1.0)
    assert told == []
    reply.feed(END, 2.0)
    reply.hang_up(None)
    assert told == [None]
    assert not reply.cut and not reply.reusable


def test_a_long_answer_of_one_piece_is_not_kept() -> None:
    """Nobody needs what is longer than any real one."""
    reply = Reply(lambda: None, streamed=False)
    reply.feed(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33554440\r\n\r\n", 1.0)
    for _ in range(8):
        reply.feed(b"x" * 4_194_305, 2.0)
    assert reply.complete and reply.malformed
