"""What a client asks of an OpenAI-compatible server, as vLLM 0.33 reads it. Pure: bytes in, a value out.

A token here is one whitespace-separated word: there is no tokenizer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.local.answer import Kind, error_body

COMPLETION_TOKENS = 16  # OpenAI's and vLLM's default max_tokens of /v1/completions


class RequestError(Exception):
    """The request is answered with an HTTP error instead of tokens."""

    def __init__(self, status: int, message: str, type: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, type, status, param)


@dataclass(frozen=True, slots=True)
class Call:
    """A parsed request; `words` are its prompt's tokens, `max_tokens` None means as many as fit."""

    kind: Kind
    model: str | None
    words: list[str] | list[int]
    max_tokens: int | None
    stream: bool = False
    include_usage: bool = False
    ignore_eos: bool = False
    salt: str = ""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str | None = None


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _Generation(_Body):
    n: int = Field(1, ge=1, le=1, description="the simulation makes one choice")
    stream: bool = False
    stream_options: _StreamOptions | None = None
    ignore_eos: bool = False
    cache_salt: str = ""


class _Completion(_Generation):
    prompt: str | list[int] | list[str] | list[list[int]]
    max_tokens: int | None = Field(COMPLETION_TOKENS, ge=1)


class _Part(BaseModel):
    text: str = ""


class _Message(BaseModel):
    role: str
    content: str | list[_Part] | None = None


class _Chat(_Generation):
    messages: list[_Message] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)


class _Embedding(_Body):
    input: str | list[int] | list[str] | list[list[int]]


_BodyType = TypeVar("_BodyType", bound=_Body)


def parse(kind: Kind, body: bytes) -> Call:
    """The request in a body. Raises RequestError with HTTP 400 that names the field."""
    match kind:
        case Kind.COMPLETION:
            completion = _validated(_Completion, body)
            return _generation(kind, completion, _words(completion.prompt, "prompt"), completion.max_tokens)
        case Kind.CHAT:
            chat = _validated(_Chat, body)
            limit = chat.max_tokens if chat.max_completion_tokens is None else chat.max_completion_tokens
            return _generation(kind, chat, _said(chat.messages), limit)
        case Kind.EMBEDDING:
            embedding = _validated(_Embedding, body)
            return Call(kind, embedding.model, _words(embedding.input, "input"), 0)


def _generation(kind: Kind, body: _Generation, words: list[str] | list[int], limit: int | None) -> Call:
    if body.stream_options and not body.stream:
        raise _bad("Stream options can only be defined when `stream=True`.", "stream_options")
    usage = body.stream_options is not None and body.stream_options.include_usage
    return Call(kind, body.model, words, limit, body.stream, usage, body.ignore_eos, body.cache_salt)


def _validated(model: type[_BodyType], body: bytes) -> _BodyType:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        text = "; ".join(f"{_path(one['loc'])}: {one['msg']}" for one in errors[:10])
        label = "error" if len(errors) == 1 else "errors"
        message = f"{len(errors)} validation {label}: {text}"
        raise RequestError(400, message, "Bad Request", _path(errors[0]["loc"])) from error


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(("body", *(str(part) for part in location)))


def _words(prompt: str | list[int] | list[str] | list[list[int]], name: str) -> list[str] | list[int]:
    """The tokens of a prompt: text, token ids, or a list with one of these."""
    match prompt:
        case str():
            words: list[str] | list[int] = prompt.split()
        case [str() as only]:
            words = only.split()
        case [list() as only]:
            words = only
        case [int(), *_]:
            words = [token for token in prompt if isinstance(token, int)]
        case [_, _, *_]:
            raise _bad("The simulated server takes one prompt in a request.", name)
        case _:
            words = []
    if not words:
        raise _bad("The prompt must have at least one token.", name)
    return words


def _said(messages: list[_Message]) -> list[str]:
    """All words of a conversation; a message adds one for its role, so that no chat is empty."""
    words = []
    for message in messages:
        words.append(message.role)
        match message.content:
            case str(text):
                words += text.split()
            case list(parts):
                words += [word for part in parts for word in part.text.split()]
    return words


def _bad(message: str, param: str) -> RequestError:
    return RequestError(400, message, "BadRequestError", param)


def token_limit(call: Call, max_model_len: int) -> int:
    """How many tokens may be made for a call. Raises RequestError when the context is too short."""
    left = max_model_len - len(call.words)
    needed = call.max_tokens if call.max_tokens is not None else 1
    if left < needed:
        asked = f"{len(call.words)} prompt tokens and {needed} output tokens"
        raise _bad(f"{asked} exceed the model's maximum context length ({max_model_len}).", "max_tokens")
    return left if call.max_tokens is None else call.max_tokens
