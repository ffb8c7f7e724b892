"""What is asked of a simulated engine, what it gives, and what it reports. Pure: values and one port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from infra.local.fate import End, Fate


class Finish(Enum):
    """Why the engine is done with a request; the values are vLLM's `finished_reason`."""

    STOP = "stop"
    LENGTH = "length"
    ABORT = "abort"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Request:
    """What to generate. `max_tokens` 0 asks for the prefill only, as an embedding does; `prefix`: see prefix_hashes."""

    id: str
    prompt_tokens: int
    max_tokens: int
    ignore_eos: bool = False
    prefix: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """New tokens of one request; `finish` with the last. After an error it comes alone, without tokens."""

    tokens: int
    finish: Finish | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that the engine is done with. Times in seconds; intervals that were never reached are 0."""

    reason: Finish
    prompt_tokens: int
    cached_tokens: int
    generated: int
    max_tokens: int
    preemptions: int
    e2e: float
    queue: float
    prefill: float
    decode: float


class Meter(Protocol):
    """What an engine reports while it works; `running` is the batch size."""

    def looked_up(self, tokens: int, hits: int) -> None:
        """The prefix cache was asked for a prompt of `tokens` and had `hits` of them."""

    def prefilled(self, prompt: int, cached: int, generated: int, latency: float, running: int) -> None:
        """A prompt was prefilled, `latency` after the request's arrival; `generated` is 1, or 0 for an embedding."""

    def decoded(self, tokens: int, gap: float, running: int) -> None:
        """A sequence got `tokens`, `gap` seconds after its last ones."""

    def preempted(self) -> None:
        """A sequence lost its blocks."""

    def finished(self, finished: Finished) -> None:
        """A request is over."""


def plan_output(request: Request, fate: Fate) -> tuple[int, Finish]:
    """How many tokens a request gets and why it ends there. A clean early end looks to the engine like a stop."""
    natural = request.max_tokens if request.ignore_eos else fate.length
    stops = natural <= request.max_tokens and not request.ignore_eos
    tokens, finish = min(natural, request.max_tokens), Finish.STOP if stops or not request.max_tokens else Finish.LENGTH
    broken = min(tokens, 1 + int(fate.cut * (tokens - 1)))
    match fate.end:
        case End.STREAM_ERROR:
            return broken, Finish.ERROR
        case End.EARLY:
            return broken, Finish.STOP
        case _:
            return tokens, finish
