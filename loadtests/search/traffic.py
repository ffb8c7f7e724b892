"""The traffic of a load profile at a rate that stands still: what a search sends. Pure.

A capacity is a rate, and twenty seconds of a recorded trace or of a day have any rate: such profiles are sent as
Poisson arrivals with their own lengths. Requests of a trace whose prompts share blocks stay as they were recorded.
"""

from __future__ import annotations

from infra.errors import InvalidInput
from infra.load_profile import LoadProfile

KEPT = {"name", "tokens", "turns", "shared_prefix", "traffic", "max_prompt", "max_output", "description"}
LENGTHS = ("conv", "code")  # traces that lengths can be drawn from


def stationary(profile: LoadProfile) -> LoadProfile:
    """The same requests, coming by chance at one rate. Raises InvalidInput for a closed loop."""
    if profile.closed:
        raise InvalidInput(
            f"the load profile {profile.name} is a closed loop: its rate is what the service makes of it",
            not_done="no load was started",
            next="ops load profiles shows the others, for --profile",
        )
    whole = profile.trace not in (None, *LENGTHS) and profile.tokens is None
    if whole or (profile.rate and profile.trace is None):
        return profile
    kept = profile.model_dump(mode="json", include=KEPT, exclude_none=True, by_alias=True)
    lengths = {"tokens": {"trace": profile.trace}} if profile.tokens is None else {}
    return LoadProfile.model_validate({**kept, **lengths, "rate": "1/s"})
