"""What a simulated model server does: its speed and its faults, as a release's `simulate:` section states them.

This is a SIMULATION. No model runs behind it and no number here says anything about real hardware: it exists so that
rollouts, dashboards and load tests meet real processes, real HTTP and real metrics on a laptop. It stays away from the
fleet file, YAML, clocks and randomness: only shapes and units, so that a model server can import it cheaply.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.units import Duration, Rate, Ratio

Positive = Annotated[int, Field(gt=0)]
Factor = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Performance(_Section):
    """How fast the simulated engine is when nothing is wrong. The defaults are a guess."""

    prefill_base: Duration = Field(0.020, description="fixed part of a prefill, before any prompt token is counted")
    prefill_rate: Rate = Field(
        40_000.0, gt=0, description="prompt tokens prefilled per second, prefix-cache hits excluded"
    )
    decode: Duration = Field(0.004, gt=0, description="time per output token with no other sequence in the batch")
    decode_per_sequence: Duration = Field(
        0.0, description="added to the time per output token by each other sequence in the batch"
    )
    max_num_seqs: Positive = Field(256, description="batch limit; more requests wait in a first-in first-out queue")
    kv_blocks: Positive = Field(
        8_192, description="size of the KV pool in blocks; when it is used up, the youngest sequence is preempted"
    )
    block_size: Positive = Field(16, description="tokens per KV block, and the grain of the prefix cache")
    stream_interval: Positive = Field(
        1, description="tokens per streamed event after the first, which carries one token"
    )
    jitter: float = Field(
        0.0, ge=0, le=3, description="sigma of the lognormal factor on a request's times; the median stays 1"
    )
    load_time: Duration = Field(0.0, description="from process start until /health says 200")
    max_model_len: Positive = Field(
        32_768, description="longest prompt plus output, in tokens; longer requests get HTTP 400"
    )


class Slow(_Section):
    """A share of the requests takes `factor` times as long from end to end: prefill and every token."""

    share: Ratio
    factor: Factor


class SlowTail(_Section):
    """A share of the requests draws its own factor from a heavy tail: Pareto, shape 2, `factor` to 20 x `factor`."""

    share: Ratio
    factor: Factor


class ColdStart(_Section):
    """Everything is `factor` times slower at the end of loading; the excess decays evenly to nothing within `for`."""

    period: Duration = Field(alias="for", gt=0, description="how long the slow start lasts")
    factor: Factor


class Leak(_Section):
    """What grows with every minute after loading, without a limit but the pool's: a restart is the only cure."""

    latency: Ratio = Field(0.0, description="growth of all times per minute: 10% is x1.5 after five minutes")
    kv: Ratio = Field(0.0, description="share of the KV pool lost per minute; one block always stays")

    @model_validator(mode="after")
    def _grows(self) -> Leak:
        if not self.latency and not self.kv:
            raise ValueError("a leak needs latency, kv or both above 0%")
        return self


class Crash(_Section):
    """The process dies at once and exits non-zero, as from a CUDA error. Restarted, it dies again: a crash loop."""

    every: Duration | None = Field(None, gt=0, description="dies this long after loading")
    after_requests: Positive | None = Field(
        None, description="dies when this many generation requests have been accepted"
    )

    @model_validator(mode="after")
    def _has_cause(self) -> Crash:
        if (self.every is None) == (self.after_requests is None):
            raise ValueError("a crash needs either every or after_requests, and not both")
        return self


class Faults(_Section):
    """What goes wrong. Shares are drawn per request, deterministically by seed, release and request id.

    refuse, http_5xx, stream_error and early_end exclude each other (their shares add up to at most 100 %);
    slow and slow_tail exclude each other and combine with the former.
    """

    http_5xx: Ratio = Field(0.0, description="share answered with HTTP 500 and no tokens")
    stream_error: Ratio = Field(
        0.0, description="share that breaks off with an error event inside the stream, HTTP status still 200"
    )
    early_end: Ratio = Field(
        0.0,
        description="share whose stream ends early and cleanly, without finish_reason or [DONE]; only clients see it",
    )
    refuse: Ratio = Field(0.0, description="share refused at admission with HTTP 429 and Retry-After")
    slow: Slow | None = None
    slow_tail: SlowTail | None = None
    cold_start: ColdStart | None = None
    leak: Leak | None = None
    crash: Crash | None = None

    @model_validator(mode="after")
    def _shares_fit(self) -> Faults:
        _at_most_one("refuse, http_5xx, stream_error and early_end", self.ends)
        _at_most_one("slow and slow_tail", tuple(slow.share for slow in (self.slow, self.slow_tail) if slow))
        return self

    @property
    def ends(self) -> tuple[float, ...]:
        """Shares of the exclusive endings in the order of drawing: refuse, http_5xx, stream_error, early_end."""
        return self.refuse, self.http_5xx, self.stream_error, self.early_end


def _at_most_one(names: str, shares: tuple[float, ...]) -> None:
    if sum(shares) > 1 + 1e-9:
        raise ValueError(f"the shares of {names} exclude each other and add up to {sum(shares):.4g}; at most 1 (100%)")


class Simulate(_Section):
    """The `simulate:` section of a release: a simulated server's performance and faults. Empty means healthy."""

    performance: Performance = Performance()
    faults: Faults = Faults()
