"""The server that load clients are measured against: it does what it is asked to, and writes down what it did."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import time
from collections.abc import Iterator
from itertools import accumulate
from typing import Any
from urllib.parse import urlsplit

import pytest

from load_truth.server import OUTCOMES, SOURCE, Asked, Truth, serving

TOKENS = 8
QUICK = {"ttft": 2000, "jitter": 500, "itl": 1000, "late": 0}
DONE = b"data: [DONE]"

# Behaviour -> events with tokens in the answer, times at which the server gave tokens to the kernel.
WHOLE = {
    **dict.fromkeys(
        ("ok", "crlf", "role", "preamble", "comments", "reasoning", "split", "unframed", "no_usage"), (8, 8)
    ),
    "several": (2, 2),
    "batched": (8, 2),
    "late_done": (8, 8),
}
# Behaviour -> tokens that came, whether there is a finish reason, and a [DONE], and how the connection ended.
BROKEN = {
    "error": (4, False, True, "end"),
    "early": (4, False, False, "end"),
    "no_finish": (8, False, True, "end"),
    "no_done": (8, True, False, "end"),
    "cut": (4, False, False, "end"),
    "reset": (4, False, False, "reset"),
    "hang_up": (0, False, False, "end"),
    "not_json": (8, True, True, "end"),
    "not_http": (0, False, False, "end"),
    "not_stream": (0, False, False, "end"),
}
ENDLESS = {"hang": 0, "hang_headers": 0, "gap": 4, "endless": 20}  # behaviour -> tokens that are worth waiting for
PROMPTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "a text": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "one two\nthree \\"}]}, 4),
    "parts": (
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a b"}]}]},
        2,
    ),
    "turns": ("/v1/chat/completions", {"messages": [{"content": "a b"}, {"content": "c"}]}, 3),
    "a prompt": ("/v1/completions", {"prompt": "one  two"}, 2),
    "inputs": ("/v1/embeddings", {"input": ["one two", "three"]}, 3),
    "one input": ("/v1/moderations", {"input": "one"}, 1),
}


@pytest.fixture(scope="module")
def truth() -> Iterator[Truth]:
    with serving(**QUICK) as running:
        yield running


def connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def request(path: str = "/v1/chat/completions", headers: str = "Connection: close\r\n", **more: Any) -> bytes:
    body = {"model": "m", "max_tokens": TOKENS, "stream": True, "stream_options": {"include_usage": True}} | more
    text = json.dumps(body, ensure_ascii=False).encode()
    return f"POST {path} HTTP/1.1\r\nHost: t\r\n{headers}Content-Length: {len(text)}\r\n\r\n".encode() + text


def answered(truth: Truth, sent: bytes) -> tuple[bytes, str]:
    """All that comes back until the end of the connection, and how that was."""
    with connected(truth.url) as connection:
        connection.sendall(sent)
        return everything(connection)


def everything(connection: socket.socket) -> tuple[bytes, str]:
    found = b""
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionResetError:
        return found, "reset"
    return found, "end"


def events(answer: bytes) -> int:
    """Events with text in them."""
    return len(re.findall(rb'"(?:content|reasoning_content|text)":"[^"]', unchunked(answer)))


def unchunked(answer: bytes) -> bytes:
    """The body without its framing, as far as that is whole."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b"chunked" not in head:
        return rest
    body = b""
    while (line := rest.partition(b"\r\n")) and line[1]:
        size = int(line[0], 16)
        body, rest = body + line[2][:size], line[2][size + 2 :]
    return body


def last(truth: Truth) -> Asked:
    return truth.log(clear=True)[-1]


@pytest.mark.parametrize("behaviour", WHOLE)
def test_whole_answers_are_written_down_as_they_were_sent(truth: Truth, behaviour: str) -> None:
    """As many tokens as asked for, in the events and writes of the behaviour."""
    answer, end = answered(truth, request(model=f"m?behaviour={behaviour}&late={1000 * (behaviour == 'late_done')}"))
    asked, (told, written) = last(truth), WHOLE[behaviour]
    assert (events(answer), end) == (told, "end")
    assert (asked.behaviour, asked.status, asked.tokens, len(asked.writes)) == (behaviour, 200, TOKENS, written)
    assert (asked.end, asked.blocked) == ("whole", 0)
    assert unchunked(answer).rstrip().endswith(DONE)
    assert (b"completion_tokens" in answer) == (behaviour != "no_usage")


