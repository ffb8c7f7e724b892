"""Every way in which a request can end, and every definition, as cases that the server makes: counted exactly."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from campaign.report import Report
from load_rivals.ours import order, poisson, report
from load_truth.server import OUTCOMES, Asked, serving

from load_campaign.part import CLIENT, SERVER, Job, whole

TOKENS = 16
QUICK = {"ttft": 20_000, "jitter": 0, "itl": 10_000, "tokens": TOKENS}  # microseconds
TIMEOUTS = {"connect": 1.0, "first_token": 1.0, "gap": 1.0, "total": 3.0}
RATE, EACH = 40.0, 4  # requests a second, and of each behaviour at least
DEFINED = ("ok", "crlf", "role", "preamble", "comments", "reasoning", "several", "batched", "split", "late_done")
CLOSE = 0.05  # of what the server wrote down, at the median
JOINED = 0.01  # of the gaps may be missing: two writes that one read finds are no gap of 0
APIS = ("chat", "completions", "embeddings", "moderation")
RETRIED = ("retry_after", 1)  # s


def ending(job: Job) -> Report:
    """All ends in one run, then those that need one of their own, then the definitions one by one."""
    told = Report()
    _all_ends(told)
    _never_connected(told)
    _tried_again(told)
    for behaviour in DEFINED:
        _defined(told, behaviour)
    for api in APIS:
        _api(told, api)
    return told


def _run(url: str, seconds: float, **more: Any) -> dict[str, Any]:
    return report(order(url, seconds, poisson(RATE), timeouts=TIMEOUTS, **more), CLIENT)


def _counted(told: dict[str, Any]) -> dict[str, int]:
    return {outcome: number for outcome, number in told["outcomes"].items() if number}


def _all_ends(told: Report) -> None:
    behaviours = [one for one in OUTCOMES if one != "429_once"]
    with serving(SERVER, **QUICK, behaviour=",".join(behaviours)) as truth:
        counted = _counted(_run(truth.url, EACH * len(behaviours) / RATE))
        log = truth.log()
    expected = dict(Counter(OUTCOMES[asked.behaviour] for asked in log))
    seen = len({asked.behaviour for asked in log})
    text = f"{len(log)} requests, {seen} of {len(behaviours)} behaviours, {len(expected)} outcomes"
    told.say(f"{text}: counted exactly", counted == expected and seen == len(behaviours))
    for outcome in sorted(counted.keys() | expected.keys()):
        made, found = expected.get(outcome, 0), counted.get(outcome, 0)
        told.say(f"  {outcome:20} made {made:4}  counted {found:4}", made == found)


def _never_connected(told: Report) -> None:
    with serving(SERVER) as truth:
        for url, outcome in ((truth.refused, "refused"), (truth.deaf, "timeout_connect")):
            result = _run(url, 1.0)
            sent, counted = result["arrivals"]["sent"], _counted(result)
            told.say(f"  {outcome:20} made {sent:4}  counted {counted.get(outcome, 0):4}", counted == {outcome: sent})


def _tried_again(told: Report) -> None:
    """Every request is told 429 once: by policy it is an outcome, or waited for and no part of the latency."""
    for most in (0, 1):
        with serving(SERVER, **QUICK, **dict([RETRIED]), behaviour="429_once") as truth:
            result = _run(truth.url, 1.5, retry={"most": most, "respect_retry_after": True})
            asked = len(truth.log())
        sent, counted, ttft = result["arrivals"]["sent"], _counted(result), result["metrics"]["ttft"]["p99"]
        expected = {"ok": sent} if most else {"http_429": sent}
        good = counted == expected and asked == sent * (1 + most) and result["retries"] == sent * most
        late = "" if ttft is None else f", TTFT p99 {1000 * ttft:.0f} ms beside {RETRIED[1]} s of waiting"
        text = f"429 with {most} retries: {sent} sent, {asked} asked, counted {counted}, {result['retries']} retries"
        told.say(f"{text}{late}", good and (ttft or 0.0) < RETRIED[1] / 2)


def _defined(told: Report, behaviour: str) -> None:
    with serving(SERVER, **QUICK, behaviour=behaviour) as truth:
        result = _run(truth.url, 1.5)
        log = truth.log()
    metrics, true, many = result["metrics"], _truth(whole(log)), len(log)
    counts = {name: metrics[name]["count"] for name in true} | {"tokens": result["tokens"]["output"]}
    due = dict.fromkeys(true, many) | {"itl": sum(len(one.gaps) for one in log), "tokens": TOKENS * many}
    least = {name: number - round(JOINED * number * (name in ("itl", "tpot"))) for name, number in due.items()}
    few = [name for name in due if not least[name] <= counts[name] <= due[name]]
    wrong = [f"{name} counts {counts[name]} of {due[name]}" for name in few]
    found = {name: metrics[name]["p50"] or 0.0 for name in true}
    wrong += [f"{name} is off" for name, value in true.items() if abs(found[name] - value) > CLOSE * value]
    figures = ", ".join(f"{name} {1000 * found[name]:.2f} for {1000 * value:.2f}" for name, value in true.items())
    told.say(f"{behaviour:10} {many} requests, ms: {figures} {'; '.join(wrong)}".rstrip(), not wrong)


def _truth(log: list[Asked]) -> dict[str, float]:
    """Medians of what the server wrote, by the definitions in docs/load.md."""
    return {
        "ttft": float(np.median([asked.writes[0] for asked in log])),
        "itl": float(np.median(np.concatenate([asked.gaps for asked in log]))),
        "tpot": float(np.median([sum(asked.gaps) / (asked.tokens - 1) for asked in log])),
        "e2e": float(np.median([sum(asked.writes) for asked in log])),
    }


def _api(told: Report, api: str) -> None:
    with serving(SERVER, **QUICK) as truth:
        result = _run(truth.url, 1.0, api=api)
        paths = sorted({asked.path for asked in truth.log()})
    sent, counted = result["arrivals"]["sent"], _counted(result)
    told.say(f"{api:12} {', '.join(paths)}: {sent} sent, counted {counted}", counted == {"ok": sent})
