"""Traffic of a service in the local region: wishes go to weights.json, what is in force comes from Envoy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from cli.rollouts.ports import Fenced, World
from cli.rollouts.procedure import Shift
from infra.errors import Unavailable
from infra.local import admin
from infra.local.layout import ArmStatus, Facts, ServiceStatus
from infra.local.region import LocalRegion
from infra.local.wish import StaleToken, Wish, WishError, read_wishes, write_wish, write_zero

TIMEOUT = 2.0  # seconds for one answer of Envoy
POINTS = 100  # Envoy's weights are hundredths of a percent
CRASHES = 3  # deaths of canary replicas beyond the baseline's: one may be bad luck, three are the release
NOTHING = ArmStatus(release=None)


class TrafficError(Unavailable):
    """The region's proxy did not say what it does, or the wish cannot be read."""


class LocalTraffic:
    """The traffic port of the rollout loop, for one service of the region in `root`."""

    def __init__(self, root: Path, service: str) -> None:
        self._region = LocalRegion(root)
        self._service = service
        self._http = httpx.Client(timeout=TIMEOUT, trust_env=False)

    def facts(self) -> Facts:
        """Addresses of the region. Raises RegionDown; TrafficError where the service does not run there."""
        facts = self._region.facts()
        if self._service not in facts.services:
            raise self._not_here()
        return facts

    def supervised(self) -> bool:
        """Whether the region is up or coming up."""
        return self._region.supervised() is not None

    def wish(self, shift: Shift, token: int, expiry: float) -> None:
        """Write the wish. Raises Fenced where a newer token is there, TrafficError where the file is not readable."""
        expires = datetime.now(UTC) + timedelta(seconds=expiry) if shift.release else None
        wish = Wish(self._service, shift.release, shift.canary, shift.baseline, token, expires)
        try:
            write_wish(self._region.layout.weights, wish)
        except StaleToken as error:
            raise Fenced(error.what, not_done=error.not_done, next=error.next) from error
        except WishError as error:
            raise self._unreadable(error) from error

    def zero(self, token: int, expiry: float) -> bool:
        """Wish weight 0 for whatever canary there is; False where there is none. What is there is read and replaced at
        once: slices that a driver retired meanwhile stay retired. Raises Fenced, TrafficError."""
        expires = datetime.now(UTC) + timedelta(seconds=expiry)
        try:
            return write_zero(self._region.layout.weights, self._service, token, expires)
        except StaleToken as error:
            raise Fenced(error.what, not_done=error.not_done, next=error.next) from error
        except WishError as error:
            raise self._unreadable(error) from error

    def wished(self) -> Wish | None:
        """The wish that is written now, whoever wrote it. Raises TrafficError where it cannot be read."""
        try:
            return read_wishes(self._region.layout.weights).get(self._service)
        except WishError as error:
            raise self._unreadable(error) from error

    def observe(self) -> World:
        """Weights and open requests as Envoy says, replicas as the supervisor says. Raises Unavailable."""
        facts = self._region.facts()
        status = self._region.status().services.get(self._service)
        routes = admin.applied(self._ask(facts, admin.ROUTES_QUERY)).get(self._service)
        if status is None or routes is None:
            raise self._not_here()
        opened = admin.open_requests(self._ask(facts, admin.OPEN_QUERY))
        canary, baseline, stable = (status.arms.get(name, NOTHING) for name in ("canary", "baseline", "stable"))
        return World(
            canary=routes.weights.canary / POINTS,
            baseline=routes.weights.baseline / POINTS,
            slices=canary.replicas[-1].release if canary.replicas else None,
            slices_ready=_ready(canary) and _ready(baseline),
            open_requests=opened.get(f"{self._service}|canary", 0),
            stable=stable.release or "",
            stable_ready=_ready(stable),
            unready=_unready(status, canary, baseline),
            crashes=_crashing(canary, baseline),
        )

    def _ask(self, facts: Facts, query: str) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._http.get(facts.envoy_admin + query).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise TrafficError(
                f"Envoy at {facts.envoy_admin} did not answer: {error}", next="ops local status"
            ) from error
        return answer

    def _not_here(self) -> TrafficError:
        where = self._region.layout.root.name
        return TrafficError(f"{self._service} does not run in the local region {where}", next="ops local status")

    def _unreadable(self, error: WishError) -> TrafficError:
        return TrafficError(
            f"{self._region.layout.weights} cannot be used: {error.what}",
            not_done="no traffic was moved; a canary expires by itself when its wish is not renewed",
            next=f"mv {self._region.layout.weights} elsewhere: the region keeps what it took last",
        )


def _ready(arm: ArmStatus) -> bool:
    """Whether every replica that is not on its way out is ready and of one release."""
    staying = [replica for replica in arm.replicas if replica.state != "draining"]
    return bool(staying) and all(one.state == "ready" and one.release == arm.release for one in staying)


def _unready(status: ServiceStatus, *slices: ArmStatus) -> str:
    waiting = [f"{one.name} is {one.state}" for arm in slices for one in arm.replicas if one.state != "ready"]
    return status.problem or ", ".join(waiting)


def _crashing(canary: ArmStatus, baseline: ArmStatus) -> str:
    deaths, others = _deaths(canary), _deaths(baseline)
    if deaths - others < CRASHES:
        return ""
    worst = max(canary.replicas, key=lambda one: one.restarts)
    return (
        f"the canary's replicas crashed {deaths} times, those of the baseline {others} times; "
        f"`ops local logs {worst.name}` says why"
    )


def _deaths(arm: ArmStatus) -> int:
    return sum(one.restarts + (one.state == "crashed") for one in arm.replicas)