@pytest.mark.parametrize("behaviour", BROKEN)
def test_broken_answers_break_as_they_are_named(truth: Truth, behaviour: str) -> None:
    """In the middle, or at what is missing at their end."""
    answer, end = answered(truth, request(model=f"m?behaviour={behaviour}"))
    tokens, finish, done, how = BROKEN[behaviour]
    assert (events(answer), b'"finish_reason":"length"' in answer, DONE in answer, end) == (tokens, finish, done, how)
    assert last(truth).tokens == tokens


@pytest.mark.parametrize("behaviour", ENDLESS)
def test_endless_answers_go_on_until_the_client_has_had_enough(truth: Truth, behaviour: str) -> None:
    """The log says who hung up."""
    with connected(truth.url) as connection:
        connection.sendall(request(model=f"m?behaviour={behaviour}"))
        answer = b""
        while events(answer) < ENDLESS[behaviour]:
            answer += connection.recv(65536)
        (open_,) = truth.log()
    asked = last(truth)
    assert (open_.end, asked.end) == ("open", "client")
    assert asked.tokens == ENDLESS[behaviour] or behaviour == "endless"


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_status_codes_are_answered_as_they_are(truth: Truth, status: int) -> None:
    """429 says when to come again."""
    answer, _ = answered(truth, request(model=f"m?behaviour={status}&retry_after=7"))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b"Retry-After: 7\r\n" in answer) == (status == 429)
    assert last(truth).status == status


def test_a_request_that_comes_again_is_let_in(truth: Truth) -> None:
    """By its id; another one is told to come again."""
    sent = [
        request(headers=f"Connection: close\r\nx-request-id: {name}\r\n", model="m?behaviour=429_once")
        for name in "aba"
    ]
    assert [answered(truth, one)[0][9:12] for one in sent] == [b"429", b"429", b"200"]
    assert [asked.id for asked in truth.log(clear=True)] == ["a", "b", "a"]


def test_tokens_are_never_early() -> None:
    """Each is written when it is due, counted from the kernel's time of the request; lateness does not add up."""
    with serving(ttft=3000, jitter=0, itl=2000) as truth:
        answered(truth, request())
        (asked,) = truth.log()
    assert asked.accepted <= asked.ended
    for number, at in enumerate(accumulate(asked.writes)):
        assert at >= 0.003 + number * 0.002 - 1e-6


def test_the_first_token_is_spread_the_same_in_every_run() -> None:
    """Evenly over the jitter: a hash of the number of the request (splitmix64), so that runs can be paired."""
    with serving(ttft=0, jitter=20_000, itl=0) as truth:
        for _ in range(8):
            answered(truth, request(max_tokens=1))
        log = truth.log()
    due = [hashed(asked.number) % 20_000 / 1e6 for asked in log]
    assert max(due) > min(due) + 0.010
    assert all(asked.writes[0] >= least - 1e-6 for asked, least in zip(log, due, strict=True))


def hashed(number: int) -> int:
    mask = 2**64 - 1
    number = (number + 0x9E3779B97F4A7C15) & mask
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & mask
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & mask
    return number ^ number >> 31


def test_arrival_is_the_kernels_time() -> None:
    """A server that is stopped sees late what came early, and knows it."""
    with serving(**QUICK) as truth, connected(truth.url) as connection:
        os.kill(truth.pid, signal.SIGSTOP)
        connection.sendall(request())
        before = time.time()
        os.kill(truth.pid, signal.SIGCONT)
        everything(connection)
        (asked,) = truth.log()
    assert asked.arrived < before < asked.arrived + asked.writes[0]


