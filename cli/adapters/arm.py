"""The Azure Resource Manager over its REST API: read a resource, put one and wait until it is there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from infra.errors import Unavailable

if TYPE_CHECKING:
    import httpx

TIMEOUT = 60.0  # seconds for one answer
# How Azure says "later" and "not yet": learn.microsoft.com, "Track asynchronous Azure operations", "Throttling".
PATIENCE = 600.0  # seconds that one resource may take to be made
TRIES = 6  # of one call that Azure asks us to send again later
PAUSE = 5.0  # seconds before it, where Azure says no time
AGAIN = frozenset({429, 502, 503, 504})


class ArmRefused(Unavailable):
    """Azure did not do what it was asked, or did not answer."""


class Arm:
    """One subscription's resources by id. `wait` and `now` are the clock; `token` is asked for when it is needed."""

    def __init__(
        self,
        client: httpx.Client,
        token: Callable[[], str],
        wait: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._token = token
        self._wait = wait
        self._now = now

    def get(self, path: str, api: str) -> dict[str, Any] | None:
        """The body of a resource, None where it is not there. Raises ArmRefused."""
        answer = self._send("GET", path, api)
        if answer.status_code == 404:
            return None
        return _body(answer, "read", path)

    def values(self, path: str, api: str) -> list[dict[str, Any]]:
        """All rows of a list, page after page. Raises ArmRefused."""
        rows: list[dict[str, Any]] = []
        answer = _body(self._send("GET", path, api), "list", path)
        rows += answer.get("value", [])
        while following := answer.get("nextLink"):
            answer = _body(self._send("GET", following, ""), "list", path)
            rows += answer.get("value", [])
        return rows

    def put(self, path: str, api: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make a resource, or make it so, and wait until it is. Raises ArmRefused."""
        answer = self._send("PUT", path, api, body)
        made = _body(answer, "make", path)
        return made if _ended(made, path) else self._awaited(path, api)

    def post(self, path: str, api: str) -> None:
        """Call an action of a resource. Raises ArmRefused."""
        _body(self._send("POST", path, api), "call", path)

    def _awaited(self, path: str, api: str) -> dict[str, Any]:
        end = self._now() + PATIENCE
        while self._now() < end:
            self._wait(PAUSE)
            found = self.get(path, api)
            if found is not None and _ended(found, path):
                return found
        raise ArmRefused(f"{path} is not ready after {PATIENCE:g} s", next="the same command again: it looks first")

    def _send(self, method: str, path: str, api: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        import httpx

        for again in range(TRIES):
            head = {"Authorization": f"Bearer {self._token()}"}
            try:
                answer = self._client.request(
                    method, path, params={"api-version": api} if api else None, json=body, headers=head
                )
            except httpx.HTTPError as error:
                raise ArmRefused(f"Azure did not answer: {error}", next="the same command again") from error
            if answer.status_code not in AGAIN or again == TRIES - 1:
                return answer
            self._wait(_pause(answer))
        raise AssertionError("the last try returns")


def connect() -> Arm:
    """Azure, in the name of whoever is logged in on this machine. Raises NoLogin."""
    import httpx

    from infra.azure.asker import Endpoints
    from infra.azure.live import login

    endpoint = Endpoints.of(os.environ).arm
    return Arm(httpx.Client(base_url=endpoint, timeout=TIMEOUT), login(endpoint))


def _body(answer: httpx.Response, what: str, path: str) -> dict[str, Any]:
    if answer.status_code >= 400:
        raise ArmRefused(
            f"Azure would not {what} {path}: {_said(answer)}",
            not_done="this and all after it",
            next="the same command again when that is mended: it goes on from here",
        )
    try:
        body = answer.json() if answer.content else {}
    except ValueError as error:
        raise ArmRefused(f"Azure answered {path} with what is no JSON", next="the same command again") from error
    return body if isinstance(body, dict) else {}


def _said(answer: httpx.Response) -> str:
    """code: message of an ARM error; else the status."""
    try:
        error = answer.json()["error"]
        return f"{error['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"


def _ended(body: Mapping[str, Any], path: str) -> bool:
    """Whether a resource is ready; most answers without a state are. Raises ArmRefused where it has failed."""
    state = (body.get("properties") or {}).get("provisioningState", "Succeeded")
    if state in ("Failed", "Canceled"):
        raise ArmRefused(f"{path} ended as {state}", next="look at its activity log, then the same command again")
    return bool(state == "Succeeded")


def _pause(answer: httpx.Response) -> float:
    try:
        return float(answer.headers.get("Retry-After", PAUSE))
    except ValueError:
        return PAUSE
