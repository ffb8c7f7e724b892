"""How releases of a service are rolled out: shares of traffic, the evidence asked for, and what may be spent. Pure.

The numbers here are limits that a plan is made from. What is measured and how it is judged is not known here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic import field_validator as check

from infra.units import Duration, Percent, Ratio, SomeDuration, SomeRate, format_duration, format_percent
from infra.yamlfile.part import Part, Positive, no_twins

MAX_WEIGHT = 50.0  # the matched baseline slice gets as much as the canary
MIN_WEIGHT = 0.01  # Envoy's weighted clusters are summed to 10,000
NOISE_FLOOR = 0.3  # CV between blocks; below it the counting test rolls back good releases in bursts
LOOKS_IN_EXPIRY = 3  # a canary must outlive two looks that were late

Watched = Literal["errors", "ttft", "itl", "e2e", "queue"]
WATCHED_SLI: dict[str, str] = {"errors": "availability", "ttft": "ttft", "itl": "itl", "e2e": "e2e", "queue": "queue"}
"""What a rollout watches -> the objective that it takes threshold and floor from."""


class Tolerance(Part):
    """How much worse a release may be and still pass, for one thing that is watched."""

    ratio: float = Field(description="Passes when the canary is surely less than this many times as bad.")
    floor: Ratio | None = Field(
        None, description="Or when its own share of bad events is surely below this; 1 - objective if not said."
    )

    @check("ratio", mode="before")
    @classmethod
    def _is_worse(cls, ratio: object) -> float:
        if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 1 < ratio <= 1000:
            raise ValueError("write a number above 1 and at most 1000: 2 means at most twice as bad")
        return float(ratio)


class LoadStage(Part):
    """The load that a canary must carry within the objectives of its service before it gets its first user."""

    profile: str = Field(description="The load profile that is sent to the canary alone.")
    rate: SomeRate = Field(description="Requests, instead of the profile's own rate; the canary is one slice.")
    lasting: SomeDuration = Field(alias="for", description="How long the first try sends; each later one for longer.")


class RolloutPolicy(Part):
    """The rules of every rollout of a service. Time is counted from the start of a rollout in a region."""

    assignment: Literal["user", "session", "request"] = Field(
        "session", description="What keeps to its arm: a user, a conversation, or nothing."
    )
    weights: Annotated[tuple[Percent, ...], AfterValidator(no_twins)] = Field(
        (1.0, 5.0, 10.0, 25.0, 50.0),
        min_length=1,
        description="The canary's shares of traffic, step after step.",
    )
    budget: Positive = Field(description="Bad responses: a weight waits while it could cost more than what is left.")
    tolerance: dict[Watched, Tolerance] = Field(
        min_length=1, description="What is watched, and how much worse a release may be."
    )
    alpha: Ratio = Field(0.01, description="Chance to roll back a release that is no worse; for the whole rollout.")
    confidence: Ratio = Field(0.95, description="How sure the evidence for promotion has to be.")
    look: Duration = Field(10.0, gt=0, description="Time between two looks at the counters.")
    block: Duration = Field(60.0, description="Looks are merged into blocks as long as the noise has a memory.")
    warmup: Duration = Field(60.0, description="What happens in this time after the start is not counted.")
    bake: Duration = Field(1800.0, description="Time at the last step's full traffic before a promotion is final.")
    load: LoadStage | None = Field(
        None, description="A load stage: what the canary must carry before the first weight; none if not said."
    )
    deadline: Duration = Field(
        6 * 3600.0, description="Rolled back when it is not promoted by then.", validate_default=True
    )
    drain: Duration = Field(300.0, description="Time open streams get to end by themselves.")
    expiry: Duration = Field(
        60.0,
        description="Traffic leaves the canary this long after its driver fell silent.",
        validate_default=True,
    )
    noise: float = Field(NOISE_FLOOR, description="Variation between blocks (CV) that is nobody's fault; at least 0.3.")
    waves: tuple[tuple[str, ...], ...] = Field(
        (), description="Regions that are rolled out together, wave after wave; one region a wave if not said."
    )

    @check("weights")
    @classmethod
    def _climb(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        for weight in weights:
            if not MIN_WEIGHT <= weight <= MAX_WEIGHT:
                why = "the baseline slice gets the same" if weight > MAX_WEIGHT else "no proxy splits finer"
                raise ValueError(f"{format_percent(weight)} is not between 0.01% and 50%: {why}")
        if list(weights) != sorted(weights):
            raise ValueError(f"weights climb; write {', '.join(map(format_percent, sorted(weights)))}")
        return weights

    @check("alpha")
    @classmethod
    def _is_small(cls, alpha: float) -> float:
        if not 0 < alpha <= 0.2:
            raise ValueError("the chance of a needless rollback lies above 0% and up to 20%; write one such as 1%")
        return alpha

    @check("confidence")
    @classmethod
    def _is_sure(cls, confidence: float) -> float:
        if not 0.5 < confidence < 1:
            raise ValueError("confidence lies between 50% and 100%; write one such as 95%")
        return confidence

    @check("block")
    @classmethod
    def _holds_a_look(cls, block: float, info: ValidationInfo) -> float:
        if (look := info.data.get("look")) and block < look:
            shown = f"{format_duration(block)} holds no look"
            raise ValueError(f"{shown}; write at least the {format_duration(look)} of look")
        return block

    @check("deadline")
    @classmethod
    def _can_be_met(cls, deadline: float, info: ValidationInfo) -> float:
        known = info.data
        if {"warmup", "weights", "block", "bake"} <= known.keys():
            stage = known.get("load")
            least = known["warmup"] + len(known["weights"]) * known["block"] + known["bake"]
            least += stage.lasting if stage else 0.0
            if deadline <= least:
                shown, parts = f"{format_duration(deadline)} is too soon", "load, warmup" if stage else "warmup"
                raise ValueError(f"{shown}: {parts}, a block for each weight and bake take {format_duration(least)}")
        return deadline

    @check("expiry")
    @classmethod
    def _outlives_looks(cls, expiry: float, info: ValidationInfo) -> float:
        if (look := info.data.get("look")) and expiry < (least := LOOKS_IN_EXPIRY * look):
            text = f"{format_duration(expiry)} would expire a canary between looks"
            raise ValueError(f"{text}; write at least {LOOKS_IN_EXPIRY} looks, {format_duration(least)}")
        return expiry

    @check("noise", mode="before")
    @classmethod
    def _is_not_wished_away(cls, noise: object) -> float:
        if isinstance(noise, bool) or not isinstance(noise, (int, float)) or not NOISE_FLOOR <= noise <= 10:
            raise ValueError("write a coefficient of variation from 0.3 to 10; real traffic is never calmer than 0.3")
        return float(noise)

    @check("waves")
    @classmethod
    def _name_regions_once(cls, waves: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        no_twins(tuple(region for wave in waves for region in wave))
        if not all(waves):
            raise ValueError("a wave has at least one region; leave the empty one out")
        return waves
