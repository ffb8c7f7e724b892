"""An Azure Resource Manager over HTTP, in memory: slow creates, throttling, rights; answers httpx without a net."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

OWNER = [{"actions": ["*"], "notActions": []}]


@dataclass
class FakeArm:
    """Resources by id. `slow`: looks that a new resource needs until it is ready; `throttle`: calls it sends away.

    `refuse`: part of an id -> code and message of the error that a PUT there meets.
    """

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    permissions: list[dict[str, Any]] = field(default_factory=lambda: OWNER)
    registered: set[str] = field(default_factory=set)
    slow: int = 0
    throttle: int = 0
    refuse: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    _left: dict[str, int] = field(default_factory=dict)

    def client(self) -> httpx.Client:
        """A client that speaks to it."""
        return httpx.Client(base_url="https://arm.test", transport=httpx.MockTransport(self._answer))

    def writes(self) -> list[str]:
        """The calls that changed something."""
        return [call for call in self.calls if not call.startswith("GET")]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.headers.get("Authorization") != "Bearer token":
            return _error(401, "AuthenticationFailed", "no token")
        if self.throttle:
            self.throttle -= 1
            return httpx.Response(429, headers={"Retry-After": "7"}, json={"error": {"code": "x", "message": "later"}})
        self.calls.append(f"{request.method} {path}")
        return self._methods()[request.method](path, request)

    def _methods(self) -> dict[str, Callable[[str, httpx.Request], httpx.Response]]:
        return {"GET": self._get, "PUT": self._put, "POST": self._post}

    def _get(self, path: str, request: httpx.Request) -> httpx.Response:
        if path.endswith("/providers/Microsoft.Authorization/permissions"):
            return httpx.Response(200, json={"value": self.permissions})
        if re.fullmatch(r"/subscriptions/[^/]+/providers", path):
            return self._providers(request)
        if path not in self.resources:
            return _error(404, "ResourceNotFound", f"{path} was not found")
        return httpx.Response(200, json=self._seen(path))

    def _providers(self, request: httpx.Request) -> httpx.Response:
        """In two pages, as Azure does with long lists."""
        rows = [{"namespace": name, "registrationState": "Registered"} for name in sorted(self.registered)]
        half = len(rows) // 2
        if "page" in request.url.params:
            return httpx.Response(200, json={"value": rows[half:]})
        following = f"https://arm.test{request.url.path}?page=2"
        return httpx.Response(200, json={"value": rows[:half], "nextLink": following})

    def _put(self, path: str, request: httpx.Request) -> httpx.Response:
        for part, error in self.refuse.items():
            if part in path:
                return _error(*error)
        body = json.loads(request.content)
        new = path not in self.resources
        before = self.resources.get(path, {})
        self.resources[path] = {**before, **body, "id": path}
        if new and "properties" in body:
            self._left[path] = self.slow
        return httpx.Response(201 if new else 200, json=self._seen(path))

    def _post(self, path: str, request: httpx.Request) -> httpx.Response:
        found = re.fullmatch(r"/subscriptions/[^/]+/providers/([^/]+)/register", path)
        assert found, path
        self.registered.add(found[1])
        return httpx.Response(200, json={"registrationState": "Registering"})

    def _seen(self, path: str) -> dict[str, Any]:
        """The body as Azure shows it: with a state, which is not yet Succeeded for the first looks."""
        body = self.resources[path]
        if "properties" not in body:
            return body
        left = self._left.get(path, 0)
        self._left[path] = max(0, left - 1)
        state = "Creating" if left else body["properties"].get("provisioningState", "Succeeded")
        return {**body, "properties": {**body["properties"], "provisioningState": state}}


def _error(status: int, code: str, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": message}})
