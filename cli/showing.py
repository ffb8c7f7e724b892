"""The demo: a local region under real traffic, one good release and two bad ones, and what each came to."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cli import opening, steering, wiring
from cli.rollouts import report
from cli.rollouts.evidence import Count
from infra import state
from infra.errors import GateFailed, Interrupted
from infra.local.region import Wanted, down, up
from infra.programs import obtain
from runbooks.journal import Event

if TYPE_CHECKING:
    from cli.rollouts.state import State
    from loadtests.report.load_report import LoadReport
    from loadtests.run.client import Load

FLEET, SERVICE = "demo", "chat"
WARM = 6.0  # seconds of traffic before the first rollout: where the stable arm's latencies are measured
Tell = Callable[[str], None]
End = Literal["promoted", "rolled back"]


@dataclass(frozen=True, slots=True)
class Scene:
    """One release, what is in it, and how its rollout must end."""

    version: str
    what: str
    must: End


SCENES = (
    Scene("v2", "a real improvement: 20 % faster, as many errors as v1", "promoted"),
    Scene("v3", "3 % of the streams break with an error, every HTTP status is still 200", "rolled back"),
    Scene("v4", "10 % of the requests are four times slower, nothing else", "rolled back"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """How one scene ended."""

    scene: Scene
    state: State
    events: tuple[Event, ...]
    journal: Path

    @property
    def seconds(self) -> float:
        """From the plan to the end."""
        return (self.events[-1].at - self.events[0].at).total_seconds()

    @property
    def spent(self) -> Count:
        """Bad canary responses: errors, or the slow ones where a latency was blamed."""
        name, one = report.blamed(self.events)
        if name in ("", "errors"):
            return report.cost(self.state)
        bad, total = one["canary"]
        return Count(total, bad)


@dataclass(frozen=True, slots=True)
class Show:
    """What a whole demo came to."""

    scenes: tuple[Shown, ...]
    traffic: LoadReport
    seconds: float
    state: Path


def program() -> str:
    """This `ops`, as it can be typed: after `make demo` it is not on PATH."""
    return "ops" if shutil.which("ops") else sys.argv[0]


def play(seed: int, keep: bool, tell: Tell) -> Show:
    """Bring the region up, send traffic, roll three releases out, and take it down unless `keep`.

    Raises GateFailed where a rollout did not end as it must; then all state is kept and the message says where.
    """
    began = time.monotonic()
    with _own_state(seed) as root:
        try:
            with _region(seed, keep, tell) as place, _traffic(place, seed, tell) as load:
                shown = tuple(_scene(place, scene, tell) for scene in SCENES)
                traffic = load.stop()
        except (Interrupted, KeyboardInterrupt):
            what = f"the demo was interrupted; its journals are in {root}"
            raise Interrupted(what, not_done="its region is down again" if not keep else "") from None
    if not keep:
        shutil.rmtree(root / FLEET / "local", ignore_errors=True)  # logs and samples; the journals stay
    return Show(shown, traffic, time.monotonic() - began, root)


@contextmanager
def _own_state(seed: int) -> Iterator[Path]:
    """A state directory of this demo alone: whatever else runs on this machine is neither read nor changed."""
    before = os.environ.get("OPS_STATE")
    root = state.root("demos") / f"{time.strftime('%Y%m%d-%H%M%S')}-seed{seed}-{os.getpid()}"
    os.environ["OPS_STATE"] = str(root)
    try:
        yield root
    finally:
        if before is None:
            del os.environ["OPS_STATE"]
        else:
            os.environ["OPS_STATE"] = before


@contextmanager
def _region(seed: int, keep: bool, tell: Tell) -> Iterator[wiring.Place]:
    place = wiring.place(FLEET, None, SERVICE)
    for program in ("envoy", "prometheus", "alertmanager"):
        obtain(program, tell)
    began = time.monotonic()
    up(place.root, Wanted(FLEET, place.fleet.name, place.region, seed))
    parts = "Envoy, Prometheus, Alertmanager, 4 model servers"
    tell(f"region    {place.region} is up in {time.monotonic() - began:.1f} s: {parts}")
    try:
        yield place
    finally:
        if not keep:
            down(place.root)


@contextmanager
def _traffic(place: wiring.Place, seed: int, tell: Tell) -> Iterator[Load]:
    from loadtests.order import Order
    from loadtests.run.client import start

    profile = place.fleet.load_profile(place.service.load)
    order = Order(
        service=SERVICE,
        model=place.service.model,
        url=place.traffic().facts().services[SERVICE].url,
        profile=profile,
        duration=None,
        seed=seed,
        fleet=place.fleet.name,
        region=place.region,
        targets=str(place.root / "targets"),
    )
    with start(order) as load:
        rate = f"{profile.mean:g} requests/s on average"
        tell(f"traffic   Azure's 2023 conversation trace, {rate}, streamed through Envoy")
        import_module("cli.rollouts.judge")  # takes seconds on a busy machine; these are waited anyway
        for progress in load.progress():
            if progress.elapsed >= WARM:
                break
        yield load


def _scene(place: wiring.Place, scene: Scene, tell: Tell) -> Shown:
    tell("")
    tell(f"release   {scene.version}: {scene.what}")
    plan = opening.new_plan(place, opening.release_for(place, scene.version).version)
    run, state = steering.roll(place, plan)
    shown = Shown(scene, state, run.journal.events(), run.journal.path)
    tell(f"ended     {state.phase} after {shown.seconds:.0f} s: {report.because(state)}")
    tell(f"cost      {shown.spent.bad} bad of {shown.spent.total} canary responses")
    if state.phase != scene.must:
        raise GateFailed(
            f"{scene.version} was {state.phase}, and it must be {scene.must}: {state.reason}",
            not_done="the demo stopped here",
            next=f"OPS_STATE={os.environ['OPS_STATE']} {program()} rollout explain {plan.run}",
        )
    return shown
