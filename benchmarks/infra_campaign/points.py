"""Seeded faults in the middle of the up of the demo's region: does it converge, and after how many re-runs."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from campaign.report import Report

from infra.azure.faults import Kind
from infra_campaign.part import TWO, Job, all_stacks, copied, world
from tests.infra.faultpoints import drawn, suffer

NOT_SO = ("orphans", "lost", "duplicates", "different")


def points(job: Job) -> Report:
    """Run the points that are missing, two at a time; figures of all."""
    done = {row["point"]: row for row in job.kept if row["seed"] == job.seed and row["point"] < job.points}
    if missing := [number for number in range(job.points) if number not in done]:
        done |= {row["point"]: row for row in _run(job, missing)}
    return _report(list(done.values()), job.points)


def _run(job: Job, missing: list[int]) -> list[dict[str, Any]]:
    base = world(job.folder / "base")
    below, region, *_ = all_stacks(base)
    base.engine.up(below)
    first = base.calls() + 1
    clean = copied(base, job.folder / "clean")
    clean.engine.up(region)
    expected, last = clean.there(), clean.calls()

    def one(number: int) -> dict[str, Any]:
        folder, fault = job.folder / f"point{number}", drawn(job.seed, number, first, last)
        found = suffer(copied(base, folder), (below, region), [fault], expected)
        shutil.rmtree(folder, ignore_errors=True)
        row = {
            "point": number,
            "seed": job.seed,
            "kind": str(fault.kind),
            "at": fault.at,
            "converged": found.converged,
            **asdict(found),
        }
        job.keep(row)
        return row

    with ThreadPoolExecutor(TWO) as pool:
        return list(pool.map(one, missing))


def _report(rows: list[dict[str, Any]], points: int) -> Report:
    report = Report()
    good = sum(row["converged"] for row in rows)
    report.say(f"{good} of {points} fault points converged", good == points)
    report.say(f"{sum(bool(row['met']) for row in rows)} of {points} faults were met by a call")
    report.say(f"re-runs needed: {_counted(Counter(row['reruns'] for row in rows))}")
    for what in NOT_SO:
        number = sum(bool(row[what]) for row in rows)
        report.say(f"points with {what}: {number}", not number)
    for kind in Kind:
        mine = [row for row in rows if row["kind"] == kind]
        reruns = _counted(Counter(row["reruns"] for row in mine))
        report.say(f"  {kind:10} {sum(row['converged'] for row in mine):3} of {len(mine):3}  re-runs {reruns}")
    for row in (row for row in rows if not row["converged"]):
        wrong = {key: row[key] for key in ("reruns", *NOT_SO, "pending", "said") if row[key]}
        report.say(f"  point {row['point']}: {row['kind']} at {row['at']}: {wrong}"[:600], False)
    return report


def _counted(counts: Mapping[int, int]) -> str:
    return ", ".join(f"{number} x {reruns}" for reruns, number in sorted(counts.items()))
