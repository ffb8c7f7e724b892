"""Does `ops load search` find what a service can do? The truth: the same engines in virtual time, at stepped rates."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
from campaign.report import Report
from scipy.stats import t as student

from capacity_campaign.part import Job
from capacity_campaign.region import ROOT, ops, region
from infra.fleet import Fleet, load_fleet
from infra.local.generation import Request
from infra.local.rehearsal import Asked, Servers, rehearse
from infra.release import load_release
from loadtests.arrivals.schedule import schedule
from loadtests.order import Order

FLEET = ROOT / "benchmarks" / "capacity_campaign" / "fleet.yaml"
SERVICE, SEEDS = "chat", (1, 2, 3)
SHARE, WITHIN = 0.95, 0.250  # ttft p95 < 250ms, which its objective in the fleet file says
SLO = ("--slo", "ttft p95 < 250ms", "--slo", "ok >= 95%")
LIMITS = ("--from", "10/s", "--up-to", "60/s", "--probe", "10s", "--budget", "10m")
CLIENT_WAS_LIMIT = "client"  # the rule of a search on a machine that was too busy: it is done again
SLACK = 1.10  # what is not inside the bracket may be so far off
FIRST, STEP = 20.0, 1.02  # requests a second, and how much more at each step of the truth
RUNS, SECONDS = 16, 300.0  # of the truth at each step: an interval of two steps to each side, in some minutes
SURE = 0.05

Row = dict[str, Any]


def searched(job: Job) -> Report:
    """The truth, then a search for each seed in one local region; each is kept when it is done."""
    report, fleet = Report(), load_fleet(str(FLEET))
    truth = _kept(job, "truth") or _keep(job, "truth", _truth(fleet))
    low, rate, high = truth["low"], truth["rate"], truth["high"]
    many = f"{RUNS} runs of {SECONDS:g} s at each rate"
    report.say(f"in virtual time p95 of ttft reaches 250 ms at {rate:.1f}/s ({low:.1f} to {high:.1f}; {many})")
    found = _answers(job)
    for seed in SEEDS:
        _compare(report, seed, found[seed], rate)
    return report


def _answers(job: Job) -> dict[int, Row]:
    """The answer for each seed; one of a machine that was too busy is not kept."""
    found = {seed: row for seed in SEEDS if (row := _kept(job, seed))}
    missing = [seed for seed in SEEDS if seed not in found]
    if missing:
        with region(job.folder, FLEET) as state:
            for seed in missing:
                done = ops("load", "search", *_asked(seed), "-o", "json", state=state)
                found[seed] = json.loads(done.stdout)["answers"][0]
                if found[seed]["rule"] != CLIENT_WAS_LIMIT:
                    _keep(job, seed, found[seed])
    return found


def _asked(seed: int) -> tuple[str, ...]:
    return ("--fleet", str(FLEET), "--service", SERVICE, "--seed", str(1000 * seed), *SLO, *LIMITS)


def _kept(job: Job, name: str | int) -> Row | None:
    return next((row["found"] for row in job.kept if row.get("capacity") == name), None)


def _keep(job: Job, name: str | int, found: Row) -> Row:
    row = {"capacity": name, "found": found}
    job.kept.append(row)
    job.keep(row)
    return found


def _compare(report: Report, seed: int, found: Row, truth: float) -> None:
    """Inside what was told or within 10 % of it; and the estimate, for what was told may be wide."""
    told = found["interval"] if found["rule"] == "interval" else (found["low"], found["high"])
    low, high = told if None not in told else found["interval"] or (math.inf, 0.0)
    estimate = found["estimate"]
    if estimate is None or found["rule"] == CLIENT_WAS_LIMIT:
        report.say(f"search with seed {seed}: no answer ({found['why']}); estimate {estimate}", False)
        return
    inside = "around" if low <= truth <= high else "not around"
    near = low / SLACK <= truth <= high * SLACK and truth / SLACK <= estimate <= truth * SLACK
    text = f"{estimate:.1f}/s ({estimate / truth - 1:+.1%}), from {low:.1f}/s to {high:.1f}/s, {inside} the truth"
    how = f"{len(found['probes'])} probes, {found['seconds']:.0f} s, stopped by {found['rule']}"
    clients = ", ".join(sorted({probe["client"] for probe in found["probes"]}))
    report.say(f"search with seed {seed}: {text}; {how}; client {clients}", near)


def _truth(fleet: Fleet) -> Row:
    """The last rate that surely keeps the SLO, the first that surely does not, and where it crosses between."""
    rows = list(_steps(fleet))
    under = next(number for number, (_, share, _) in enumerate(rows) if share < SHARE)
    (before, above, _), (after, below, _) = rows[under - 1], rows[under]
    rate = before + (after - before) * (above - SHARE) / (above - below)
    low = max(rate for rate, share, half in rows if share - half >= SHARE)
    return {"low": low, "rate": rate, "high": rows[-1][0], "steps": rows}


def _steps(fleet: Fleet) -> Iterator[tuple[float, float, float]]:
    """Rate, share of requests with a first token in time, and how far off that may be, up to where it surely breaks."""
    for step in count():
        rate = round(FIRST * STEP**step, 3)
        shares = np.array([_share(fleet, rate, seed) for seed in range(RUNS)])
        half = float(student.ppf(1 - SURE / 2, RUNS - 1) * shares.std(ddof=1) / RUNS**0.5)
        yield rate, float(shares.mean()), half
        if shares.mean() + half < SHARE:
            return


def _share(fleet: Fleet, rate: float, seed: int) -> float:
    service, profile = fleet.service(SERVICE), fleet.load_profiles[0]
    release = load_release(SERVICE, str(ROOT / service.release))
    assert release.simulate
    order = Order(
        service=SERVICE,
        model=service.model,
        url="http://nowhere",
        profile=profile,
        rate=rate,
        duration=SECONDS,
        seed=-1 - seed,  # arrivals that no search draws
    )
    answers = rehearse(Servers(release.simulate, service.replicas), _requests(order))
    return sum(one.times[0] <= WITHIN for one in answers) / len(answers)


def _requests(order: Order) -> Iterator[Asked]:
    """What the client sends, as the engine sees it: a chat's prompt has a word more, for the role."""
    for one in schedule(order):
        yield Asked(one.due, Request(one.request, one.prompt_tokens + 1, one.output_tokens, ignore_eos=True))
