"""Test doubles of the rollout ports, in memory and on virtual time. They keep every promise that the real ones make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from cli.rollouts.evidence import Count, Look
from cli.rollouts.plan import Plan, Signal, Stage
from cli.rollouts.ports import Fenced, Pressed, World
from cli.rollouts.procedure import Press, Shift
from cli.rollouts.ruling import Ruling
from infra.errors import Locked, Refused, Unavailable

EPOCH = 1_790_000_000.0

SIGNALS = (
    Signal("errors", None, 5.0, 0.02, True),
    Signal("ttft", 0.25, 3.0, 0.05, True),
    Signal("itl", 0.025, 3.0, None, False),
)
PLAN = Plan(
    run="rollout-chat-eastus2-test",
    fleet="demo",
    region="eastus2",
    service="chat",
    stable="v1",
    canary="v2",
    assignment="session",
    weights=(25.0, 50.0),
    budget=40,
    signals=SIGNALS,
    alpha=0.01,
    confidence=0.95,
    noise=0.3,
    look=1.0,
    block=2.0,
    warmup=0.0,
    deadline=90.0,
    bake=5.0,
    drain=5.0,
    expiry=15.0,
)
STAGED = replace(PLAN, load=Stage({"name": "steady", "rate": "1/s"}, 20.0, 10.0, ("ok >= 99%", "ttft p99 < 250ms")))
HEALTHY = {"errors": 0.005, "ttft>0.25s": 0.01, "itl>0.025s": 0.01}


class FakeClock:
    """Virtual time: waiting is free, and `at` calls something when its time has come."""

    def __init__(self) -> None:
        self._now = EPOCH
        self._due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self._now

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    def at(self, seconds: float, call: Callable[[], None]) -> None:
        """Call `call` once `seconds` after the beginning have passed."""
        self._due.append((EPOCH + seconds, call))

    def wait(self, seconds: float) -> None:
        self._now += seconds
        for entry in [entry for entry in self._due if entry[0] <= self._now]:
            self._due.remove(entry)
            entry[1]()


@dataclass
class FakeLease:
    """A lease with a fencing token; `taken` by somebody else it is lost."""

    token: int = 1
    taken: bool = False

    def renew(self) -> int:
        if self.taken:
            raise Locked("somebody else holds it")
        return self.token


@dataclass
class FakeRecord:
    """The release of record, following what it is told."""

    release: str = "v1"
    down: bool = False
    history: list[str] = field(default_factory=list)

    def read(self) -> str:
        if self.down:
            raise Unavailable("the record cannot be read")
        return self.release

    def set(self, release: str, run: str, expect: str) -> None:
        if self.read() not in (expect, release):
            raise Refused(f"the record says {self.release} and not {expect}")
        self.release = release
        self.history.append(release)


class FakeTraffic:
    """A region that is ready at once, refuses old tokens, zeroes expired wishes and follows the record."""

    def __init__(self, clock: FakeClock, record: FakeRecord) -> None:
        self._clock = clock
        self._record = record
        self._wish = Shift(None, 0.0, 0.0)
        self._token = 0
        self._expires = 0.0
        self.slices_ready = True
        self.stable_ready = True
        self.down = False
        self.open_requests = 0
        self.crashes = ""
        self.lapsed = 0  # how often it was seen with a wish that had expired
        self.history: list[Shift] = []

    def wish(self, shift: Shift, token: int, expiry: float) -> None:
        self._answer()
        if token < self._token:
            raise Fenced(f"token {token} is older than {self._token}")
        if shift != self._wish:
            self.history.append(shift)
        self._wish, self._token, self._expires = shift, token, self._clock.now() + expiry

    def observe(self) -> World:
        self._answer()
        expired = self._clock.now() >= self._expires
        self.lapsed += expired and self._wish.release is not None
        wish = replace(self._wish, canary=0.0, baseline=0.0) if expired else self._wish
        return World(
            canary=wish.canary,
            baseline=wish.baseline,
            slices=wish.release,
            slices_ready=self.slices_ready,
            open_requests=self.open_requests,
            stable=self._record.release,
            stable_ready=self.stable_ready,
            crashes=self.crashes,
        )

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("the region does not answer")


class FakeLoads:
    """Loads that last as long as they are told to, and come to `rulings` one after the other; the last one for ever.

    `sent` are the seconds at which each began and ended or was cut off.
    """

    def __init__(self, clock: FakeClock, *rulings: Ruling) -> None:
        self._clock = clock
        self._rulings = list(rulings or (PASSED,))
        self._until: float | None = None
        self.dies = False  # its client ends as soon as it was begun
        self.begun: list[Press] = []
        self.sent: list[tuple[float, float]] = []

    @property
    def under_way(self) -> bool:
        return self._until is not None

    def begin(self, plan: Plan, press: Press) -> None:
        self.begun.append(press)
        self._since, self._until = self._clock.now(), self._clock.now() + (0.0 if self.dies else press.seconds)

    def ended(self) -> Pressed | None:
        if self._until is None or self._clock.now() < self._until:
            return None
        self._end()
        ruling = self._rulings.pop(0) if len(self._rulings) > 1 else self._rulings[0]
        return Pressed(ruling, {"rate": 20.0})

    def stop(self) -> None:
        if self._until is not None:
            self._end()

    def _end(self) -> None:
        self.sent.append((self._since - EPOCH, self._clock.now() - EPOCH))
        self._until = None


PASSED = Ruling("pass", ("ttft p99 < 250ms: 100.00% of 200",))
BROKEN = Ruling("fail", ("ttft p99 < 250ms: 12.00% of 200",))
UNTOLD = Ruling("cannot tell", ("the client was INVALID: busy",))


class FakeMetrics:
    """Counts drawn from given rates of bad responses per arm and signal; deterministic by seed."""

    def __init__(
        self, canary: Mapping[str, float], baseline: Mapping[str, float], rate: float = 100.0, seed: int = 1
    ) -> None:
        self._rates = {"canary": dict(canary), "baseline": dict(baseline), "stable": dict(baseline)}
        self._rate = rate
        self._random = np.random.default_rng(seed)
        self.problem = ""
        self.down = False

    def looks(self, plan: Plan, after: float, until: float, weight: float) -> tuple[Look, ...]:
        if self.down:
            raise Unavailable("Prometheus does not answer")
        steps = round((until - after) / plan.look)
        return tuple(self._look(plan, after + (i + 1) * plan.look, weight) for i in range(steps))

    def _look(self, plan: Plan, at: float, weight: float) -> Look:
        if self.problem:
            return Look(at, weight, {}, self.problem)
        baseline = weight if weight < 100 else 0.0
        shares = {"canary": weight, "baseline": baseline, "stable": 100 - weight - baseline}
        return Look(at, weight, {arm: self._arm(plan, arm, share) for arm, share in shares.items()})

    def _arm(self, plan: Plan, arm: str, share: float) -> dict[str, Count]:
        total = int(self._random.poisson(self._rate * plan.look * share / 100))
        return {
            signal.name: Count(total, int(self._random.binomial(total, self._rates[arm][signal.name])))
            for signal in plan.signals
        }


def rates(**changes: Any) -> dict[str, float]:
    """Healthy rates of bad responses with changes: errors=0.03, ttft=0.1, itl=0.1."""
    names = {"errors": "errors", "ttft": "ttft>0.25s", "itl": "itl>0.025s"}
    return {**HEALTHY, **{names[key]: value for key, value in changes.items()}}
