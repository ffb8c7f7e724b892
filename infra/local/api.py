"""The HTTP side of a simulated model server: a bare ASGI application around one engine.

It decides status codes and when a stream ends. It knows no sockets, signals or files, and not what the bytes look like.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from infra.local.answer import Answer, Kind, error_body, error_event, models
from infra.local.engine import Engine
from infra.local.exposition import CONTENT_TYPE, Exposition
from infra.local.fate import End, Fate
from infra.local.generation import Finish, Output, Request
from infra.local.kv import prefix_hashes
from infra.local.question import Call, RequestError, parse, token_limit
from infra.simulate import Performance

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CALLS = {"/v1/completions": Kind.COMPLETION, "/v1/chat/completions": Kind.CHAT, "/v1/embeddings": Kind.EMBEDDING}
PAGES = ("/health", "/metrics", "/v1/models")
UNCOUNTED = ("/health", "/metrics")  # vLLM leaves them out of its http_ metrics
JSON = b"application/json"
RETRY = (b"retry-after", b"1")
INTERNAL = ("Internal server error", "InternalServerError", HTTPStatus.INTERNAL_SERVER_ERROR)
WITHDRAWN = "ReleaseWithdrawn"


@dataclass(slots=True, eq=False)
class _Open:
    """A call that is being answered, and why its task was cancelled, if it was."""

    task: asyncio.Task[Any]
    left: bool = False
    withdrawn: bool = False


@dataclass(slots=True)
class _Exchange:
    """What the http_ metrics want to know of one request and its response."""

    send: Send
    status: int = 0
    announced: int = 0


class Api:
    """Answers HTTP for one engine. Draining, it answers new calls with 503 and finishes the open ones."""

    def __init__(self, model: str, release: str, speed: Performance, engine: Engine, exposition: Exposition) -> None:
        self._model, self._release, self._speed = model, release, speed
        self._engine, self._exposition = engine, exposition
        self._open: set[_Open] = set()
        self._numbers = itertools.count(1)
        self._loop = asyncio.get_running_loop()
        self._started = int(time.time())
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    # -- its life --

    def drain(self) -> None:
        """Take no new calls from now on."""
        self._draining = True

    def withdraw(self) -> None:
        """End every open call with a typed error."""
        for call in self._open:
            call.withdrawn = True
            call.task.cancel()

    async def idle(self, seconds: float) -> bool:
        """Wait until no call is open, at most so long."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI."""
        begun = self._loop.time()
        path, method = scope["path"], scope["method"]
        exchange = _Exchange(send)
        headers = dict(scope["headers"])
        try:
            await self._route(exchange, path, method, headers, receive)
        except RequestError as error:
            retry = (RETRY,) if error.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) else ()
            await self._respond(exchange, error.status, error.body, *retry)
        finally:
            if path not in UNCOUNTED:
                handler = path if path in CALLS or path in PAGES else "none"
                sizes = _length(headers), exchange.announced
                self._exposition.answered(method, exchange.status or 500, handler, sizes, self._loop.time() - begun)

    async def _route(
        self, exchange: _Exchange, path: str, method: str, headers: dict[bytes, bytes], receive: Receive
    ) -> None:
        kind = CALLS.get(path)
        if kind is None and path not in PAGES:
            raise _refusal(HTTPStatus.NOT_FOUND, "Not Found")
        if method != ("POST" if kind else "GET"):
            raise _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed")
        if kind:
            await self._generate(exchange, kind, headers, receive)
        elif path == "/health":
            await self._respond(exchange, HTTPStatus.OK if self._serving else HTTPStatus.SERVICE_UNAVAILABLE, b"")
        elif path == "/metrics":
            await self._respond(exchange, HTTPStatus.OK, self._exposition.render(), kind=CONTENT_TYPE.encode())
        else:
            await self._respond(exchange, HTTPStatus.OK, models(self._model, self._started, self._speed.max_model_len))

    @property
    def _serving(self) -> bool:
        return self._engine.ready and not self._draining

    # -- one call --

    async def _generate(self, exchange: _Exchange, kind: Kind, headers: dict[bytes, bytes], receive: Receive) -> None:
        body = await _body(receive)
        if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != JSON:
            raise _refusal(HTTPStatus.BAD_REQUEST, "Unsupported Media Type: Only 'application/json' is allowed")
        if not self._serving:
            why = "is draining" if self._draining else "is loading"
            raise _refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"The server {why}.")
        call = parse(kind, body)
        self._check_model(call)
        limit = token_limit(call, self._speed.max_model_len)
        name = headers[b"x-request-id"].decode("latin-1") if b"x-request-id" in headers else f"{next(self._numbers)}"
        fate = self._admitted(name)
        request = Request(
            id=name,
            prompt_tokens=len(call.words),
            max_tokens=limit,
            ignore_eos=call.ignore_eos,
            prefix=prefix_hashes(call.words, self._speed.block_size, call.salt),
        )
        answer = Answer(kind, name, self._model, int(time.time()), call.words, call.include_usage)
        await self._follow(exchange, receive, call, request, fate, answer)

    def _check_model(self, call: Call) -> None:
        if call.model not in (None, self._model):
            message = f"The model `{call.model}` does not exist. Valid aliases: {self._model}."
            raise RequestError(HTTPStatus.NOT_FOUND, message, "NotFoundError", "model")

    def _admitted(self, name: str) -> Fate:
        """The fate of a request that the engine will see. (vLLM refuses with 503; gateways before it with 429.)"""
        fate = self._engine.fate(name)
        if fate.end is End.REFUSED:
            self._exposition.rejected()
            raise _refusal(HTTPStatus.TOO_MANY_REQUESTS, "The engine is currently busy. Please try again later.")
        if fate.end is End.HTTP_5XX:
            raise _internal()
        return fate

    async def _follow(
        self, exchange: _Exchange, receive: Receive, call: Call, request: Request, fate: Fate, answer: Answer
    ) -> None:
        """Answer while watching for the client's leaving and for the release's withdrawal."""
        task = asyncio.current_task()
        assert task is not None
        opened = _Open(task)
        self._open.add(opened)
        self._idle.clear()
        watcher = self._loop.create_task(_watch(receive, opened))
        try:
            await (self._stream if call.stream else self._whole)(exchange, request, fate, answer)
        except asyncio.CancelledError:
            if not (opened.left or opened.withdrawn):
                raise
            task.uncancel()
            if opened.withdrawn:
                await self._break_off(exchange)
        finally:
            watcher.cancel()
            self._open.discard(opened)
            if not self._open:
                self._idle.set()

    async def _stream(self, exchange: _Exchange, request: Request, fate: Fate, answer: Answer) -> None:
        await exchange.send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        exchange.status = 200
        send = exchange.send
        async with aclosing(self._engine.generate(request, fate)) as outputs:
            async for output in outputs:
                event = _event(answer, output, fate.end is End.EARLY)
                await send({"type": "http.response.body", "body": event, "more_body": output.finish is None})

    async def _whole(self, exchange: _Exchange, request: Request, fate: Fate, answer: Answer) -> None:
        tokens, finish = 0, None
        async with aclosing(self._engine.generate(request, fate)) as outputs:
            async for output in outputs:
                tokens, finish = tokens + output.tokens, output.finish
        if finish is Finish.ERROR:
            raise _internal()
        await self._respond(exchange, HTTPStatus.OK, answer.whole(tokens, None if fate.end is End.EARLY else finish))

    async def _break_off(self, exchange: _Exchange) -> None:
        """Tell a client that its release was withdrawn."""
        reason = f"The release {self._release} was withdrawn before the answer was complete.", WITHDRAWN
        if exchange.status:
            event = error_event(*reason, HTTPStatus.SERVICE_UNAVAILABLE)
            await exchange.send({"type": "http.response.body", "body": event, "more_body": False})
        else:
            body = error_body(*reason, HTTPStatus.SERVICE_UNAVAILABLE)
            await self._respond(exchange, HTTPStatus.SERVICE_UNAVAILABLE, body, RETRY)

    async def _respond(
        self, exchange: _Exchange, status: int, body: bytes, *more: tuple[bytes, bytes], kind: bytes = JSON
    ) -> None:
        exchange.status, exchange.announced = int(status), len(body)
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *more]
        await exchange.send({"type": "http.response.start", "status": int(status), "headers": headers})
        await exchange.send({"type": "http.response.body", "body": body})


STREAM_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8")]


def _event(answer: Answer, output: Output, early: bool) -> bytes:
    """The bytes for one output; the last ones with all that follows them."""
    match output.finish:
        case None:
            return answer.event(output.tokens)
        case Finish.ERROR:
            return error_event(*INTERNAL)
        case _ if early:
            return answer.event(output.tokens)
        case finish:
            return answer.event(output.tokens, finish) + answer.end()


def _internal() -> RequestError:
    message, type, status = INTERNAL
    return RequestError(status, message, type)


def _refusal(status: HTTPStatus, message: str) -> RequestError:
    return RequestError(status, message, status.phrase)


def _length(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _watch(receive: Receive, opened: _Open) -> None:
    """Cancel the call when its client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    opened.left = True
    opened.task.cancel()
