"""How many tokens a replica makes when it is full: an explicit model of the engine, and whose figures. Pure.

The model. A replica works on as many requests at a time as its batch and its KV pool hold; each takes the prefill of
its prompt and then the time of its tokens, all at the speed of a full batch. So it finishes batch / time requests a
second. Prompts and answers have the mean lengths of the service's load profile. It leaves out queueing, prefix-cache
hits, preemption and hours with less load: it is what a full replica would do, and real ones cost more for a token.

The figures are those that the release states in its `simulate:` section. They stem from no measurement, and every
result says so. A release without them has an unknown throughput.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.load_profile import LoadProfile
from infra.release import Release
from infra.service import Service
from infra.simulate import Performance

MEAN_TOKENS = {"conv": (1154.70, 211.13), "code": (2047.85, 27.88)}
"""Trace -> mean tokens of a prompt and of an answer, over all rows of the trace in loadtests/traces (Azure, 2023)."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one full replica does in a second."""

    requests: float
    prompt: float  # tokens
    output: float  # tokens
    source: str


def throughput(service: Service, profile: LoadProfile, release: Release | None) -> Throughput | None:
    """The throughput of one replica; None where the release states no speed or the lengths are not known."""
    lengths = _lengths(service, profile)
    if lengths is None or release is None or release.simulate is None:
        return None
    prompt, output = lengths
    rate = _requests(release.simulate.performance, prompt, output)
    said = f"simulate section of {release.service} {release.version}: assumed, not measured"
    return Throughput(rate, rate * prompt, rate * output, said)


def _lengths(service: Service, profile: LoadProfile) -> tuple[float, float] | None:
    """Mean tokens; None where they are cut or not those of a trace that is known, and for calls without tokens."""
    cut = profile.max_output is not None or profile.max_prompt is not None
    trace = profile.tokens.trace if profile.tokens else profile.trace
    return MEAN_TOKENS.get(trace or "") if service.task == "generate" and not cut else None


def _requests(speed: Performance, prompt: float, output: float) -> float:
    """Requests that a full replica finishes in a second."""
    blocks = -(-(prompt + output) // speed.block_size)
    batch = max(1, min(speed.max_num_seqs, int(speed.kv_blocks // blocks)))
    token = speed.decode + speed.decode_per_sequence * (batch - 1)
    return batch / (speed.prefill_base + prompt / speed.prefill_rate + (output - 1) * token)
