"""Which adapters a rollout of a service in a region gets. The only place that knows them together."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cli.adapters.activity import Activity
from cli.adapters.lease_file import LeaseFile
from cli.adapters.local_region import LocalTraffic
from cli.adapters.prometheus import Prometheus, RegionMetrics
from cli.adapters.record_file import RecordFile
from cli.adapters.run_files import RunFiles, actor
from cli.adapters.stage_load import StageLoad
from cli.recovery import record_store
from cli.rollouts.evidence import STALE, Look
from cli.rollouts.freeze import QUANTILES, watched
from cli.rollouts.plan import Metric, Plan
from cli.rollouts.ports import Ports
from infra import state
from infra.fleet import Fleet, load_fleet
from infra.load_profile import LoadProfile
from infra.service import Service

WINDOW = 60.0  # seconds of the stable arm's latencies that thresholds are taken from


class SystemClock:
    """The wall clock."""

    def now(self) -> float:
        return time.time()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Place:
    """One service of a fleet in one region, and its state on disk."""

    fleet: Fleet
    source: str  # how the fleet was named on the command line
    region: str
    service: Service

    @property
    def root(self) -> Path:
        """The local region's directory."""
        return state.region_dir(self.fleet.name, self.region)

    @property
    def runs(self) -> RunFiles:
        """The rollouts of the fleet."""
        return RunFiles(state.journal_dir(self.fleet.name))

    @property
    def record(self) -> RecordFile:
        """The release of record of this service here."""
        return RecordFile(record_store(self.fleet), self.fleet, self.service.name, self.region)

    @property
    def begin_lock(self) -> Path:
        """Held while a rollout of this service is begun here: of two at once, one is the first."""
        return state.lease_path(self.fleet.name, self.service.name, self.region).with_suffix(".begin")

    @property
    def activity(self) -> Activity:
        """Who does what with the fleet's regions now."""
        return Activity(state.activity_dir(self.fleet.name), actor())

    def lease(self, run: str) -> LeaseFile:
        """The lease of this service here, for `run`."""
        return LeaseFile(state.lease_path(self.fleet.name, self.service.name, self.region), actor(), run)

    def traffic(self) -> LocalTraffic:
        """The traffic of this service here."""
        return LocalTraffic(self.root, self.service.name)

    def metrics(self) -> RegionMetrics:
        """The counters of this region as it is up now. Raises RegionDown."""
        return RegionMetrics(Prometheus(self.traffic().facts().prometheus), self.region, STALE)

    def ports(self, lease: LeaseFile) -> Ports:
        """Everything that the rollout loop needs."""
        loads = StageLoad(self.service.model, lambda: self.traffic().facts().services[self.service.name].url)
        return Ports(self.traffic(), CurrentMetrics(self), self.record, lease, SystemClock(), loads)

    def load_profile(self) -> LoadProfile | None:
        """The load profile of the rollout's load stage, where it has one. Raises TraceError for a file of its own."""
        from loadtests.arrivals.schedule import recording

        if (stage := self.service.rollout.load) is None:
            return None
        profile = self.fleet.load_profile(stage.profile).beside(Path.cwd())
        recording(profile)  # so that what is wrong with it is told before anything is done
        return profile

    def check_up(self) -> None:
        """Raises RegionDown where the region neither is up nor is coming up."""
        traffic = self.traffic()
        if not traffic.supervised():
            traffic.facts()

    def thresholds(self) -> dict[Metric, list[float]]:
        """Where exceedances are counted: the stable arm's quantiles of the last minute. Raises MetricsError."""
        metrics, now = self.metrics(), time.time()
        names = watched(self.service)
        return {name: metrics.thresholds(self.service.name, name, QUANTILES, WINDOW, now) for name in names}

    def token_floor(self) -> int:
        """The newest token that the region has seen, should the lease file be lost."""
        wish = self.traffic().wished()
        return wish.token if wish else 0


class CurrentMetrics:
    """The counters of a region that may go down and come up elsewhere while a rollout runs."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._found: tuple[str, RegionMetrics] | None = None

    def looks(self, plan: Plan, after: float, until: float, weight: float) -> tuple[Look, ...]:
        """As RegionMetrics does, with the Prometheus of now. Raises Unavailable."""
        url = self._place.traffic().facts().prometheus
        if self._found is None or self._found[0] != url:
            self._found = url, RegionMetrics(Prometheus(url), self._place.region, STALE)
        return self._found[1].looks(plan, after, until, weight)


def place(fleet: str, region: str | None, service: str) -> Place:
    """The place that a command line names. Raises FleetError and NotInFleet."""
    loaded = load_fleet(fleet)
    return Place(loaded, fleet, loaded.region(region).name, loaded.service(service))


def argv(place: Place, *words: str) -> list[str]:
    """The command line of `ops` for this place, for a job that outlives this terminal."""
    fleet = str(Path(place.source).resolve()) if Path(place.source).is_file() else place.source
    return [sys.executable, "-m", "cli.main", *words, "--fleet", fleet, "--region", place.region]


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C or SIGTERM only makes the yielded function say True; a second Ctrl-C interrupts at once."""
    asked = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
