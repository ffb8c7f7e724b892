"""What is read has the time at which the kernel took it, with TLS or without, however late the read."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import perf_counter

import pytest
from gevent.event import Event

from loadtests.order import Timeouts
from loadtests.wire import connection as module
from loadtests.wire import reader as turns
from loadtests.wire import stamp
from loadtests.wire.connection import Connection
from loadtests.wire.exchange import Terms, exchange
from loadtests.wire.outcome import OK, REFUSED, RESET
from loadtests.wire.pool import Pool
from loadtests.wire.reader import FAST, STEADY, Reader
from loadtests.wire.sample import Sample
from loadtests.wire.tls import trusting
from tests.loadtests.truth import Truth, serving

PEM = Path(__file__).parents[2] / "cases" / "load" / "localhost.pem"
REQUEST = b'POST / HTTP/1.1\r\nx-request-id: r-0\r\nContent-Length: 17\r\n\r\n{"max_tokens":33}'
LATE = 0.01  # s that a read is put off: far more than what two clocks can differ by


class Told:
    """Keeps what came."""

    def __init__(self) -> None:
        self.came: list[tuple[bytes, float]] = []
        self.ended: list[OSError | None] = []
        self.enough = Event()

    def feed(self, data: bytes, at: float) -> int:
        self.came.append((data, at))
        self.enough.set()
        return data.count(b"token")

    def hang_up(self, error: OSError | None) -> None:
        self.ended.append(error)
        self.enough.set()


@pytest.fixture(scope="module", autouse=True)
def stamping() -> Iterator[None]:
    """The kernel has begun to stamp, and goes on as long as there is a socket that asks for it."""
    deadline = perf_counter() + 5.0
    with socket.socket() as kept:
        stamp.ask(kept)
        while perf_counter() < deadline:
            with connected() as (made, other, told, _):
                other.sendall(b"token")
                assert told.enough.wait(5.0)
                if made.kernel:
                    break
        yield


@contextmanager
def connected() -> Iterator[tuple[Connection, socket.socket, Told, Reader]]:
    """A connection, its other side, and who is told."""
    reader = Reader()
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Connection(reader)
        made.connect(server.getsockname())
        told = Told()
        made.expect(told)
        with server.accept()[0] as other:
            yield made, other, told, reader
    made.close()
    reader.close()


def late() -> float:
    """The moment from which a busy client does nothing for a while."""
    now = perf_counter()
    while perf_counter() < now + LATE:
        pass
    return now


def test_a_late_read_has_the_time_of_the_kernel() -> None:
    """It had come before the client was busy."""
    with connected() as (made, other, told, _):
        other.sendall(b"token")
        busy = late()
        assert told.enough.wait(5.0)
    [(data, at)] = told.came
    assert data == b"token"
    assert at <= busy + STEADY
    assert made.delay >= LATE - STEADY
    assert made.kernel


@pytest.mark.parametrize("patience", [FAST, 60.0])
def test_tokens_that_a_late_read_finds_together_have_no_times_of_their_own(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    """The kernel tells the time of the last one only. Without the client's fault, the server sent them together."""
    monkeypatch.setattr(turns, "FAST", patience)
    with connected() as (made, other, told, _):
        other.sendall(b"token")
        late()
        other.sendall(b"token")  # its own time is no older than a moment
        assert told.enough.wait(5.0)
    assert [data for data, _ in told.came] == [b"tokentoken"]
    assert made.merged == (patience == FAST)


def test_an_end_takes_nothing_from_the_times_before_it() -> None:
    """It is stamped by nobody. A server that ends each answer so is read in turns, like any other."""
    with connected() as (made, other, told, reader):
        other.sendall(b"token")
        assert told.enough.wait(5.0)
        told.enough.clear()
        other.shutdown(socket.SHUT_WR)
        assert told.enough.wait(5.0)
        assert told.ended == [None]
        assert made.kernel
        assert not reader.hurried


