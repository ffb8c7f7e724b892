"""One rollout on virtual time, with a real journal and fakes for all else, and a way to kill its driver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.rollouts.drive import drive
from cli.rollouts.plan import Plan
from cli.rollouts.ports import Ports
from cli.rollouts.ruling import Ruling
from cli.rollouts.state import State
from runbooks.journal import Journal
from tests.fakes import PLAN, FakeClock, FakeLease, FakeLoads, FakeMetrics, FakeRecord, FakeTraffic, rates


@dataclass
class Bench:
    """One rollout with everything fake but the journal."""

    clock: FakeClock
    record: FakeRecord
    traffic: FakeTraffic
    metrics: FakeMetrics
    lease: FakeLease
    journal: Journal
    ports: Ports
    loads: FakeLoads

    def drive(self) -> State:
        return drive(self.journal, self.ports, lambda _: None)

    def command(self, name: str, reason: str = "because") -> None:
        self.journal.append("command", command=name, reason=reason)

    def kinds(self) -> list[str]:
        return [event.payload["decision"]["kind"] for event in self.journal.events() if event.kind == "decision"]


def bench(
    tmp_path: Path, metrics: FakeMetrics | None = None, plan: Plan = PLAN, rulings: tuple[Ruling, ...] = ()
) -> Bench:
    """A rollout whose plan is in its journal, and nothing else."""
    clock, record, lease = FakeClock(), FakeRecord(), FakeLease()
    traffic = FakeTraffic(clock, record)
    metrics = metrics or FakeMetrics(rates(), rates())
    loads = FakeLoads(clock, *rulings)
    journal = Journal(tmp_path / f"{plan.run}.jsonl", "tester", clock.utc)
    journal.append("plan", plan=plan.to_json(), digest=plan.digest())
    ports = Ports(traffic, metrics, record, lease, clock, loads)
    return Bench(clock, record, traffic, metrics, lease, journal, ports, loads)


class Killed(BaseException):
    """The process is gone, between two writes."""


def drive_until_killed(it: Bench, victim: int) -> None:
    """Drive with a journal that kills the process when the event with number `victim` was written."""
    extend = it.journal.extend

    def deadly(entries):  # type: ignore[no-untyped-def]
        events = extend(entries)
        if events and events[-1].seq >= victim:
            raise Killed
        return events

    it.journal.extend = deadly  # type: ignore[method-assign]
    try:
        it.drive()
    finally:
        it.journal.extend = extend  # type: ignore[method-assign]
