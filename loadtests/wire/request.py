"""The HTTP request that an arrival becomes, for each API of an OpenAI-compatible server. Pure: bytes, no socket."""

from __future__ import annotations

import json
from dataclasses import dataclass

from loadtests.arrivals.arrival import Arrival, number_of
from loadtests.order import Order
from loadtests.wire.prompt import prompt
from loadtests.wire.secret import Keys, Secret

AZURE = ".azure.com"  # hosts that take a key as `api-key`; all others take it as a bearer token
STRICT = AZURE, "api.openai.com"  # hosts that refuse what is not in OpenAI's own API, such as vLLM's ignore_eos


@dataclass(frozen=True, slots=True)
class Form:
    """Where an API is, what is around the prompt in its body, and whether it answers with a stream."""

    path: str
    before: bytes
    after: bytes = b'"'
    streamed: bool = True


FORMS = {
    "chat": Form("/v1/chat/completions", b'"messages":[{"role":"user","content":"', b'"}]'),
    "completions": Form("/v1/completions", b'"prompt":"'),
    "embeddings": Form("/v1/embeddings", b'"input":"', streamed=False),
    "moderation": Form("/v1/moderations", b'"input":"', streamed=False),
}


class Writer:
    """Writes the requests of one order; a key of the pool goes with each, in turn."""

    def __init__(self, order: Order, keys: Keys | None = None) -> None:
        self._form, self._keys = FORMS[order.api], keys or Keys()
        self._names = order.loras or (order.model,)
        host = order.url.partition("://")[2].rstrip("/")
        name = host.rpartition(":")[0] or host
        self._key = "api-key: {}" if name.endswith(AZURE) else "Authorization: Bearer {}"
        self._end = _end(self._form, strict=name.endswith(STRICT))
        accept = "text/event-stream" if self._form.streamed else "application/json"
        self._head = (
            f"POST {self._form.path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Accept: {accept}\r\nx-ops-class: {order.traffic}\r\n"
        ).encode()

    @property
    def streamed(self) -> bool:
        """Whether the answers are streams."""
        return self._form.streamed

    def write(self, arrival: Arrival) -> bytes:
        """Head and body: a prompt of exactly the arrival's length, and an answer of exactly its length asked for."""
        body = self._body(arrival)
        return b"%b%bx-request-id: %b\r\nx-session-id: %b\r\nx-user-id: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            self._head,
            self._authorization(self._keys.take()),
            arrival.request.encode(),
            arrival.session.encode(),
            arrival.user.encode(),
            len(body),
            body,
        )

    def _body(self, arrival: Arrival) -> bytes:
        text = prompt(arrival.prompt_tokens, arrival.session, arrival.prefix)
        body = b'{"model":%b,%b%b%b' % (self._model(arrival), self._form.before, text, self._form.after)
        return body + (self._end % arrival.output_tokens if self._form.streamed else b"}")

    def _model(self, arrival: Arrival) -> bytes:
        """The model, or a LoRA of the order: a session stays with one, as a tenant does."""
        place = number_of(f"{arrival.session}:lora", len(self._names)) if len(self._names) > 1 else 0
        return json.dumps(self._names[place]).encode()

    def _authorization(self, key: Secret | None) -> bytes:
        return b"" if key is None else f"{self._key.format(key.reveal())}\r\n".encode()


def _end(form: Form, *, strict: bool) -> bytes:
    """The rest of a body whose answer is a stream; %d is how many tokens are asked for."""
    whole = b"" if strict else b'"ignore_eos":true,'
    return b',"max_tokens":%d,' + whole + b'"stream":true,"stream_options":{"include_usage":true}}'
