"""A program of a thousand resources with and without the alias filter, in a child each; preflight of six regions."""

from __future__ import annotations

import os
import sys
import time
from datetime import date
from pathlib import Path

from campaign.report import Report

from infra.fleet import load_fleet
from infra.preflight.capacity import preflight
from infra.release import load_release
from infra_campaign.part import Job
from tests.infra.granted import limits, source

CHILD = Path(__file__).with_name("thousand.py")
BUDGET = {"cpu": 30.0, "preflight": 10.0}  # seconds


def speed(job: Job) -> Report:
    """Figures of the kernel's account of each child."""
    report = Report()
    kept, kept_memory, asked = _child(job, "true")
    cpu, memory, _ = _child(job, "false")
    told = f"1,000 resources with the alias filter: {cpu:.1f} s of CPU, {memory:.0f} MB at most"
    report.say(f"{told} (budget {BUDGET['cpu']:g} s)", cpu <= BUDGET["cpu"])
    report.say(f"1,000 resources without it: {kept:.1f} s of CPU, {kept_memory:.0f} MB at most; {asked}")
    report.say(f"the filter saves {1 - cpu / kept:.0%} of CPU, {1 - memory / kept_memory:.0%} of memory")
    began = time.monotonic()
    fleet = load_fleet("atlas")
    releases = {one.name: load_release(one.name, one.release) for one in fleet.services}
    found = preflight(fleet, limits("atlas"), source("atlas"), releases, date.today())
    seconds = time.monotonic() - began
    told = f"preflight of {len(fleet.regions)} regions, with reading its files: {seconds:.2f} s"
    what = f"{len(found.findings)} findings, {found.verdict}"
    report.say(f"{told}, {what} (budget {BUDGET['preflight']:g} s)", seconds <= BUDGET["preflight"])
    return report


def _child(job: Job, dated: str) -> tuple[float, float, str]:
    """CPU seconds, megabytes at most, and what it says."""
    said = job.folder / f"dated-{dated}"
    out = [(os.POSIX_SPAWN_OPEN, 1, str(said), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    child = os.posix_spawn(sys.executable, [sys.executable, str(CHILD), dated], os.environ, file_actions=out)
    _, status, usage = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"the program of 1,000 resources failed: {status}"
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said.read_text(encoding="utf-8").strip()
