"""The replicas of one service: carries out what reconcile.py says, one process per replica."""

from __future__ import annotations

import asyncio
import signal
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from infra.errors import OpsError
from infra.local.gateway import Gateway, View
from infra.local.layout import ArmStatus, Layout, ReplicaStatus, ServiceStatus, Share, WeightStatus
from infra.local.ports import Ports
from infra.local.process import MARKER, Child, Program, State
from infra.local.reconcile import Action, Arm, Drain, Goal, Observed, Publish, Replica, Start, Weigh, Withdraw
from infra.local.routing import ARMS, TOTAL, Endpoint, Weights, cluster
from infra.local.scrape import Target
from infra.local.wish import Wish
from infra.release import Release, load_release
from infra.service import Service
from infra.store import write_json

WITHDRAWAL = 2.0  # seconds for a typed error to reach the clients of a withdrawn release
AFTER_DRAIN = 1.0  # seconds beyond the drain deadline, in which a server ends what it then still has


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all workloads of a region share."""

    layout: Layout
    http: httpx.AsyncClient
    ports: Ports
    gateway: Gateway
    seed: int
    changed: Callable[[], None]


@dataclass(slots=True)
class Member:
    """A replica: which one, where, its process, and the task that stops it."""

    name: str
    arm: Arm
    release: Release
    pair: str | None
    port: int
    child: Child
    end: asyncio.Task[None] | None = None

    def replica(self, wanted: str) -> Replica:
        """The replica as reconcile sees it; `wanted` is the release as it was asked for."""
        state = "draining" if self.end else self.child.state.value
        return Replica(self.name, self.arm, wanted, state, self.pair)  # type: ignore[arg-type]


class Workload:
    """One service of the region."""

    def __init__(self, service: Service, replicas: int, around: Surroundings) -> None:
        self.service = service
        self.wish: Wish | None = None
        self.problem = ""
        self._replicas = replicas
        self._around = around
        self._members: dict[str, Member] = {}
        self._asked: dict[str, str] = {}
        self._releases: dict[str, Release] = {}
        self._serial = dict.fromkeys(ARMS, 0)

    def goal(self, record: str | None, now: datetime) -> Goal:
        """What this service should be now. What cannot be read is left as it is, and `problem` says so."""
        self.problem = ""
        record = record if record is not None and self._known(record) else None
        wish = self.wish
        if wish is None or wish.release is None:
            return Goal(self._replicas, record)
        if not self._known(wish.release):
            return Goal(self._replicas, record)
        weights = (0.0, 0.0) if wish.expired(now) else (wish.canary, wish.baseline)
        return Goal(self._replicas, record, wish.release, *weights)

    def observed(self, view: View) -> Observed:
        """What is there, with Envoy's ports turned into names."""
        names = {member.port: member.name for member in self._members.values()}
        serving: dict[Arm, frozenset[str]] = {}
        for arm in ARMS:
            ports = view.ports.get(cluster(self.service.name, arm), frozenset())
            serving[arm] = frozenset(names.get(port, f"gone:{port}") for port in ports)  # type: ignore[index]
        replicas = tuple(member.replica(self._asked[member.name]) for member in self._members.values())
        return Observed(replicas, view.weights.get(self.service.name, Weights()), serving)

    def do(self, action: Action, salt: str) -> None:
        """Carry out one action; nothing here waits."""
        match action:
            case Start(arm, release, pair):
                self._start(arm, release, pair)
            case Drain(name):
                self._stop(name, signal.SIGTERM, self.service.rollout.drain + AFTER_DRAIN)
            case Withdraw(name):
                self._stop(name, signal.SIGQUIT, WITHDRAWAL)
            case Publish(arm, names):
                hosts = tuple(Endpoint(self._members[name].port, self._members[name].release.version) for name in names)
                self._around.gateway.publish(self.service.name, arm, hosts)
            case Weigh(weights):
                self._around.gateway.weigh(self.service.name, weights, self.service.rollout.assignment, salt)

    def children(self) -> list[Child]:
        """Its processes."""
        return [member.child for member in self._members.values()]

    def targets(self) -> list[Target]:
        """Its replicas as Prometheus should see them."""
        return [
            Target(member.port, self.service.name, member.arm, member.release.version, member.name)
            for member in self._members.values()
        ]

    def healthy(self, view: View) -> bool:
        """Whether as many stable replicas as it should have get traffic."""
        ready = {member.port for member in self._members.values() if member.child.state is State.READY}
        return len(ready & view.ports.get(cluster(self.service.name, "stable"), frozenset())) >= self._replicas

    def status(self, view: View, now: datetime) -> ServiceStatus:
        """What status.json says of it."""
        wish, applied = self.wish, view.weights.get(self.service.name)
        return ServiceStatus(
            token=wish.token if wish else None,
            expired=bool(wish and wish.release and wish.expired(now)),
            weights=WeightStatus(
                wished=_wished(wish),
                applied=_share(applied) if applied else Share(),
            ),
            arms={arm: self._arm(arm) for arm in ("stable", "canary", "baseline")},
            problem=self.problem,
        )

    async def stop(self) -> None:
        """Stop all replicas at once: the region goes down."""
        await asyncio.gather(*(child.stop(signal.SIGQUIT, 1.0) for child in self.children()))

    def _arm(self, arm: str) -> ArmStatus:
        members = [member for member in self._members.values() if member.arm == arm]
        release = next((member.release.version for member in reversed(members) if member.end is None), None)
        replicas = tuple(
            ReplicaStatus(
                name=member.name,
                release=member.release.version,
                port=member.port,
                pid=member.child.pid,
                state=member.replica("").state,
                restarts=member.child.restarts,
            )
            for member in members
        )
        return ArmStatus(release=release, replicas=replicas)

    def _known(self, version: str) -> bool:
        """Whether a release can be read; remembered once it could, so that a file deleted later changes nothing."""
        if version in self._releases:
            return True
        try:
            self._releases[version] = load_release(self.service.name, version)
        except OpsError as error:
            self.problem = f"release {version}: {error.what}"
            return False
        return True

    def _start(self, arm: Arm, version: str, pair: str | None) -> None:
        self._serial[arm] += 1
        name, port = f"{self.service.name}-{arm}-{self._serial[arm]}", self._around.ports.pick()
        release = self._releases[version] if self._known(version) else None
        if release is None:
            return
        child = Child(self._program(name, arm, release, port), self._around.http, self._around.changed)
        self._asked[name] = version
        self._members[name] = Member(name, arm, release, pair, port, child)

    def _program(self, name: str, arm: str, release: Release, port: int) -> Program:
        layout = self._around.layout
        config = layout.root / "servers" / f"{name}.json"
        write_json(config, self._config(name, arm, release))
        argv = (sys.executable, "-m", "infra.local.server", "--config", str(config), "--port", str(port))
        marker = {MARKER: str(layout.root)}
        return Program(name, argv, layout.log(name), f"http://127.0.0.1:{port}/health", marker)

    def _config(self, name: str, arm: str, release: Release) -> dict[str, object]:
        return {
            "service": self.service.name,
            "model": self.service.model,
            "release": release.version,
            "arm": arm,
            "replica": name,
            "seed": zlib.crc32(f"{self._around.seed}:{self.service.name}".encode()),
            "drain": self.service.rollout.drain,
            "simulate": release.simulate.model_dump(mode="json") if release.simulate else {},
        }

    def _stop(self, name: str, number: signal.Signals, grace: float) -> None:
        member = self._members[name]
        if member.end is None:
            member.end = asyncio.create_task(self._end(member, number, grace))

    async def _end(self, member: Member, number: signal.Signals, grace: float) -> None:
        await member.child.stop(number, grace)
        del self._members[member.name]
        self._around.changed()


def _wished(wish: Wish | None) -> Share:
    canary, baseline = (wish.canary, wish.baseline) if wish else (0.0, 0.0)
    return Share(canary=canary, baseline=baseline, stable=round(100 - canary - baseline, 2))


def _share(weights: Weights) -> Share:
    percent = {arm: weights.of(arm) * 100 / TOTAL for arm in ARMS}
    return Share(**percent)
