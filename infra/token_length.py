"""How long prompts and answers are, and what prompts have in common. Pure: says it, and draws nothing."""

from __future__ import annotations

from math import exp, log
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict, TypeAdapter, ValidationInfo, model_validator
from pydantic import field_validator as check

from infra.units import SomeDuration, SomeTokens, Tokens
from infra.yamlfile.part import Part, Positive
from infra.yamlfile.problem import brief

BLOCK = 512  # tokens of a block that prompts share: what the prefix hashes of the Mooncake traces stand for
MOST_TURNS = 100  # more than any context holds, where a turn has a few hundred tokens
Z95 = 1.6448536269514722  # standard deviations from the median to the 95th percentile of a normal distribution
FORMS = "a number, min and max, or median and p95"


class Length(Part):
    """Tokens: always the same number, evenly between two, or lognormal by median and 95th percentile."""

    exactly: SomeTokens | None = Field(None, description="Always so many; a bare number means the same.")
    min: SomeTokens | None = Field(None, description="The fewest, where all numbers up to max are as likely.")
    max: SomeTokens | None = Field(None, description="The most, for every form: what is longer is cut.")
    median: SomeTokens | None = Field(None, description="Half are shorter; lognormal, as real lengths nearly are.")
    p95: SomeTokens | None = Field(None, description="95 % are at most so long.")

    @model_validator(mode="before")
    @classmethod
    def _number(cls, given: Any) -> Any:
        return {"exactly": given} if isinstance(given, (int, float, str)) else given

    @check("max")
    @classmethod
    def _is_above(cls, most: int | None, info: ValidationInfo) -> int | None:
        if most and (least := info.data.get("min")) and most < least:
            raise ValueError(f"{most} is below the min of {least}")
        return most

    @check("p95")
    @classmethod
    def _is_beyond(cls, p95: int | None, info: ValidationInfo) -> int | None:
        if p95 and (median := info.data.get("median")) and p95 <= median:
            raise ValueError(f"{p95} is not above the median of {median}")
        return p95

    @model_validator(mode="after")
    def _has_one_form(self) -> Length:
        said = {name for name in ("exactly", "min", "median", "p95") if getattr(self, name)}
        whole = said == {"median", "p95"} or (said == {"min"} and self.max) or (said == {"exactly"} and not self.max)
        if not whole:
            raise ValueError(f"lengths are {FORMS}; keep one of these")
        return self

    @property
    def sigma(self) -> float:
        """Spread of the logarithm, where it is lognormal."""
        assert self.median is not None and self.p95 is not None
        return log(self.p95 / self.median) / Z95

    @property
    def mean(self) -> float | None:
        """Tokens on average; None for a lognormal that is cut."""
        if self.exactly:
            return float(self.exactly)
        if self.min and self.max:
            return (self.min + self.max) / 2
        assert self.median is not None
        return None if self.max else self.median * exp(self.sigma**2 / 2)


def _or_a_number(schema: dict[str, Any]) -> None:
    """In the JSON Schema, for editors."""
    schema["anyOf"].insert(0, {**TypeAdapter(Tokens).json_schema(), "description": "Always so many."})


class Lengths(Part):
    """Tokens of prompts and answers: each by itself, or both of one request of a recorded trace."""

    trace: Literal["conv", "code"] | None = Field(
        None, description="Drawn from its requests, prompt and answer together."
    )
    prompt: Length | None = Field(None, description="Prompts.", validate_default=True, json_schema_extra=_or_a_number)
    output: Length | None = Field(None, description="Answers.", validate_default=True, json_schema_extra=_or_a_number)

    @check("prompt", "output")
    @classmethod
    def _is_said_once(cls, length: Length | None, info: ValidationInfo) -> Length | None:
        if "trace" not in info.data:
            return length
        if info.data["trace"] and length:
            raise ValueError(f"the trace has both lengths; leave {info.field_name} or trace out")
        if not info.data["trace"] and not length:
            raise ValueError(f"write prompt and output, or a trace that has both; {info.field_name} is missing")
        return length


class Turns(Part):
    """Conversations: every request after the first has all that was said before in its prompt."""

    count: Annotated[int, Strict()] = Field(description="Requests of a conversation, 2 to 100.")
    pause: SomeDuration = Field(description="The least time between two of them: the user reads and writes.")

    @check("count")
    @classmethod
    def _is_a_conversation(cls, count: int) -> int:
        if not 2 <= count <= MOST_TURNS:
            raise ValueError(f"{count} is not 2 to {MOST_TURNS} requests; leave turns out where each stands alone")
        return count


def _in_blocks(tokens: int) -> int:
    if tokens % BLOCK or not tokens:
        near = max(1, round(tokens / BLOCK)) * BLOCK
        raise ValueError(f"{brief(tokens)} is no multiple of {BLOCK}, the block that prompts share; write {near}")
    return tokens


class SharedPrefix(Part):
    """What prompts begin with: system prompts that many conversations share."""

    tokens: Annotated[Tokens, AfterValidator(_in_blocks)] = Field(description="Length, in front of the prompt's own.")
    groups: Positive = Field(1, description="How many different ones there are; each conversation has one of them.")
