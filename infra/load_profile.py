"""A load profile: traffic that stands for users. When requests come, how many, how long, with what in common. Pure."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator
from pydantic import field_validator as check

from infra.rate_curve import ClosedLoop, CurveRow, Diurnal, RateStep, variation
from infra.suggest import hint
from infra.token_length import Lengths, SharedPrefix, Turns
from infra.units import SomeRate, SomeTokens, Times
from infra.yamlfile.part import Line, Name, Part, in_schema
from infra.yamlfile.problem import SourceError, brief

if TYPE_CHECKING:
    from infra.yamlfile.source import Source

TRACES = ("conv", "code", "mooncake", "servegen")  # those in loadtests/traces
RATES = ".rates.csv"  # the end of the name of a file that has rates and no requests
WHEN = ("trace", "rate", "diurnal", "step", "curve", "closed")

_FILE = r".*/[^/]+\.(csv|jsonl)"


def _recorded(trace: str) -> str:
    if trace not in TRACES and re.fullmatch(_FILE, trace) is None:
        known = hint(trace, TRACES)
        raise ValueError(f"there is no trace {brief(trace)}{known}; a file of yours is ./FILE.csv or ./FILE.jsonl")
    return trace


Trace = Annotated[str, AfterValidator(_recorded), in_schema(f"({'|'.join(TRACES)}|{_FILE})")]


class LoadProfile(Part):
    """Traffic that stands for the users of a service: a recorded trace, or arrivals that are drawn."""

    name: Name = Field(description="How services and commands call it.")
    trace: Trace | None = Field(
        None, description="Recorded requests (conv, code, mooncake, a file) or rates (servegen)."
    )
    speed: Times | None = Field(
        None, description="Times its own pace at which the trace is replayed, if not at a rate."
    )
    rate: SomeRate | None = Field(None, description="Requests on average; a trace is scaled to it.")
    diurnal: Diurnal | None = Field(None, description="A rate that goes up and down by the day.")
    step: RateStep | None = Field(None, description="A rate that jumps, and back.")
    curve: tuple[CurveRow, ...] | None = Field(None, min_length=1, description="Rates row by row, then again.")
    closed: ClosedLoop | None = Field(None, description="No rate: the next request follows when one has ended.")
    arrivals: Literal["constant", "poisson", "gamma"] | None = Field(
        None, description="How requests come at their rate: evenly, by chance (if not said), or in bursts by cv."
    )
    cv: float | None = Field(
        None, description="Variation of the gaps (CV) of arrivals: gamma; more is burstier.", validate_default=True
    )
    tokens: Lengths | None = Field(None, description="Lengths, if not those of the trace.", validate_default=True)
    turns: Turns | None = Field(None, description="Conversations of several requests; one each if not said.")
    shared_prefix: SharedPrefix | None = Field(None, description="What prompts have in common; nothing if not said.")
    traffic: Literal["user", "synthetic"] | None = Field(
        None,
        description="user: replay stands in for users and counts as such; synthetic: it is kept apart. If not said: "
        "user in a local region, where nobody else is, and synthetic everywhere else.",
    )
    max_prompt: SomeTokens | None = Field(None, description="Prompts are cut to this many tokens.")
    max_output: SomeTokens | None = Field(None, description="Answers are cut to this many tokens.")
    description: Line | None = Field(None, description="What it is good for.")

    @check("speed")
    @classmethod
    def _has_a_trace(cls, speed: float | None, info: ValidationInfo) -> float | None:
        if speed and info.data.get("trace", "") is None:
            raise ValueError("speed is the pace of a trace; add trace, or leave speed out")
        return speed

    @check("rate")
    @classmethod
    def _is_instead_of_a_speed(cls, rate: float | None, info: ValidationInfo) -> float | None:
        if rate and info.data.get("speed") and recorded(info.data.get("trace")) == "requests":
            raise ValueError("a trace is scaled to a rate or replayed at a speed; keep one of them")
        return rate

    @check("diurnal", "step", "curve", "closed")
    @classmethod
    def _is_alone(cls, value: Any, info: ValidationInfo) -> Any:
        said = [name for name in WHEN if info.data.get(name) is not None]
        if value is not None and said:
            raise ValueError(f"{said[0]} says already when requests come; keep one of them")
        return value

    @check("curve")
    @classmethod
    def _sends_something(cls, curve: tuple[CurveRow, ...] | None) -> tuple[CurveRow, ...] | None:
        if curve is not None and not any(row.rate for row in curve):
            raise ValueError("no row has a rate above 0/s, so nothing would ever be sent")
        return curve

    @check("arrivals")
    @classmethod
    def _are_not_known(cls, arrivals: str | None, info: ValidationInfo) -> str | None:
        said = [name for name in ("trace", "curve", "closed") if info.data.get(name) is not None]
        if arrivals and said:
            raise ValueError(f"{said[0]} says how requests come; leave arrivals out")
        return arrivals

    @check("cv", mode="before")
    @classmethod
    def _is_for_gamma(cls, cv: object, info: ValidationInfo) -> float | None:
        if "arrivals" in info.data and info.data["arrivals"] != "gamma" and cv is not None:
            raise ValueError("cv is for arrivals: gamma; constant has 0 and poisson 1")
        if info.data.get("arrivals") == "gamma" and cv is None:
            raise ValueError("arrivals: gamma needs cv, the variation of its gaps, such as 2")
        return None if cv is None else variation(cv)

    @check("tokens")
    @classmethod
    def _are_known_once(cls, tokens: Lengths | None, info: ValidationInfo) -> Lengths | None:
        kind = recorded(info.data.get("trace"))
        if tokens and kind == "requests":
            raise ValueError("the trace has the lengths; leave tokens out, or cut them by max_prompt and max_output")
        if tokens is None and kind != "requests" and _said(info):
            raise ValueError("nothing says how long prompts and answers are; write tokens")
        return tokens

    @check("turns", "shared_prefix")
    @classmethod
    def _are_drawn(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and recorded(info.data.get("trace")) == "requests":
            raise ValueError(f"the requests of a trace are whole prompts as they came; leave {info.field_name} out")
        if value is not None and info.field_name == "turns" and info.data.get("closed"):
            raise ValueError("a closed loop has no times for a pause between turns; leave turns out")
        return value

    @model_validator(mode="after")
    def _says_when(self) -> LoadProfile:
        if not any(getattr(self, name) for name in WHEN):
            raise ValueError(f"nothing says when requests come; write one of {', '.join(WHEN)}")
        if recorded(self.trace) == "requests" and not (self.rate or self.speed):
            raise ValueError("a trace needs a rate that it is scaled to, such as 100/s, or a speed, such as 10x")
        if recorded(self.trace) == "rates" and not self.rate:
            raise ValueError("a trace of rates needs a rate, the mean that it is scaled to, such as 100/s")
        return self

    @property
    def mean(self) -> float | None:
        """Requests a second on average, a step's base; None where only the trace knows, or nobody does."""
        if self.curve:
            return sum(row.rate * row.lasting for row in self.curve) / sum(row.lasting for row in self.curve)
        if self.diurnal:
            return self.diurnal.mean
        return self.step.base if self.step else self.rate

    def at(self, rate: float) -> LoadProfile:
        """The same traffic with `rate` as its mean. Raises ValueError for a closed loop, which has none."""
        if self.closed:
            raise ValueError(f"{self.name} is a closed loop and has no rate")
        if self.trace or self.rate:
            return self.model_copy(
                update={"rate": rate, "speed": None if recorded(self.trace) == "requests" else self.speed}
            )
        assert self.mean is not None
        return self.model_copy(update=self._times(rate / self.mean))

    def beside(self, folder: PurePath) -> LoadProfile:
        """With a trace file of its own found from `folder`, which is absolute: where the profile is."""
        if self.trace is None or self.trace in TRACES:
            return self
        return self.model_copy(update={"trace": str(folder / self.trace)})

    def _times(self, factor: float) -> dict[str, Any]:
        """The curve with every rate `factor` times as high."""
        if self.diurnal:
            higher = {"trough": self.diurnal.trough * factor, "peak": self.diurnal.peak * factor}
            return {"diurnal": self.diurnal.model_copy(update=higher)}
        if self.step:
            return {"step": self.step.model_copy(update={"base": self.step.base * factor})}
        return {"curve": tuple(row.model_copy(update={"rate": row.rate * factor}) for row in self.curve or ())}


def recorded(trace: str | None) -> Literal["requests", "rates", "nothing"]:
    """What a trace has."""
    if trace is None:
        return "nothing"
    return "rates" if trace == "servegen" or trace.endswith(RATES) else "requests"


def read_profile(source: Source) -> LoadProfile:
    """The one profile that a file of its own holds. Raises SourceError with all problems."""
    from infra.yamlfile.document import validate  # brings the YAML parser, which the clients of a load do without

    profile, problems = validate(source, LoadProfile)
    if profile is None:
        raise SourceError(problems, not_done="no load was started")
    return profile


def _said(info: ValidationInfo) -> bool:
    """Whether all that says when requests come is valid, and something does."""
    return all(name in info.data for name in WHEN) and any(info.data[name] is not None for name in WHEN)
