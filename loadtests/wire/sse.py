"""Server-sent events of an OpenAI-compatible stream: bytes in, events out. Pure: no socket and no clock.

An event that carries tokens, or only a role, is recognised by its bytes; the one or two others of a stream are read as
JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# A blank line ends an event; a line ends with \r\n, \n or \r (HTML standard, 9.2.5). The groups are atomic, or the
# \r and the \n of one line end would pass for two.
BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
LINE_END = re.compile(rb"\r\n|\n|\r")
# Text inside a JSON string has its quotes escaped (\"content\":), so these match keys of the chunk and never an answer.
TOKEN_KEY = re.compile(rb'"(?:content|reasoning_content|reasoning|text)"\s*:\s*"[^"]')
# What a stream begins with: a role, and beside it no text.
ROLE_KEY = re.compile(rb'"delta"\s*:\s*\{\s*"role"\s*:\s*"[a-z]+"\s*(?:,\s*"\w+"\s*:\s*(?:""|null)\s*)*\}')
OTHER_KEY = re.compile(rb'"(?:finish_reason|stop_reason)"\s*:\s*["\d]|"error"\s*:\s*["{]|"usage"\s*:\s*\{')


class Kind(StrEnum):
    """What an event says, by the most important thing in it."""

    TOKEN = "token"
    ROLE = "role"
    FINISH = "finish"
    USAGE = "usage"
    ERROR = "error"
    DONE = "done"
    OTHER = "other"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `token` is also true where the last text comes in the same event as the finish reason or the usage."""

    kind: Kind
    token: bool = False
    finish: str | None = None
    tokens: int | None = None
    detail: str = ""
    prompt_tokens: int | None = None


TOKEN = Event(Kind.TOKEN, token=True)
ROLE = Event(Kind.ROLE)
DONE = Event(Kind.DONE)
OTHER = Event(Kind.OTHER)


class Parser:
    """Cuts a byte stream into events, however the bytes were cut on their way."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def rest(self) -> bytes:
        """What came after the last whole event: an event that was begun and not ended."""
        return self._rest.lstrip(b"\r\n")

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Comments and empty events give nothing."""
        known = max(0, len(self._rest) - 3)  # a blank line has at most four bytes: do not search the rest again
        buffer = self._rest + data if self._rest else data
        events: list[Event] = []
        start = 0
        while found := BLANK_LINE.search(buffer, max(start, known)):
            event = classify(buffer[start : found.start()].lstrip(b"\r\n"))
            if event is not None:
                events.append(event)
            start = found.end()
        self._rest = buffer[start:]
        return events


def is_tail(body: bytes) -> bool:
    """Whether whole events are of a stream's end, so that nobody waits for what they say: no text is in them."""
    if not body.endswith((b"\n\n", b"\r\n\r\n")):
        return False
    return (OTHER_KEY.search(body) is not None or b"[DONE]" in body) and TOKEN_KEY.search(body) is None


def classify(block: bytes) -> Event | None:
    """The meaning of one event, given its lines without the blank one. None for comments and keep-alives."""
    if block.startswith(b"data:") and not OTHER_KEY.search(block) and b"\n" not in block:
        if TOKEN_KEY.search(block):
            return TOKEN
        if ROLE_KEY.search(block):
            return ROLE
    return _meaning(*_fields(block))


def _fields(block: bytes) -> tuple[bytes, bytes | None]:
    """The event's name and its data, lines joined; None where it has no data line."""
    name, data = b"", list[bytes]()
    for line in LINE_END.split(block):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.strip()
    return name, b"\n".join(data) if data else None


def _meaning(name: bytes, data: bytes | None) -> Event | None:
    if data is None:
        return None
    if data.strip() == b"[DONE]":
        return DONE
    try:
        body = json.loads(data)
    except ValueError:
        return Event(Kind.MALFORMED, detail=data[:80].decode("utf-8", "replace"))
    if not isinstance(body, dict):
        return Event(Kind.MALFORMED, detail=f"a JSON {type(body).__name__}, not an object")
    if name == b"error" or body.get("error"):
        return Event(Kind.ERROR, detail=_error(body.get("error", body)))
    return _chunk(body)


def _chunk(body: dict[str, Any]) -> Event:
    """An event of a completion or a chat completion; the choices beyond the first are not asked for."""
    choice = _first(body.get("choices"))
    delta = _object(choice.get("delta"))
    token = any((delta.get("content"), delta.get("reasoning_content"), delta.get("reasoning"), choice.get("text")))
    token = token or bool(delta.get("tool_calls"))
    finish = choice.get("finish_reason")
    usage = _object(body.get("usage"))
    tokens = _count(usage.get("completion_tokens"))
    kind = _kind(token=token, finish=finish, tokens=tokens, role="role" in delta)
    named = finish if isinstance(finish, str) else None
    return Event(kind, token, named, tokens, prompt_tokens=_count(usage.get("prompt_tokens")))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _kind(*, token: bool, finish: object, tokens: int | None, role: bool) -> Kind:
    if isinstance(finish, str):
        return Kind.FINISH
    if token:
        return Kind.TOKEN
    if tokens is not None:
        return Kind.USAGE
    return Kind.ROLE if role else Kind.OTHER


def _error(error: object) -> str:
    if isinstance(error, dict):
        return str(error.get("type") or error.get("message") or "error")
    return str(error)


def _first(choices: object) -> dict[str, Any]:
    return _object(choices[0]) if isinstance(choices, list) and choices else {}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
