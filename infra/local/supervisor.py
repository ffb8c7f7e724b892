"""The supervisor of one local region: keeps its processes alive and turns wishes and the record into traffic.

Run as `python -m infra.local.supervisor --fleet FILE --region R --seed N --replicas N --dir DIR`; region.py starts it.
What to do is reconcile.py's to say; this is the loop around it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from infra.errors import Locked, OpsError
from infra.fleet import Fleet, load_fleet
from infra.local import equipment, scrape, start
from infra.local.envoy import Listener
from infra.local.gateway import Gateway, View
from infra.local.inputs import Records, Wishes
from infra.local.job import Jobs
from infra.local.layout import API_VERSION, Facts, Layout, ProcessStatus, ServiceFacts, Status
from infra.local.leftover import me
from infra.local.ports import Ports
from infra.local.process import Child, State, trim
from infra.local.reconcile import Drain, Weigh, Withdraw, reconcile
from infra.local.routing import salt
from infra.local.workload import Surroundings, Workload
from infra.record import RecordStore
from infra.service import Service
from infra.state import record_path
from infra.store import locked, write_json

ROUND = 0.05  # seconds between two looks at the files: most of the time from a wish to its force
READ_BACK = 1.0  # seconds between two looks at what Envoy applies when nothing was changed


class Supervisor:
    """A region, from its first process to its last."""

    def __init__(self, layout: Layout, fleet: Fleet, region: str, seed: int, replicas: int | None) -> None:
        self._layout, self._fleet, self._region = layout, fleet, region
        self._wake, self._ending = asyncio.Event(), asyncio.Event()
        self._http = httpx.AsyncClient(trust_env=False)
        self._ports = Ports(random.Random())  # not the seed: two regions with one seed must not meet
        services = _services(fleet, region)
        self._listeners = {service.name: Listener(self._ports.pick(), service.limits) for service in services}
        self._ports_of = scrape.Listening(*(self._ports.pick() for _ in range(3)))
        self._gateway = Gateway(layout, self._ports_of.envoy, self._http)
        around = Surroundings(layout, self._http, self._ports, self._gateway, seed, self._wake.set)
        self._workloads = [Workload(service, replicas or service.replicas, around) for service in services]
        self._wishes = Wishes(layout, frozenset(self._listeners))
        self._records = Records(RecordStore(record_path(fleet.name)), fleet, region, self._listeners)
        self._jobs = Jobs(layout, self._http, self._wake.set)
        self._programs: list[Child] = []
        self._view = View()
        self._read_back = 0.0
        self._said = Status()
        self._targets: list[scrape.Target] = []
        self._healthy = False

    async def run(self) -> None:
        """Until SIGTERM or SIGINT, or until the start has failed; leaves no process behind."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        self._born = time.monotonic()
        try:
            self._prepare()
            while not self._ending.is_set():
                await self._round()
                await self._pause()
        finally:
            await self._stop()

    def _end(self) -> None:
        self._ending.set()
        self._wake.set()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), ROUND)
        except TimeoutError:
            return
        self._wake.clear()
        self._read_back = 0.0  # a process changed its state: look at Envoy again, too

    def _prepare(self) -> None:
        """Configuration of the parts, then the parts."""
        for workload in self._workloads:
            service = workload.service
            self._gateway.open(service.name, service.rollout.assignment, salt(service.rollout, time.time()))
        programs = equipment.programs(self._layout, self._fleet.name, self._region, self._ports_of, self._listeners)
        self._programs = [Child(program, self._http, self._wake.set) for program in programs]

    async def _round(self) -> None:
        """Gather, decide, act, say."""
        now = datetime.now(UTC)
        self._wishes.look()
        self._records.look()
        if self._healthy:  # a job needs the region
            self._jobs.look()
        known = await self._look()
        changed = False
        for workload in self._workloads:
            changed |= self._reconcile(workload, now, known)
        if changed:
            self._view = await self._gateway.confirm() or self._gateway.written
        self._say(now)
        self._judge_start()

    async def _look(self) -> bool:
        """What Envoy does, now and then; False if it does not say, and what was written must stand for it."""
        if time.monotonic() - self._read_back < READ_BACK:
            return True
        view = await self._gateway.look()
        self._view = view or self._gateway.written
        if view:
            self._read_back = time.monotonic()
            self._keep_house()
        return view is not None

    def _keep_house(self) -> None:
        for log in (self._layout.root / "logs").glob("*.log"):
            trim(log)

    def _reconcile(self, workload: Workload, now: datetime, known: bool) -> bool:
        """Act for one service; True if Envoy has something to confirm. While Envoy is silent, nothing is stopped."""
        service = workload.service
        workload.wish = self._wishes.accepted.get(service.name)
        goal = workload.goal(self._records.releases[service.name], now)
        drawn = salt(service.rollout, now.timestamp())
        actions = reconcile(goal, workload.observed(self._view))
        for action in actions:
            if known or not isinstance(action, (Drain, Withdraw)):
                workload.do(action, drawn)
        if drawn != self._gateway.salt(service.name):
            workload.do(Weigh(self._gateway.written.weights[service.name]), drawn)
        return any(not isinstance(action, (Drain, Withdraw)) for action in actions)

    def _say(self, now: datetime) -> None:
        """status.json and the targets of Prometheus, if they changed."""
        status = Status(
            services={workload.service.name: workload.status(self._view, now) for workload in self._workloads},
            processes=(_self(), *(_status(child) for child in (*self._programs, *self._jobs.children()))),
            problems=(*self._wishes.problems, *self._records.problems, *self._jobs.problems),
        )
        if status != self._said:
            write_json(self._layout.file("status.json"), status.model_dump(mode="json"))
            self._said = status
        targets = [target for workload in self._workloads for target in workload.targets()]
        if targets != self._targets:
            file = self._layout.targets / "servers.json"
            write_json(file, scrape.targets(self._fleet.name, self._region, targets))
            self._targets = targets

    def _judge_start(self) -> None:
        """Once: healthy, or failed."""
        if self._healthy:
            return
        children = [*self._programs, *(child for workload in self._workloads for child in workload.children())]
        served = all(workload.healthy(self._view) for workload in self._workloads)
        if served and all(child.state is State.READY for child in children):
            self._healthy = True
            facts = self._facts().model_dump(mode="json")
            write_json(self._layout.file("region.json"), {"apiVersion": API_VERSION, **facts})
            return
        failure = start.failure(children, self._blocked(), time.monotonic() - self._born)
        if failure:
            raise start.StartFailure(failure)

    def _blocked(self) -> str:
        """Why a service cannot even be started: its release is not known, or cannot be read."""
        idle = [workload.problem for workload in self._workloads if not workload.children()]
        return "; ".join((*self._records.problems, *filter(None, idle))) if idle else ""

    def _facts(self) -> Facts:
        return Facts(
            fleet=self._fleet.name,
            region=self._region,
            supervisor=me(),
            services={name: ServiceFacts(url=_url(one.port)) for name, one in self._listeners.items()},
            envoy_admin=_url(self._ports_of.envoy),
            prometheus=_url(self._ports_of.prometheus),
            alertmanager=_url(self._ports_of.alertmanager),
        )

    async def _stop(self) -> None:
        self._layout.file("region.json").unlink(missing_ok=True)
        ends = [child.stop() for child in self._programs] + [workload.stop() for workload in self._workloads]
        await asyncio.gather(self._jobs.stop(), *ends)
        self._layout.file("status.json").unlink(missing_ok=True)
        await self._http.aclose()


