"""A load to run, as a worker is told it: what to send where, for how long, and which part of it is its own. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from infra.load_profile import LoadProfile

CREDENTIAL = r"^(env:[A-Za-z_][A-Za-z0-9_]*|keyvault:https://[a-z0-9.-]+/secrets/[A-Za-z0-9-]+(/[0-9a-f]+)?)$"


def _reference(text: str) -> str:
    """Never repeats what was given: it may be the key itself."""
    if re.fullmatch(CREDENTIAL, text) is None:
        raise ValueError(
            "a credential is a reference and not the key: env:NAME, or keyvault:https://VAULT/secrets/NAME"
        )
    return text


Credential = Annotated[str, AfterValidator(_reference)]


class _Value(BaseModel):
    """Part of an order: frozen, its keys are the fields and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Timeouts(_Value):
    """Seconds that each phase of a request may take.

    If nothing else is said, the total decides: whoever waits a minute for an answer has gone away. A connection that
    takes 5 s has lost two SYN packets, which are sent again after 1 s and 3 s (RFC 6298).
    """

    connect: float = Field(default=5.0, gt=0)
    first_token: float = Field(default=60.0, gt=0)
    gap: float = Field(default=60.0, gt=0)
    total: float = Field(default=60.0, gt=0)


class Retry(_Value):
    """What is done after HTTP 429: ask again at most so many times, and wait as long as the server says or not."""

    most: int = Field(default=0, ge=0, le=100)
    respect_retry_after: bool = True


class Slo(_Value):
    """Seconds within which a request is good; None is no threshold."""

    ttft: float | None = Field(default=None, gt=0)
    itl: float | None = Field(default=None, gt=0)
    e2e: float | None = Field(default=None, gt=0)


class Share(_Value):
    """Which part of the arrivals a worker sends: every `of`-th, beginning with number `index`."""

    index: int = Field(default=0, ge=0)
    of: int = Field(default=1, gt=0)

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Share:
        if self.index >= self.of:
            raise ValueError(f"there is no worker {self.index} of {self.of}; they count from 0")
        return self


class Outage(_Value):
    """A region that is lost `at` so many seconds, and `back` at so many, if ever; `heirs` take its users meanwhile."""

    region: str
    at: float = Field(gt=0, allow_inf_nan=False)
    back: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    heirs: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Outage:
        if self.back is not None and self.back <= self.at:
            raise ValueError(f"{self.region} cannot be back at {self.back:g} s: it is lost at {self.at:g} s")
        return self


class Route(_Value):
    """How the users of one load belong to several regions: by weight, and what becomes of them when one is lost."""

    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]
    outage: Outage | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Route:
        if not any(self.weights.values()):
            raise ValueError("no region has a weight above 0, so nobody belongs anywhere")
        gone = {self.outage.region, *self.outage.heirs} - set(self.weights) if self.outage else set[str]()
        if gone:
            raise ValueError(f"{', '.join(sorted(gone))} has no weight; there are {', '.join(self.weights)}")
        if self.outage and self.outage.region in self.outage.heirs:
            raise ValueError(f"{self.outage.region} cannot take over from itself")
        if self.outage and not self.weights[self.outage.region]:
            raise ValueError(f"{self.outage.region} has a weight of 0, so it has no users to lose")
        return self


REPLAY = LoadProfile.model_validate({"name": "replay", "trace": "conv", "rate": "1/s"})


class Order(_Value):
    """What to send where, and for how long. Seconds and requests per second; no `duration` is until it is stopped.

    `rate` and `max_output` are instead of what the profile says. `targets` is a directory in which Prometheus looks for
    what to scrape; `attached` means that stdin's end stops it. `credentials` are references, never the secrets; several
    are used in turn. With a `route` only the users of `region` are this client's.
    """

    service: str
    model: str
    url: str = Field(pattern=r"^https?://[^/?#@\s]+/?$")
    api: Literal["chat", "completions", "embeddings", "moderation"] = "chat"
    profile: LoadProfile = REPLAY
    rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_output: int | None = Field(default=None, gt=0)
    duration: float | None = Field(default=None, gt=0)
    seed: int = 0
    traffic: Literal["user", "synthetic"] = "user"
    loras: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    users: int = Field(default=1000, gt=0)
    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()
    slo: Slo | None = None
    share: Share = Share()
    grace: float = Field(default=10.0, ge=0)
    fleet: str = ""
    region: str = ""
    route: Route | None = None
    targets: str | None = None
    attached: bool = False

    @model_validator(mode="after")
    def _has_a_rate_to_change(self) -> Order:
        if self.rate and self.profile.closed:
            raise ValueError(f"the load profile {self.profile.name} is a closed loop and has no rate")
        return self

    @model_validator(mode="after")
    def _has_times_to_route_by(self) -> Order:
        if self.route and self.profile.closed:
            raise ValueError(
                f"the load profile {self.profile.name} is a closed loop; users of regions need their times"
            )
        if self.route and self.region not in self.route.weights:
            raise ValueError(f"the region {self.region!r} has no weight; there are {', '.join(self.route.weights)}")
        return self

    def part(self, index: int, of: int) -> Order:
        """What worker number `index` of so many sends of it."""
        return self.model_copy(update={"share": Share(index=index, of=of)})

    @property
    def load(self) -> LoadProfile:
        """The profile with what the order says instead: what is sent."""
        profile = self.profile.at(self.rate) if self.rate else self.profile
        return profile.model_copy(update={"max_output": self.max_output}) if self.max_output else profile

    @property
    def streams(self) -> int | None:
        """How many requests this worker keeps open in a closed loop; None in an open one."""
        if self.profile.closed is None:
            return None
        each, more = divmod(self.profile.closed.streams, self.share.of)
        return each + (self.share.index < more)