def test_tokens_are_due_when_the_request_is_complete() -> None:
    """A client that sends its head first and its body later has that in its own latency, and in no gap."""
    whole = request()
    head = whole.index(b"\r\n\r\n") + 4
    with serving(ttft=3000, jitter=0, itl=2000) as truth, connected(truth.url) as connection:
        connection.sendall(whole[:head])
        truth.log()  # the server has read the first bytes before it answers this
        connection.sendall(whole[head:])
        everything(connection)
        (asked,) = truth.log()
    assert asked.arrived < asked.complete
    assert asked.arrived + asked.writes[0] >= asked.complete + 0.003 - 1e-6


def test_a_frozen_server_does_nothing_meanwhile(truth: Truth) -> None:
    """Not even for those who are connected."""
    since = time.time()
    truth.freeze(50)
    answered(truth, request())
    assert last(truth).ended > since + 0.050


def test_the_request_says_more_than_the_model_and_that_more_than_the_server(truth: Truth) -> None:
    """Later words win."""
    truth.set(tokens=3, behaviour="ok")
    answers = [
        request(),
        request(model="m?tokens=4"),
        request(model="m?tokens=4", headers="Connection: close\r\nx-truth: tokens=10&behaviour=early\r\n"),
    ]
    assert [events(answered(truth, one)[0]) for one in answers] == [3, 4, 5]
    truth.set(tokens=0)
    assert [asked.behaviour for asked in truth.log(clear=True)] == ["ok", "ok", "early"]


def test_several_behaviours_are_taken_in_turn(truth: Truth) -> None:
    """From the first one on."""
    for _ in range(2):
        truth.set(behaviour="400,ok,503")
        statuses = [int(answered(truth, request())[0][9:12]) for _ in range(4)]
        assert statuses == [400, 200, 503, 400]
    truth.set(behaviour="ok")
    truth.log(clear=True)


@pytest.mark.parametrize("name", PROMPTS)
def test_prompts_are_counted_by_words(truth: Truth, name: str) -> None:
    """In whatever form they come."""
    path, body, number = PROMPTS[name]
    answer, _ = answered(truth, request(path, **body))
    asked = last(truth)
    assert (asked.prompt, asked.path, asked.status, asked.end) == (number, path, 200, "whole")
    assert b"200 OK" in answer


def test_answers_that_are_no_streams_are_json(truth: Truth) -> None:
    """Of embeddings, moderations, and of texts that are asked for in one piece."""
    keys = {"embeddings": "data", "moderations": "results", "chat/completions": "choices", "completions": "choices"}
    for path, key in keys.items():
        answer, _ = answered(truth, request(f"/v1/{path}", stream=False, input="a"))
        assert key in json.loads(answer.partition(b"\r\n\r\n")[2])
    truth.log(clear=True)


def test_connections_are_kept(truth: Truth) -> None:
    """Two requests on one, told apart; what is said of who sent them is kept."""
    headers = "x-request-id: r-{}\r\nx-ops-class: synthetic\r\n"
    with connected(truth.url) as connection:
        for number in range(2):
            connection.sendall(request(headers=headers.format(number)))
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                data = connection.recv(65536)
                assert data, "hung up"
                answer += data
    one, two = truth.log(clear=True)
    assert one.connection == two.connection
    assert [(asked.id, asked.traffic, asked.model) for asked in (one, two)] == [
        ("r-0", "synthetic", "m"),
        ("r-1", "synthetic", "m"),
    ]


def test_nobody_listens_where_it_says_so(truth: Truth) -> None:
    """One port refuses, on the other connecting does not end."""
    with pytest.raises(ConnectionRefusedError):
        connected(truth.refused)
    with socket.socket() as deaf:
        deaf.setblocking(False)
        deaf.connect_ex(("127.0.0.1", urlsplit(truth.deaf).port))
        (state,) = struct.unpack_from("B", deaf.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1))
    assert state == 2  # SYN_SENT: over loopback the handshake is done within connect(), if it is done at all


def test_every_behaviour_has_an_outcome() -> None:
    """What the program compares with is what the table has."""
    compared = set(re.findall(r'is\(c, "([a-z0-9_]+)"\)', SOURCE.read_text()))
    assert compared | {"ok"} == {name for name in OUTCOMES if not name.isdigit()}
    assert OUTCOMES.keys() >= {*WHOLE, *BROKEN, *ENDLESS}
