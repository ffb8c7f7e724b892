"""The wish: which share of a service's traffic its canary and its baseline should get, as `weights.json` holds it.

A wish carries a fencing token and may carry an expiry. Knows nothing of Envoy: that a wish is in force, only the
supervisor can say, and it says so in its status.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.errors import InvalidInput, Refused
from infra.store import locked, read_json, write_json

STEPS = 100  # per percent: traffic moves in steps of 0.01 %, and Envoy's weights add up to 10,000
JUDGED_AT_MOST = 50.0  # above it there is no room for a baseline slice of the same size
FIELDS = frozenset({"release", "canary", "baseline", "token", "expires"})


class WishError(InvalidInput):
    """A wish that cannot be meant."""


class StaleToken(Refused):
    """Somebody newer has written since: the token is older than the one in force."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Traffic of one service in percent; `release=None` means: no canary, retire both slices."""

    service: str
    release: str | None
    canary: float
    baseline: float
    token: int
    expires: datetime | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise WishError(f"wish for {self.service}: {problem}", not_done="no traffic was moved")

    def expired(self, now: datetime) -> bool:
        """Whether nobody renewed it in time (the dead man's switch)."""
        return self.expires is not None and now >= self.expires


def write_wish(path: Path, wish: Wish) -> None:
    """Put `wish` into weights.json; safe to repeat. Raises StaleToken, changing nothing, if a newer token is there."""
    with locked(path.with_name(path.name + ".lock")):
        wishes = read_wishes(path)
        refuse_older(wishes.get(wish.service), wish)
        write_json(path, render({**wishes, wish.service: wish}))


def write_zero(path: Path, service: str, token: int, expires: datetime) -> bool:
    """Weight 0 for whatever canary is wished now; False where there is none, or its slices are to go already. Raises
    StaleToken, changing nothing, if a newer token is there."""
    with locked(path.with_name(path.name + ".lock")):
        wishes = read_wishes(path)
        current = wishes.get(service)
        if current is None or current.release is None:
            return False
        wish = Wish(service, current.release, 0.0, 0.0, token, expires)
        refuse_older(current, wish)
        write_json(path, render({**wishes, service: wish}))
        return True


def read_wishes(path: Path) -> dict[str, Wish]:
    """What weights.json holds, by service; nothing when it is not there. Raises CorruptFile or WishError."""
    return parse(read_json(path, missing={}))


def refuse_older(current: Wish | None, wish: Wish) -> None:
    """Raise StaleToken if `wish` has an older token than what it replaces. An equal one is its writer's next step."""
    if current is not None and wish.token < current.token:
        raise StaleToken(
            f"token {wish.token} for {wish.service} is older than token {current.token}: somebody took over",
            not_done="no traffic was moved",
            next="ops rollout status",
        )


def parse(data: Any) -> dict[str, Wish]:
    """Wishes by service from JSON values."""
    if not isinstance(data, Mapping):
        raise WishError("weights.json must be an object of services")
    return {service: _parse_one(str(service), entry) for service, entry in data.items()}


def render(wishes: Mapping[str, Wish]) -> dict[str, dict[str, Any]]:
    """JSON values of wishes; `parse` reads them back."""
    return {service: _render_one(wish) for service, wish in sorted(wishes.items())}


def _parse_one(service: str, entry: Any) -> Wish:
    if not isinstance(entry, Mapping) or not FIELDS - {"expires"} <= set(entry) <= FIELDS:
        raise WishError(f"wish for {service}: the fields must be {', '.join(sorted(FIELDS))}")
    release, expires = entry["release"], entry.get("expires")
    if not (release is None or isinstance(release, str)):
        raise WishError(f"wish for {service}: release must be a version or null")
    return Wish(service, release, entry["canary"], entry["baseline"], entry["token"], _parse_time(service, expires))


def _parse_time(service: str, text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise WishError(f"wish for {service}: expires must be a time such as 2026-11-21T03:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _render_one(wish: Wish) -> dict[str, Any]:
    expires = wish.expires and wish.expires.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {
        "release": wish.release,
        "canary": wish.canary,
        "baseline": wish.baseline,
        "token": wish.token,
        "expires": expires,
    }


def _problem(wish: Wish) -> str:
    """Why this wish cannot be meant, or nothing."""
    if isinstance(wish.token, bool) or not isinstance(wish.token, int) or wish.token < 0:
        return f"token {wish.token!r} is not a whole number from 0"
    if wish.expires is not None and wish.expires.tzinfo is None:
        return "expires needs a time zone"
    if not wish.release and (wish.canary or wish.baseline):
        return "a weight needs a release"
    return _weight_problem("canary", wish.canary) or _weight_problem("baseline", wish.baseline) or _pair_problem(wish)


def _weight_problem(arm: str, weight: object) -> str:
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not math.isfinite(weight) or weight < 0:
        return f"{arm} {weight!r} is not a percentage from 0 to 50 (or 100 for a bake)"
    if abs(weight * STEPS - round(weight * STEPS)) > 1e-6:
        return f"{arm} {weight:g} % is finer than 0.01 %"
    return ""


def _pair_problem(wish: Wish) -> str:
    if wish.canary == 100 and wish.baseline == 0:
        return ""
    if max(wish.canary, wish.baseline) > JUDGED_AT_MOST:
        return f"canary {wish.canary:g} % and baseline {wish.baseline:g} %: at most 50 each, or 100 and 0 for a bake"
    return ""
