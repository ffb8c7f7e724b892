"""A day with an evening peak and a crowd that comes at once, on the local region of the demo fleet: verdicts."""

from __future__ import annotations

import json
from typing import Any

from campaign.report import Report

from capacity_campaign.part import Job
from capacity_campaign.region import ops, region

FLEET = "demo"
CASES = {"evening-peak": "chat", "step10x": "chat-mini"}  # profile -> the service that bears it; 6 and 5 minutes


def acceptance(job: Job) -> Report:
    """Each profile once, one after the other in one region; a pass is kept."""
    report = Report()
    passed = {row["acceptance"]: row["found"] for row in job.kept if "acceptance" in row}
    missing = [profile for profile in CASES if profile not in passed]
    if missing:
        with region(job.folder, FLEET) as state:
            for profile in missing:
                arguments = ("--fleet", FLEET, "--service", CASES[profile], "--profile", profile, "-o", "json")
                passed[profile] = json.loads(ops("load", "accept", *arguments, state=state).stdout)
                if passed[profile]["verdict"] == "pass":
                    job.keep({"acceptance": profile, "found": passed[profile]})
    for profile, service in CASES.items():
        _tell(report, service, profile, passed[profile])
    return report


def _tell(report: Report, service: str, profile: str, found: dict[str, Any]) -> None:
    """The verdict, what was sent and answered, how soon all was well again; then the reasons."""
    run, recovery = found["report"], found["recovery_s"]
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in run["outcomes"].items() if count)
    again = "" if recovery is None else f"; well again {recovery:g} s after the step"
    sent = f"{run['arrivals']['sent']} sent in {run['elapsed']:.0f} s, {outcomes}; client {run['client']['verdict']}"
    report.say(f"{service} through {profile}: {found['verdict']}; {sent}{again}", found["verdict"] == "pass")
    for reason in found["reasons"]:
        report.say(f"  {reason}")
