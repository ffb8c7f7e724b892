"""One response as it comes: llhttp takes the framing off, the events are counted, and each read has its time. Pure.

It is fed what was read and when that came, and opens no socket and reads no clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import sub
from typing import Any

import httptools

from loadtests.wire.outcome import Outcome, Seen
from loadtests.wire.shape import Shape, shape_of
from loadtests.wire.sse import Event, Kind, Parser, is_tail

LONGEST = 16 * 2**20  # bytes of a JSON answer: a thousand embeddings of 1,536 numbers have about half of it


class Reply:
    """What the bytes of one response came to. `ended` is called once: when it is whole, broken or nonsense."""

    def __init__(self, ended: Callable[[], None], *, streamed: bool = True) -> None:
        self._ended, self._streamed = ended, streamed
        self._http = httptools.HttpResponseParser(self)
        self._parser = Parser()
        self._learned: Shape | None = None
        self._shape: Shape | None = None  # what was learned, while the next read begins with a chunk and an event
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._tail: list[tuple[bytes, float]] = []
        self._chunked = self._again = False
        self.at = 0.0  # of the last read that was not a token known at a glance
        self.times: list[float] = []  # of reads that completed a token event, however many
        self.finish_at: float | None = None
        self.status: int | None = None
        self.events = self.received = 0
        self.tokens: int | None = None
        self.prompt_tokens = 0
        self.over = self.stream = self.complete = self.cut = self.excess = False
        self.done = self.error = self.malformed = self.whole = False

    def feed(self, data: bytes, at: float) -> int:
        """Take what was read; `at` is when it came. How many token events it completed."""
        shape = self._shape
        if shape is not None and shape.fits(data):
            self.times.append(at)
            self.events += 1
            self.received += len(data) - shape.around
            return 1
        self.at, known = at, self.events
        try:
            self._http.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._nonsense()
        if self.events > known:
            self.times.append(at)
            self._learned = shape_of(data) or self._learned
        between = self._chunked and data.endswith(b"\r\n") and not (self._parser.rest or self._tail)
        self._shape = self._learned if between else None
        return self.events - known

    def hang_up(self, error: OSError | None) -> None:
        """Nothing more will come. That is an end only of a body that has no other; else it was cut."""
        delimited = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        if error is None and self.status is not None and not delimited and not self.over:
            self.on_message_complete()
        self._again = False
        self.cut = not self.over
        self._stop()

    def close(self) -> None:
        """Nothing more is fed. The parser and this hold each other, and would wait for the garbage collector."""
        del self._http

    def header(self, name: str) -> str:
        """A header's value; empty where there is none."""
        return self._headers.get(name.encode(), b"").decode("latin-1")

    def seen(self, broken: Outcome | None) -> Seen:
        """What there is to judge."""
        return Seen(
            status=self.status,
            stream=self.stream,
            finish=self.finish_at is not None,
            done=self.done,
            whole=self.whole,
            error=self.error,
            malformed=self.malformed,
            broken=broken,
        )

    @property
    def reusable(self) -> bool:
        """Whether the connection can carry another request."""
        return self._again and not self.excess

    @property
    def gaps(self) -> tuple[float, ...]:
        """Seconds from each arrival of text to the next."""
        return tuple(map(sub, self.times[1:], self.times))

    @property
    def tpot(self) -> float | None:
        """Mean seconds per token after the first; needs the usage event, because an event may hold several tokens."""
        if len(self.times) < 2 or self.tokens is None or self.tokens < 2:
            return None
        return (self.times[-1] - self.times[0]) / (self.tokens - 1)

    @property
    def last(self) -> float | None:
        """When the last text or the finish reason came, or the end of an answer that is not streamed."""
        if self.whole:
            return self.at
        moments = [at for at in (self.times[-1] if self.times else None, self.finish_at) if at is not None]
        return max(moments, default=None)

    # What llhttp calls.

    def on_message_begin(self) -> None:
        self.excess |= self.over

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.over:
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        status = self._http.get_status_code()
        if self.over:
            return
        if status < 200:  # the real one is to come
            self._headers.clear()
            return
        self.status = status
        self.stream = self._headers.get(b"content-type", b"").startswith(b"text/event-stream")

    def on_chunk_header(self) -> None:
        self._chunked = False

    def on_chunk_complete(self) -> None:
        self._chunked = True

    def on_body(self, body: bytes) -> None:
        self.received += len(body)
        if self.stream:
            if not self._parser.rest and is_tail(body):
                self._tail.append((body, self.at))
            else:
                self.settle()
                self._parse(body)
        elif self.received <= LONGEST:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self.status is None:
            return
        self.complete, self._again = True, bool(self._http.should_keep_alive())  # asked later, llhttp has forgotten
        if not self._streamed and not self.stream and self.status == 200:
            self._read_answer(b"".join(self._body))
        self._stop()

    def settle(self) -> None:
        """Read what was put off: to be done before anything is asked of a reply that has ended.

        What a stream says at its end is JSON, and nobody waits for it.
        """
        tail, self._tail, now = self._tail, [], self.at
        for body, self.at in tail:
            known = self.events
            self._parse(body)
            if self.events > known:
                self.times.append(self.at)
        self.at = now

    def _parse(self, body: bytes) -> None:
        for event in self._parser.feed(body):
            self._see(event)

    def _see(self, event: Event) -> None:
        if event.token:
            self.events += 1
        if event.kind is Kind.TOKEN and event.tokens is None:
            return
        self.done |= event.kind is Kind.DONE
        self.error |= event.kind is Kind.ERROR
        self.malformed |= event.kind is Kind.MALFORMED
        if event.finish is not None:
            self.finish_at = self.at
        self._count(event.tokens, event.prompt_tokens)

    def _count(self, tokens: int | None, prompt: int | None) -> None:
        self.tokens = self.tokens if tokens is None else tokens
        self.prompt_tokens = prompt or self.prompt_tokens

    def _read_answer(self, body: bytes) -> None:
        """An answer that is not streamed is whole if it is a JSON object with results and without an error."""
        try:
            answer: Any = json.loads(body)
        except ValueError:
            self.malformed = True
            return
        answer = answer if isinstance(answer, dict) else {}
        self.error = bool(answer.get("error"))
        self.whole = not self.error and any(isinstance(answer.get(key), list) for key in ("data", "results"))
        usage = answer.get("usage")
        if isinstance(usage, dict) and isinstance(usage.get("prompt_tokens"), int):
            self.prompt_tokens = usage["prompt_tokens"]

    def _nonsense(self) -> None:
        """What llhttp does not understand: an answer that is no HTTP, or something said after its end."""
        self.excess = True
        self.malformed |= not self.complete
        self._stop()

    def _stop(self) -> None:
        if not self.over:
            self.over = True
            self._ended()
