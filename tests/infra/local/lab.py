"""A local region for tests: two services, releases without faults, and short words for what tests do to it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from infra import fleet, release
from infra.local import admin
from infra.local.layout import ReplicaStatus, ServiceStatus, Status
from infra.local.region import LocalRegion, Up, Wanted, down, up
from infra.local.routing import Weights
from infra.local.wish import Wish, write_wish
from infra.record import RecordStore
from infra.state import record_path

NAME, REGION = "lab", "eastus2"
DEADLINE = 15.0
CALM = {"performance": {"prefill_base": "5ms", "decode": "1ms", "stream_interval": 8, "load_time": "100ms"}}


def until(condition: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """What `condition` returns as soon as it is true. Fails when it has not become true in time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {getattr(condition, '__name__', condition)}"
        time.sleep(0.01)
    return value


def write_fleet(folder: Path, name: str = NAME) -> Path:
    """The demo fleet under another name, so that its state is its own; chat-mini is assigned by user."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.yaml"
    head, tail = fleet.locate("demo").read_text().replace("name: demo", f"name: {name}", 1).split("- name: chat-mini")
    by_user = tail.replace("rollout:\n", "rollout:\n      assignment: user\n", 1).replace("block: 2s", "block: 1d", 1)
    by_user = by_user.replace("deadline: 90s", "deadline: 9d", 1)
    file.write_text(f"{head}- name: chat-mini{by_user}")
    return file


def write_release(folder: Path, version: str, **simulate: Any) -> Path:
    """A release of chat that has no faults."""
    manifest = yaml.safe_load(release.locate("chat", "v1").read_text())
    file = folder / f"{version}.yaml"
    file.write_text(yaml.safe_dump({**manifest, "version": version, "simulate": {**CALM, **simulate}}))
    return file


@dataclass
class Lab:
    """A region in `root`, and a client of its service chat."""

    root: Path
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10.0, trust_env=False))
    tokens: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def region(self) -> LocalRegion:
        return LocalRegion(self.root / "region")

    def up(self, replicas: int = 2) -> Up:
        return up(self.root / "region", Wanted(str(self.root / f"{NAME}.yaml"), NAME, REGION, 1, replicas))

    def down(self) -> list[str]:
        return down(self.root / "region")

    def prepare(self) -> None:
        """The fleet's file, three releases without faults, and the first of them on record."""
        write_fleet(self.root)
        for version in ("c1", "c2", "c3"):
            write_release(self.root, version)
        self.record("c1")

    def release(self, version: str) -> str:
        return str(self.root / f"{version}.yaml")

    def record(self, version: str) -> None:
        record_path(NAME).unlink(missing_ok=True)
        RecordStore(record_path(NAME)).set("chat", REGION, self.release(version), run=None, expect=None)

    def wish(self, version: str | None, canary: float = 0, baseline: float = 0, expires: float | None = None) -> int:
        """Write a wish with the next token; returns the token."""
        token = next(self.tokens)
        end = None if expires is None else datetime.now(UTC) + timedelta(seconds=expires)
        name = None if version is None else self.release(version)
        write_wish(self.region.layout.weights, Wish("chat", name, canary, baseline, token, end))
        return token

    def roll(self, version: str, canary: float, baseline: float) -> None:
        """A wish, and Envoy has it in force."""
        self.wish(version, canary, baseline)
        until(lambda: self.applied() == Weights(round(canary * 100), round(baseline * 100)))

    def retire(self) -> None:
        """No slices any more."""
        self.wish(None)
        until(lambda: not self.arm("canary") and not self.arm("baseline"))

    def applied(self) -> Weights:
        """Weights of chat as Envoy's own admin interface has them."""
        return admin.applied(self._admin(admin.ROUTES_QUERY))["chat"].weights

    def ports(self, arm: str) -> frozenset[int]:
        """Ports that Envoy sends requests of an arm to."""
        return admin.serving(self._admin(admin.CLUSTERS_QUERY))[f"chat|{arm}"]

    def status(self) -> Status:
        return self.region.status()

    def chat(self) -> ServiceStatus:
        return self.status().services["chat"]

    def arm(self, arm: str) -> tuple[ReplicaStatus, ...]:
        return self.chat().arms[arm].replicas

    def ask(self, session: str, tokens: int = 4) -> httpx.Response:
        """One chat completion of a session."""
        body = {"model": "Qwen/Qwen3-8B", "messages": [{"role": "user", "content": "hello"}], "max_tokens": tokens}
        return self.http.post(f"{self.url}/v1/chat/completions", json=body, headers={"x-session-id": session})

    def stream(self, session: str, tokens: int) -> tuple[int, str, str]:
        """Status, release and whole text of a streamed completion."""
        body = {"model": "Qwen/Qwen3-8B", "prompt": "hello", "max_tokens": tokens, "stream": True, "ignore_eos": True}
        answer = self.http.post(f"{self.url}/v1/completions", json=body, headers={"x-session-id": session})
        return answer.status_code, answer.headers.get("x-ops-release", ""), answer.text

    @property
    def url(self) -> str:
        return self.region.facts().services["chat"].url

    def query(self, promql: str) -> list[dict[str, Any]]:
        """An instant query at the region's Prometheus."""
        answer = self.http.get(f"{self.region.facts().prometheus}/api/v1/query", params={"query": promql})
        result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return result

    def _admin(self, query: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.http.get(self.region.facts().envoy_admin + query).text)
        return answer
