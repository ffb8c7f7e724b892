"""A load to run, and the request each arrival becomes. Pure: text and bytes, no socket and no clock.

A prompt has one three-letter word per token, so tokenizers by word and the rule of four characters a token both count
exactly what the trace says.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from itertools import product
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from loadtests.arrivals.arrival import Arrival

CONSONANTS, VOWELS = "bcdfghjklmnprstvz", "aeiou"
WORD = 4  # bytes: three letters and a space
OPENING = 4  # words drawn for each session: 1445 ** 4 openings, so no two sessions share a prefix by chance


class Order(BaseModel):
    """What to send where, and for how long. Seconds and requests per second; no `duration` is until it is stopped.

    `targets` is a directory in which Prometheus looks for what to scrape; `attached` means that stdin's end stops it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    model: str
    url: str = Field(pattern=r"^http://[^/]+/?$")
    rate: float = Field(gt=0, allow_inf_nan=False)
    duration: float | None = Field(default=None, gt=0)
    trace: str = "conv"
    max_output: int | None = Field(default=None, gt=0)
    seed: int = 0
    traffic: Literal["user", "synthetic"] = "user"
    users: int = Field(default=1000, gt=0)
    timeout: float = Field(default=60.0, gt=0)
    grace: float = Field(default=10.0, ge=0)
    fleet: str = ""
    region: str = ""
    targets: str | None = None
    attached: bool = False


class Writer:
    """Writes the HTTP request of each arrival of one order, none with a prompt of more than `longest` tokens."""

    def __init__(self, order: Order, longest: int, path: str = "/v1/chat/completions") -> None:
        words = "".join(f"{a}{b}{c} " for a, b, c in product(CONSONANTS, VOWELS, CONSONANTS)).encode()
        self._count = len(words) // WORD
        self._text = words * (longest // self._count + 2)
        host = order.url.removeprefix("http://").rstrip("/")
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Accept: text/event-stream\r\nx-ops-class: {order.traffic}\r\n"
        ).encode()
        self._start = b'{"model":%b,"messages":[{"role":"user","content":"' % json.dumps(order.model).encode()

    def write(self, arrival: Arrival) -> bytes:
        """Head and body: a prompt of exactly the arrival's length, and an answer of exactly its length asked for."""
        body = b'%b%b"}],"max_tokens":%d,"ignore_eos":true,"stream":true,"stream_options":{"include_usage":true}}' % (
            self._start,
            self.prompt(arrival),
            arrival.output_tokens,
        )
        return b"%bx-request-id: %b\r\nx-session-id: %b\r\nx-user-id: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            self._head,
            arrival.request.encode(),
            arrival.session.encode(),
            arrival.user.encode(),
            len(body),
            body,
        )

    def prompt(self, arrival: Arrival) -> bytes:
        """An opening of the session's own, then a slice of the word list."""
        drawn = blake2b(arrival.session.encode(), digest_size=2 * OPENING).digest()
        places = [int.from_bytes(drawn[at : at + 2], "big") % self._count * WORD for at in range(0, 2 * OPENING, 2)]
        opening = b"".join(self._text[place : place + WORD] for place in places)
        length = arrival.prompt_tokens * WORD - 1
        return (opening + self._text[: max(0, length - len(opening))])[:length]