def test_without_the_kernels_times_ours_are_used_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a kernel that has none. Nothing is read in turns then: they would be in the times."""
    monkeypatch.setattr(stamp, "SO_TIMESTAMPNS", 9999)
    with connected() as (made, other, told, reader):
        other.sendall(b"token")
        busy = late()
        assert told.enough.wait(5.0)
        assert reader.hurried
    assert told.came[0][1] >= busy + LATE
    assert not made.kernel
    assert made.delay == 0


def test_what_nobody_asked_for_ends_the_connection() -> None:
    """It cannot be the answer to what will be asked."""
    with connected() as (made, other, _, _):
        made.sink = None
        other.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        assert not made.idle()


@pytest.mark.parametrize("hard", [False, True])
def test_an_end_is_told(hard: bool) -> None:
    """With its error if it was one."""
    with connected() as (made, other, told, _):
        if hard:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        other.close()
        assert told.enough.wait(5.0)
        assert not made.open
    [error] = told.ended
    assert isinstance(error, ConnectionResetError) if hard else error is None


def send_tokens(other: socket.socket, told: Told, most: int) -> Iterator[None]:
    """Send one token after the other, each when the one before was read."""
    for number in range(1, most + 1):
        told.enough.clear()
        other.sendall(b"token")
        assert told.enough.wait(5.0)
        assert len(told.came) == number
        yield


def test_streams_whose_tokens_would_meet_in_one_turn_are_read_at_once() -> None:
    """Three in a row that follow each other at once are seen, even on a busy machine, soon."""
    with connected() as (_, other, told, reader):
        assert not reader.hurried
        assert any(reader.hurried for _ in send_tokens(other, told, 1000))
        assert len(told.came) > 3


def test_a_stream_is_not_fast_for_one_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is bunched with another on its way; nor if all of them take their time, for which any time does here."""
    monkeypatch.setattr(module, "FAST", 0.0)
    with connected() as (_, other, told, reader):
        assert not any(reader.hurried for _ in send_tokens(other, told, 20))


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context


def ask(pool: Pool) -> Sample:
    return exchange(pool, lambda: REQUEST, Terms(Timeouts()), 0.0, perf_counter()).sample()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_keeps_the_times_of_the_kernel(newest: ssl.TLSVersion) -> None:
    """A session's tickets and the like come without being asked for, and do no harm."""
    context = trusting(str(PEM))
    context.maximum_version = newest
    with serving(Truth(prefill=0.02), tls=server_context()) as truth:
        pool = Pool(truth.url, context)
        samples = [ask(pool) for _ in range(3)]
        pool.close()
    assert [(one.outcome, one.kernel, one.events) for one in samples] == [(OK, True, 3)] * 3
    assert truth.connections == 1
    assert samples[0].connect > 0 == samples[1].connect


@pytest.mark.parametrize("behaviour", ["cut", "reset"])
def test_a_tls_connection_that_is_cut_is_a_reset(behaviour: str) -> None:
    """Also when its end is a proper one of TLS."""
    with serving(Truth((behaviour,)), tls=server_context()) as truth:
        pool = Pool(truth.url, trusting(str(PEM)))
        assert ask(pool).outcome == RESET
        pool.close()


def test_who_is_not_trusted_gets_no_request() -> None:
    """This machine does not trust the certificate of the tests."""
    with serving(Truth(), tls=server_context()) as truth:
        pool = Pool(truth.url)
        assert ask(pool).outcome == REFUSED
        pool.close()
    assert truth.asked == []


def test_who_speaks_no_tls_gets_no_request() -> None:
    """A server of plain HTTP answers the greeting of TLS in its own way."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def complain() -> None:
            with server.accept()[0] as other:
                other.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        Thread(target=complain).start()
        pool = Pool(f"https://127.0.0.1:{server.getsockname()[1]}")
        assert ask(pool).outcome in (REFUSED, RESET)
        pool.close()