def _services(fleet: Fleet, region: str) -> list[Service]:
    """The services of a region: those whose pool it has."""
    return [service for service in fleet.services if fleet.region(region).pool(service.pool)]


def _self() -> ProcessStatus:
    return ProcessStatus(name="supervisor", pid=os.getpid(), state=State.READY.value, restarts=0)


def _status(child: Child) -> ProcessStatus:
    return ProcessStatus(name=child.program.name, pid=child.pid, state=child.state.value, restarts=child.restarts)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def main() -> int:
    """Hold the lock for life; 0 after an ordered end, 1 after a failed start, 7 if somebody else supervises."""
    options = _options()
    layout = Layout(options.dir)
    with ExitStack() as held:
        try:
            held.enter_context(locked(layout.lock, wait=False))
        except Locked:
            return 7
        layout.lock.write_text(me().model_dump_json())
        try:
            asyncio.run(_supervise(options, layout))
        except OpsError as error:
            write_json(layout.file("failure.json"), start.why(error).model_dump(mode="json"))
            return 1
    return 0


async def _supervise(options: argparse.Namespace, layout: Layout) -> None:
    await Supervisor(layout, load_fleet(options.fleet), options.region, options.seed, options.replicas or None).run()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.supervisor")
    parser.add_argument("--fleet", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replicas", type=int, default=0)
    parser.add_argument("--dir", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
