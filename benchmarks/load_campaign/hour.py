"""The Azure hour of conversations, replayed at ten times its pace: nothing is lost, and nothing comes twice."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from campaign.report import Report
from load_rivals.ours import order, report
from load_truth.server import Asked, serving

from load_campaign.part import CLIENT, SERVER, TRUTH, Job
from loadtests.arrivals import tracefile

SPEED, MINUTES = 10, 6
PROFILE = {"trace": "conv", "speed": f"{SPEED}x"}
GRACE = 60.0  # s in which the last answers end: the longest has 1,000 tokens and takes 10 s


def hour(job: Job) -> Report:
    """Scheduled = sent = counted = what the server saw, and no fewer than the trace has in that time."""
    told, seconds = Report(), MINUTES * 60.0
    with serving(SERVER, **TRUTH) as truth:
        result = report(order(truth.url, seconds, PROFILE, grace=GRACE), CLIENT)
        log = truth.log()
    rows, span = _rows(tracefile.path_of(PROFILE["trace"]))
    told.say(f"{rows} rows in {span:.0f} s, at {SPEED}x in {span / SPEED:.0f} s, then again until {seconds:g} s")
    _count(told, result, log, rows)
    tokens = sum(asked.tokens for asked in log)
    text = f"tokens: {tokens} written, {result['tokens']['output']} counted, {tokens / seconds:.0f}/s"
    told.say(text, result["tokens"]["output"] == tokens)
    client = result["client"]
    told.say(f"client: {client['verdict']} ({'; '.join(client['reasons'])}), {client['cpu']:.2f} of its core")
    return told


def _count(told: Report, result: dict[str, Any], log: list[Asked], least: int) -> None:
    arrivals = result["arrivals"]
    counts = {
        "scheduled": arrivals["scheduled"],
        "sent": arrivals["sent"],
        "counted": sum(result["outcomes"].values()),
        "at the server": len(log),
        "different ones": len({asked.id for asked in log}),
    }
    same = len(set(counts.values())) == 1 and arrivals["scheduled"] >= least
    told.say(", ".join(f"{name} {number}" for name, number in counts.items()), same)
    told.say(f"outcomes: {result['outcomes']}, unfinished {arrivals['unfinished']}", not arrivals["unfinished"])


def _rows(path: Path) -> tuple[int, float]:
    """Rows of the trace, and s from the first to the last, read without the product's parser."""
    times = [line.split(",")[0][:26] for line in path.read_text(encoding="utf-8").splitlines()[1:] if line]
    first, last = (datetime.fromisoformat(times[at]) for at in (0, -1))
    return len(times), (last - first).total_seconds()
