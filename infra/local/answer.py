"""What an OpenAI-compatible server writes, byte for byte as vLLM 0.33 does. Pure: values in, bytes out.

Answers are words from a fixed list, the same for the same request id, and mean nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Any
from zlib import crc32

from infra.local.generation import Finish

DONE = b"data: [DONE]\n\n"
EMBEDDING_SIZE = 64
WORDS = (
    "the fleet keeps its promise while one small region turns and a quiet engine answers every call in order then "
    "waits for more work as tokens arrive blocks fill caches warm batches grow and shrink again until each stream "
    "ends where it should with nothing lost between here and there no matter how long that road may be today friend"
)
VOCABULARY = WORDS.split()


class Kind(Enum):
    """The three calls; the value is how response ids begin."""

    COMPLETION = "cmpl"
    CHAT = "chatcmpl"
    EMBEDDING = "embd"


def error_body(message: str, type: str, status: int, param: str | None = None) -> bytes:
    """An error in OpenAI's shape."""
    return _json({"error": {"message": message, "type": type, "param": param, "code": int(status)}})


def error_event(message: str, type: str, status: int) -> bytes:
    """An error inside a stream and the end of that stream, as vLLM writes them: HTTP status 200 is already sent."""
    return b"data: " + error_body(message, type, status) + b"\n\n" + DONE


def models(model: str, created: int, max_model_len: int) -> bytes:
    """The list of the one model that is served."""
    card = {"id": model, "object": "model", "created": created, "owned_by": "vllm", "root": model, "parent": None}
    return _json({"object": "list", "data": [card | {"max_model_len": max_model_len, "permission": []}]})


class Answer:
    """Writes the response to one call, whole or in events."""

    def __init__(
        self, kind: Kind, request: str, model: str, created: int, prompt: Sequence[str | int], usage: bool = False
    ) -> None:
        self._kind, self._model, self._created, self._prompt = kind, model, created, prompt
        self._usage_wanted = usage
        self._id = f"{kind.value}-{request}"
        self._start = crc32(request.encode()) % len(VOCABULARY)
        self._made = 0
        self._opening = _opening(self._id, _OBJECTS[kind], created, model)
        self._before = self._opening + _BEFORE[kind]
        self._after = _AFTER[kind]

    def event(self, tokens: int, finish: Finish | None = None) -> bytes:
        """The event with the next tokens; before the first of a chat comes one that only names the role."""
        text = _text((self._start + self._made) % len(VOCABULARY), tokens, self._made > 0)
        role = b"" if self._made or self._kind is not Kind.CHAT else self._opening + _ROLE
        self._made += tokens
        return b"".join((role, self._before, text, self._after[finish]))

    def end(self) -> bytes:
        """What follows the last token: the usage if it was asked for, and [DONE]."""
        if not self._usage_wanted:
            return DONE
        return b"".join((self._opening, b'],"usage":', _json(self._usage()), b"}\n\n", DONE))

    def whole(self, tokens: int, finish: Finish | None) -> bytes:
        """The response that is not streamed; `finish` None is an answer that ended early."""
        self._made = tokens
        if self._kind is Kind.EMBEDDING:
            return _json(self._embedding())
        text = _text(self._start, tokens, False).decode()
        chat = self._kind is Kind.CHAT
        said = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        ended = {"logprobs": None, "finish_reason": finish.value if finish else None, "stop_reason": None}
        named = self._named("chat.completion" if chat else "text_completion")
        return _json(named | {"choices": [{"index": 0, **said, **ended}], "usage": self._usage()})

    def _named(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model}

    def _usage(self) -> dict[str, int]:
        prompt = len(self._prompt)
        return {"prompt_tokens": prompt, "total_tokens": prompt + self._made, "completion_tokens": self._made}

    def _embedding(self) -> dict[str, Any]:
        item = {"index": 0, "object": "embedding", "embedding": _vector(crc32(repr(self._prompt).encode()))}
        return self._named("list") | {"data": [item], "usage": self._usage()}


def _opening(id: str, kind: str, created: int, model: str) -> bytes:
    """How every event of a response begins."""
    name, served = json.dumps(id), json.dumps(model)
    return f'data: {{"id":{name},"object":"{kind}","created":{created},"model":{served},"choices":['.encode()


def _reason(finish: Finish | None) -> str:
    return f'"{finish.value}"' if finish else "null"


def _after_completion(finish: Finish | None) -> bytes:
    ended = f'"logprobs":null,"finish_reason":{_reason(finish)},"stop_reason":null'
    return f'",{ended},"prompt_token_ids":null,"token_ids":null}}]}}\n\n'.encode()


def _after_chat(finish: Finish | None) -> bytes:
    stop, versions = ('"stop_reason":null,', ',"weight_versions":null') if finish else ("", "")
    ended = f'"logprobs":null,"finish_reason":{_reason(finish)},{stop}"token_ids":null{versions}'
    return f'"}},{ended}}}],"kv_transfer_params":null}}\n\n'.encode()


# The fields and their order are those of vLLM's models after exclude_unset: what vLLM sets to None is written as null.
_OBJECTS = {Kind.COMPLETION: "text_completion", Kind.CHAT: "chat.completion.chunk", Kind.EMBEDDING: "list"}
_ROLE = (
    b'{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],'
    b'"prompt_token_ids":null,"prompt_text":null}\n\n'
)
_BEFORE = {Kind.COMPLETION: b'{"index":0,"text":"', Kind.CHAT: b'{"index":0,"delta":{"content":"', Kind.EMBEDDING: b""}
_AFTER: dict[Kind, dict[Finish | None, bytes]] = {
    Kind.COMPLETION: {finish: _after_completion(finish) for finish in (None, *Finish)},
    Kind.CHAT: {finish: _after_chat(finish) for finish in (None, *Finish)},
    Kind.EMBEDDING: {},
}


@lru_cache(maxsize=4096)
def _text(start: int, tokens: int, continued: bool) -> bytes:
    """`tokens` words of the vocabulary, round and round from `start`."""
    words = " ".join(VOCABULARY[(start + position) % len(VOCABULARY)] for position in range(tokens))
    return f"{' ' if continued and words else ''}{words}".encode()


def _vector(seed: int) -> list[float]:
    """A unit vector that depends on `seed` only."""
    raw = [math.sin(seed + position * 12.9898) for position in range(EMBEDDING_SIZE)]
    length = math.hypot(*raw)
    return [value / length for value in raw]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
