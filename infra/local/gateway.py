"""The region's Envoy as its supervisor meets it: writes the files that Envoy watches, reads back what it does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace

import httpx

from infra.local import admin, envoy, routing
from infra.local.layout import Layout
from infra.local.routing import ARMS, Assignment, Endpoint, Weights
from infra.store import write_json

LOOK = 0.005  # seconds between two looks for a change; Envoy takes 2-3 ms
PATIENCE = 1.0  # seconds after which a change counts as not confirmed; the next round looks again


@dataclass(frozen=True, slots=True)
class View:
    """Weights by service and ports by "<service>|<arm>": as written, or as Envoy says."""

    weights: dict[str, Weights] = field(default_factory=dict)
    ports: dict[str, frozenset[int]] = field(default_factory=dict)


class Gateway:
    """One Envoy. `written` is what its files say; `look` what it does."""

    def __init__(self, layout: Layout, admin_port: int, http: httpx.AsyncClient) -> None:
        self.written = View()
        self._layout = layout
        self._admin = f"http://127.0.0.1:{admin_port}"
        self._http = http
        self._salts: dict[str, str] = {}
        self._version = 0

    def open(self, service: str, assignment: Assignment, salt: str) -> None:
        """First files of a service, which Envoy needs to start: all traffic to a stable arm without replicas."""
        for arm in ARMS:
            self.publish(service, arm, ())
        self.weigh(service, Weights(), assignment, salt)

    def publish(self, service: str, arm: str, hosts: tuple[Endpoint, ...]) -> None:
        """Make these the replicas of an arm."""
        write_json(envoy.endpoint_file(self._layout.dynamic, service, arm), routing.endpoints(service, arm, hosts))
        ports = {**self.written.ports, routing.cluster(service, arm): frozenset(host.port for host in hosts)}
        self.written = replace(self.written, ports=ports)

    def weigh(self, service: str, weights: Weights, assignment: Assignment, salt: str) -> None:
        """Make these the weights of a service."""
        self._version += 1
        file = envoy.route_file(self._layout.dynamic, service)
        write_json(file, routing.routes(service, weights, assignment, str(self._version), salt))
        self._salts[service] = salt
        self.written = replace(self.written, weights={**self.written.weights, service: weights})

    def salt(self, service: str) -> str:
        """The salt of a service's routes as written."""
        return self._salts.get(service, "")

    async def look(self) -> View | None:
        """What Envoy says; nothing when it does not answer."""
        try:
            routes = (await self._http.get(self._admin + admin.ROUTES_QUERY, timeout=1.0)).raise_for_status().json()
            clusters = (await self._http.get(self._admin + admin.CLUSTERS_QUERY, timeout=1.0)).raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            return None
        weights = {service: value.weights for service, value in admin.applied(routes).items()}
        return View(weights, admin.serving(clusters))

    async def confirm(self) -> View | None:
        """Look until Envoy does what is written, or patience ends; returns the last view."""
        until = time.monotonic() + PATIENCE
        while (view := await self.look()) != self.written and view and time.monotonic() < until:
            await asyncio.sleep(LOOK)
        return view
