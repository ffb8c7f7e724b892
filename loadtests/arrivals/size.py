"""How many tokens a prompt and an answer have: drawn from a seed by the lengths of a load profile. Pure."""

from __future__ import annotations

from math import exp, log

from infra.load_profile import LoadProfile
from infra.token_length import Length
from loadtests.arrivals.arrival import number_of
from loadtests.arrivals.draw import Draw
from loadtests.arrivals.tracefile import Recording


def size(profile: LoadProfile, recording: Recording, key: str) -> tuple[int, int]:
    """Tokens of the prompt's own and of the answer, for the request that `key` names; answers are cut already."""
    prompt, output = _drawn(profile, recording, key)
    return prompt, min(output, profile.max_output or output)


def _drawn(profile: LoadProfile, recording: Recording, key: str) -> tuple[int, int]:
    lengths = profile.tokens
    assert lengths is not None
    if lengths.prompt and lengths.output:
        return tokens(lengths.prompt, f"{key}:prompt"), tokens(lengths.output, f"{key}:output")
    row = recording.rows[number_of(f"{key}:row", len(recording.rows))]
    return row.prompt_tokens, row.output_tokens


def tokens(length: Length, key: str) -> int:
    """A number of tokens; at least 1."""
    if length.exactly:
        return length.exactly
    if length.min and length.max:
        return length.min + number_of(key, length.max - length.min + 1)
    assert length.median is not None
    drawn = max(1, round(exp(log(length.median) + length.sigma * Draw(key).normal())))
    return min(drawn, length.max or drawn)
