"""A model server of known truth: it does to each request what it was told to, and keeps what it was sent.

Real sockets and real HTTP, in a thread of its own. Requests take the behaviours in turn, by their number.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

EVENT_TOKENS = 16
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nx-ops-arm: canary\r\nx-ops-release: v2\r\n"
)
WAIT = "retry-after-ms: 20\r\nRetry-After: 30\r\n"
JSONS = {
    "vectors": '{"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":5,"total_tokens":5}}',
    "judged": '{"id":"m","results":[{"flagged":false}]}',
    "no_vectors": '{"object":"list"}',
    "failed": '{"error":{"message":"EngineCore died"}}',
    "nonsense": "{oops",
}


@dataclass
class Asked:
    """One request as it came."""

    headers: dict[str, str]
    body: dict[str, Any]

    path: str = ""

    @property
    def number(self) -> int:
        return int(self.headers["x-request-id"].rpartition("-")[2])


@dataclass
class Truth:
    """What the server does, and what it was sent. Seconds: `prefill` until the first token, `gap` between two events,
    `late` between the last text and [DONE]. What it does for as long as `gate` is closed ends when that is opened.
    """

    behaviours: Sequence[str] = ("ok",)
    gap: float = 0.0
    prefill: float = 0.0
    late: float = 0.0
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    open: int = 0
    most: int = 0
    events: int = 0
    gate: Event = field(default_factory=Event)

    def behaviour(self, asked: Asked) -> str:
        return self.behaviours[asked.number % len(self.behaviours)]


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """A chat completion chunk as vLLM writes it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def sse(value: object, end: str = "\n\n") -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}{end}".encode()


def answer(tokens: int, end: str = "\n\n") -> list[bytes]:
    """The events of a whole answer: role, one token, then sixteen at a time, finish, usage, [DONE]."""
    events = [sse(chunk({"role": "assistant", "content": ""}), end), sse(chunk({"content": "é"}), end)]
    for sent in range(1, tokens, EVENT_TOKENS):
        events.append(sse(chunk({"content": "日本 " * min(EVENT_TOKENS, tokens - sent)}), end))
    usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1}
    return [*events, sse(chunk({}, "length"), end), sse({"choices": [], "usage": usage}, end), sse("[DONE]", end)]


@contextmanager
def serving(truth: Truth, tls: ssl.SSLContext | None = None) -> Iterator[Truth]:
    """Serve `truth` on a free port; on leaving, drop what is open."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_listen(truth, tls), loop).result()
    scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
    truth.url = f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield truth
    finally:
        truth.gate.set()
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _listen(truth: Truth, tls: ssl.SSLContext | None) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        truth.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await _serve(truth, reader, writer):
                pass
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024, ssl=tls)


async def _close(server: asyncio.Server) -> None:
    server.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(truth: Truth, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; whether the connection can be used again."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    body = json.loads(await reader.readexactly(int(headers["content-length"])))
    asked = Asked(headers, body, lines[0].split(" ")[1])
    truth.asked.append(asked)
    truth.open += 1
    truth.most = max(truth.most, truth.open)
    behaviour = truth.behaviour(asked)
    first = [one.number for one in truth.asked].count(asked.number) == 1
    did = behaviour.removesuffix("_once") if first else "ok"
    again = await _behave(truth, did if behaviour.endswith("_once") else behaviour, body.get("max_tokens", 0), writer)
    truth.done[behaviour] += 1
    truth.open -= 1
    return again


async def _behave(truth: Truth, behaviour: str, tokens: int, writer: asyncio.StreamWriter) -> bool:
    match behaviour:
        case "freeze":
            truth.gate.wait()  # blocks the whole loop: a process that is stopped
            return await _behave(truth, "ok", tokens, writer)
        case "hang":
            await asyncio.Event().wait()
        case "302" | "400" | "404" | "429" | "500" | "503":
            writer.write(f"HTTP/1.1 {behaviour} No\r\n{WAIT}Content-Length: 2\r\n\r\n{{}}".encode())
            return True
        case "keep_alives":
            writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            while not truth.gate.is_set():
                writer.write(b"3\r\n:\n\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
            return False
        case "vectors" | "judged" | "no_vectors" | "failed" | "nonsense":
            text = JSONS[behaviour]
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
            writer.write((head + text).encode())
            return True
        case "not_http":
            writer.write(b"NOPE\r\n\r\n")
            return False
        case "not_a_stream":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            return True
        case "hang_up":
            return False
    await _stream(truth, behaviour, tokens, writer)
    return behaviour not in ("cut", "reset", "unframed")


async def _stream(truth: Truth, behaviour: str, tokens: int, writer: asyncio.StreamWriter) -> None:
    """A stream whose HTTP status is 200, whatever becomes of it."""
    framed = behaviour != "unframed"
    writer.write(HEAD + (b"Transfer-Encoding: chunked\r\n\r\n" if framed else b"\r\n"))
    await asyncio.sleep(truth.prefill)
    for event in _events(behaviour, tokens):
        if behaviour == "stall" and b'finish_reason":"' in event:
            await asyncio.to_thread(truth.gate.wait)
        if b"[DONE]" in event:
            await asyncio.sleep(truth.late)
        for piece in _pieces(behaviour, event):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if framed else piece)
            await writer.drain()
            await asyncio.sleep(0)
        truth.events += 1
        if truth.gap and b"content" in event:
            await asyncio.sleep(truth.gap)
    _finish(behaviour, writer)


def _events(behaviour: str, tokens: int) -> list[bytes]:
    whole = answer(tokens, "\r\n\r\n" if behaviour == "crlf" else "\n\n")
    match behaviour:
        case "error":
            return [
                *whole[:2],
                sse({"error": {"message": "EngineCore died", "type": "InternalServerError"}}),
                whole[-1],
            ]
        case "early" | "cut" | "reset":
            return whole[:2]
        case "no_done":
            return whole[:-1]
        case "no_finish":
            return [*whole[:-3], *whole[-2:]]
        case "no_json":
            return [whole[0], sse("{not json"), *whole[1:]]
        case "preamble":
            filtered = {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
            return [sse(filtered), *whole]
        case "joined":
            return [b"".join(whole[:-1]), whole[-1]]
        case "thinking":
            return [whole[0], sse(chunk({"reasoning_content": "hm"})), *whole[1:]]
        case "comments":
            return [b": keep-alive\n\n", *whole[:2], b":\n\n", *whole[2:]]
    return whole


def _pieces(behaviour: str, event: bytes) -> list[bytes]:
    """The event as it is put on the wire: whole, or in pieces of seven bytes with multi-byte characters cut."""
    return [event[at : at + 7] for at in range(0, len(event), 7)] if behaviour == "bytes" else [event]


def _finish(behaviour: str, writer: asyncio.StreamWriter) -> None:
    match behaviour:
        case "reset":
            linger = struct.pack("ii", 1, 0)  # close() sends RST
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        case "cut" | "unframed":
            pass
        case _:
            writer.write(b"0\r\n\r\n")
