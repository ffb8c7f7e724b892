"""One request against a server of known truth: each end has its word, each time its definition."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import gevent
import pytest

from loadtests.order import Retry, Timeouts
from loadtests.wire import outcome
from loadtests.wire.exchange import Terms, exchange
from loadtests.wire.outcome import OK, http
from loadtests.wire.pool import Pool
from loadtests.wire.sample import Sample
from tests.loadtests.truth import Truth, serving

# What the server does, and the word for it.
ENDS = {
    "ok": OK,
    "crlf": OK,
    "bytes": OK,
    "comments": OK,
    "preamble": OK,
    "joined": OK,
    "thinking": OK,
    "unframed": OK,
    "302": http(302),
    "400": http(400),
    "404": http(404),
    "429": http(429),
    "503": http(503),
    "error": outcome.IN_STREAM_ERROR,
    "early": outcome.ENDED_EARLY,
    "no_done": outcome.ENDED_EARLY,
    "no_finish": outcome.ENDED_EARLY,
    "cut": outcome.RESET,
    "reset": outcome.RESET,
    "hang_up": outcome.RESET,
    "hang": outcome.TIMEOUT_FIRST_TOKEN,
    "keep_alives": outcome.TIMEOUT_FIRST_TOKEN,
    "stall": outcome.TIMEOUT_GAP,
    "no_json": outcome.MALFORMED,
    "not_http": outcome.MALFORMED,
    "not_a_stream": outcome.MALFORMED,
}

LIMITS = {outcome.TIMEOUT_FIRST_TOKEN: {"first_token": 0.1}, outcome.TIMEOUT_GAP: {"gap": 0.1}}

ANSWERS = {
    "vectors": OK,
    "judged": OK,
    "no_vectors": outcome.MALFORMED,
    "nonsense": outcome.MALFORMED,
    "failed": outcome.IN_STREAM_ERROR,
    "503": http(503),
}


def request(tokens: int = 33, number: int = 0, length: int = 10) -> bytes:
    body = json.dumps({"prompt": "x" * length, "max_tokens": tokens}).encode()
    return b"POST / HTTP/1.1\r\nx-request-id: r-%d\r\nContent-Length: %d\r\n\r\n%b" % (number, len(body), body)


@contextmanager
def pool_of(truth: Truth) -> Iterator[Pool]:
    pool = Pool(truth.url)
    try:
        yield pool
    finally:
        pool.close()


def ask(
    pool: Pool, data: bytes | None = None, *, retry: Retry | None = None, streamed: bool = True, **limits: float
) -> Sample:
    terms = Terms(Timeouts(**limits), retry or Retry(), streamed)
    start = perf_counter()
    return exchange(pool, lambda: data or request(), terms, 0.0, start).sample()


@pytest.mark.parametrize(("behaviour", "word"), ENDS.items())
def test_every_end_of_a_stream_has_its_word(behaviour: str, word: str) -> None:
    """Twice on the same pool, so that what one leaves behind is no part of the next."""
    with serving(Truth((behaviour,))) as truth, pool_of(truth) as pool:
        for _ in range(2):
            assert ask(pool, **LIMITS.get(word, {})).outcome == word
    assert len(truth.asked) == 2


@pytest.mark.parametrize(("behaviour", "word"), ANSWERS.items())
def test_an_answer_of_one_piece_is_ok_by_what_is_in_it(behaviour: str, word: str) -> None:
    """Embeddings and moderation have no tokens: only the whole time is one of them."""
    with serving(Truth((behaviour,))) as truth, pool_of(truth) as pool:
        sample = ask(pool, streamed=False)
    assert sample.outcome == word
    assert (sample.ttft, sample.tpot, sample.gaps) == (None, None, ())
    assert (sample.e2e is not None) == (word == OK)


def test_an_answer_of_one_piece_takes_no_longer_than_all_may() -> None:
    """It has no first token to wait for."""
    with serving(Truth(("hang",))) as truth, pool_of(truth) as pool:
        assert ask(pool, streamed=False, first_token=0.001, total=0.1).outcome == outcome.TIMEOUT_TOTAL


def test_tokens_are_counted_by_the_server_and_events_by_us() -> None:
    """33 tokens: one, then sixteen at a time."""
    with serving(Truth()) as truth, pool_of(truth) as pool:
        sample = ask(pool)
    assert (sample.tokens, sample.prompt_tokens, sample.events) == (33, 1, 3)
    assert (sample.arm, sample.release) == ("canary", "v2")


def test_thinking_is_text_too() -> None:
    """Reasoning content is what a user waits for as well."""
    with serving(Truth(("thinking",))) as truth, pool_of(truth) as pool:
        assert ask(pool).events == 4


def test_events_that_come_together_are_one_arrival() -> None:
    """No gaps of 0 ms, and no time per token where there is only one moment."""
    with serving(Truth(("joined",))) as truth, pool_of(truth) as pool:
        sample = ask(pool)
    assert (sample.events, sample.gaps, sample.tpot) == (3, (), None)


def test_times_are_the_servers() -> None:
    """They are never shorter than what it took to the first text, or out of order."""
    with serving(Truth(prefill=0.05, gap=0.01, late=0.02)) as truth, pool_of(truth) as pool:
        ask(pool)  # the kernel takes a moment to begin with its stamps
        sample = ask(pool)
    assert sample.ttft is not None and sample.e2e is not None
    assert 0.05 <= sample.ttft <= sample.ttft + sum(sample.gaps) <= sample.e2e <= sample.total
    assert sample.kernel and sample.receive_delay > 0


def test_what_connecting_takes_is_in_no_latency() -> None:
    """And only the first request connects; the second finds the connection."""
    with serving(Truth()) as truth, pool_of(truth) as pool:
        first, second = ask(pool), ask(pool)
    assert first.connect > 0 == second.connect
    assert 0 <= first.lag < first.sent
    assert truth.connections == 1


@pytest.mark.parametrize(("respect", "wait"), [(True, 0.02), (False, 0.5)])
def test_a_request_that_was_too_many_is_sent_again(respect: bool, wait: float) -> None:
    """After the time the server asks for or our own, which is in no latency."""
    with serving(Truth(("429_once",))) as truth, pool_of(truth) as pool:
        sample = ask(pool, retry=Retry(most=3, respect_retry_after=respect))
    assert (sample.outcome, sample.retries, len(truth.asked)) == (OK, 1, 2)
    assert sample.ttft is not None
    assert sample.retry_wait >= wait
    assert sample.lag == pytest.approx(sample.sent - sample.connect - sample.retry_wait)


@pytest.mark.parametrize(("most", "sent"), [(0, 1), (2, 3)])
def test_a_request_is_sent_again_so_often_and_no_more(most: int, sent: int) -> None:
    """The last answer counts."""
    with serving(Truth(("429",))) as truth, pool_of(truth) as pool:
        sample = ask(pool, retry=Retry(most=most))
    assert (sample.outcome, sample.retries, len(truth.asked)) == (http(429), most, sent)


def test_a_wait_that_is_longer_than_a_request_may_take_is_not_begun() -> None:
    """Half a second is our own first wait."""
    with serving(Truth(("429",))) as truth, pool_of(truth) as pool:
        sample = ask(pool, retry=Retry(most=3, respect_retry_after=False), total=0.4)
    assert (sample.outcome, sample.retries, len(truth.asked)) == (http(429), 0, 1)


def test_a_stream_that_never_ends_is_cut_off() -> None:
    """Each phase is in time, and all of them together are not."""
    with serving(Truth(gap=0.02)) as truth, pool_of(truth) as pool:
        sample = ask(pool, request(tokens=10_000), total=0.2)
    assert sample.outcome == outcome.TIMEOUT_TOTAL
    assert sample.ttft is not None and len(sample.gaps) > 1


def test_a_request_longer_than_the_kernels_buffer_is_sent_whole() -> None:
    """Eight megabytes, while the server takes its time."""
    with serving(Truth()) as truth, pool_of(truth) as pool:
        assert ask(pool, request(length=2**23)).outcome == OK
    assert len(truth.asked[0].body["prompt"]) == 2**23


def test_a_frozen_server_does_not_stop_the_sending() -> None:
    """The time to the first token is then up while the request is still on its way."""
    with socket.create_server(("127.0.0.1", 0)) as frozen, pool_of(Truth(url=_url(frozen))) as pool:
        assert ask(pool, request(length=2**24), first_token=0.1).outcome == outcome.TIMEOUT_FIRST_TOKEN


def test_a_port_that_nobody_listens_on_is_refused() -> None:
    """What it took to be refused is the whole time, and there are no others."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = _url(free)
    with pool_of(Truth(url=url)) as pool:
        sample = ask(pool)
    assert (sample.outcome, sample.arm, sample.kernel) == (outcome.REFUSED, "unknown", False)
    assert (sample.ttft, sample.e2e, sample.tokens) == (None, None, 0)


def test_a_server_that_takes_no_more_connections_is_a_timeout() -> None:
    """Its queue is full: the kernel answers nothing at all."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, pool_of(Truth(url=_url(full))) as pool:
        waiting = [gevent.spawn(ask, pool, first_token=0.3, connect=0.1) for _ in range(4)]
        words = {one.get().outcome for one in waiting}
    assert outcome.TIMEOUT_CONNECT in words


def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    """Servers close those that are idle for long: the next request needs a new one, which here nobody gives."""
    with serving(Truth()) as truth:
        pool = Pool(truth.url)
        assert ask(pool).outcome == OK
    assert ask(pool).outcome == outcome.REFUSED
    pool.close()


def _url(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"
