"""When requests are sent, by the server's kernel times: gaps as scheduled, hardly late, and also while it hangs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Thread
from typing import Any

import numpy as np
from campaign.report import Report
from load_rivals.client import TOKENS, Case
from load_rivals.fast_http import FastHttp
from load_rivals.ours import order, poisson, started
from load_truth.server import Asked, Truth, serving

from load_campaign.part import CLIENT, SERVER, TRUTH, Job, variation
from loadtests.arrivals.schedule import schedule
from loadtests.order import Order

SECONDS = 10.0
SHAPES: dict[str, dict[str, Any]] = {
    "constant 50/s": {"arrivals": "constant", "rate": "50/s"},
    "poisson 50/s": poisson(50),
    "gamma cv 3 50/s": {"arrivals": "gamma", "cv": 3, "rate": "50/s"},
    "azure code 50/s": {"trace": "code", "rate": "50/s", "max_output": TOKENS},
    "poisson 150/s": poisson(150),
}
ALLOWED = 0.02  # of the CV of the gaps
STILL = 0.02  # a constant rate has no CV to be off by: its gaps may vary by so much of their mean
LAG = 0.005  # s at p99
FREEZE, FROM, RATE = 2000, 2.0, 50  # ms, s after the start, requests a second
PROMPT_SEND = 0.050  # s after it is due, a request that is due in the freeze is sent


def sending(job: Job) -> Report:
    """Every shape, then a server that hangs for two seconds."""
    report = Report()
    for name, profile in SHAPES.items():
        _shape(report, name, order("http://127.0.0.1", SECONDS, profile, seed=7))
    _frozen(report)
    _frozen_stock(report, job)
    return report


def _shape(report: Report, name: str, wanted: Order) -> None:
    with serving(SERVER, **TRUTH, tokens=TOKENS) as truth:
        with started(wanted.model_copy(update={"url": truth.url}), CLIENT) as load:
            told = load.wait().model_dump(mode="json")
        log = truth.log()
    due = _due(wanted)
    there = len(log) == len(due) == told["arrivals"]["sent"] and {asked.id for asked in log} == due.keys()
    report.say(f"{name}: {len(due)} scheduled, {told['arrivals']['sent']} sent, {len(log)} arrived, none twice", there)
    if not there:
        return
    scheduled, sent = variation(list(due.values())), variation([asked.arrived for asked in log])
    close = abs(sent - scheduled) <= (ALLOWED * scheduled if scheduled > STILL else STILL)
    report.say(f"  CV of gaps {scheduled:.4f} scheduled, {sent:.4f} sent (within {ALLOWED:.0%})", close)
    lag = float(np.percentile(_lags(log, due), 99))
    own = told["client"]["send_lag"]["p99"]
    limit = f"; below {1000 * LAG:g} ms" if "150" in name else ""
    text = f"  send lag p99 {1000 * lag:.2f} ms at the server, {1000 * own:.2f} ms by the report{limit}"
    report.say(text, lag < LAG or not limit)


def _due(wanted: Order) -> dict[str, float]:
    """Request -> s after the start, as the seed draws it."""
    return {arrival.request: arrival.due for arrival in schedule(wanted)}


def _lags(log: Sequence[Asked], due: dict[str, float]) -> list[float]:
    """How much later than due each arrived, s, beyond the one that was least late: nobody else knows the start."""
    late = [asked.arrived - due[asked.id] for asked in log]
    least = min(late)
    return [one - least for one in late]


def _frozen(report: Report) -> None:
    with serving(SERVER, **TRUTH, tokens=TOKENS) as truth:
        wanted = order(truth.url, 3 * FROM, poisson(RATE), seed=8)
        with started(wanted, CLIENT) as load:
            since = _freeze_in(truth, FROM)
            told = load.wait().model_dump(mode="json")
        log, due = truth.log(), _due(wanted)
    start = min(asked.arrived - due[asked.id] for asked in log)
    until = since + FREEZE / 1000
    inside = [asked for asked in log if since < start + due[asked.id] < until - PROMPT_SEND]
    prompt = sum(asked.arrived - start - due[asked.id] < PROMPT_SEND for asked in inside)
    text = f"server frozen for {FREEZE} ms: {prompt} of {len(inside)} due requests were sent when due"
    report.say(text, prompt == len(inside) > 0)
    counts = told["arrivals"]["scheduled"], told["arrivals"]["sent"], told["outcomes"].get("ok"), len(due)
    report.say(f"  scheduled, sent, ok in the end: {counts[:3]}", len(set(counts)) == 1)


def _freeze_in(truth: Truth, seconds: float) -> float:
    """Freeze the server in so many seconds; when that was, s since the epoch."""
    time.sleep(seconds)
    truth.freeze(FREEZE)
    return time.time()


def _frozen_stock(report: Report, job: Job) -> None:
    """The same for stock Locust, whose users wait for their answers: for comparison, not to be passed."""
    if FastHttp.name not in job.tools:
        return
    case, frozen = Case(round(RATE * 0.685), True, 3 * FROM), []
    with serving(SERVER, **TRUTH, tokens=TOKENS) as truth:

        def freeze() -> None:
            while not truth.log():
                time.sleep(0.2)
            frozen.append(_freeze_in(truth, FROM))

        thread = Thread(target=freeze)
        thread.start()
        FastHttp().run(case, truth.url, job.folder, CLIENT)
        thread.join()
        log = truth.log()
    sent = sum(frozen[0] < asked.arrived < frozen[0] + FREEZE / 1000 for asked in log)
    report.say(f"  stock Locust sent {sent} of about {RATE * FREEZE // 1000} in the same time")
