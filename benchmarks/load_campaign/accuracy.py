"""TTFT and ITL of every client against the server's own log, and what they cost: paired runs, one core each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from campaign.report import Report
from load_rivals.client import FIGURES, TOKENS, Case, Client, Missing
from load_rivals.fast_http import FastHttp
from load_rivals.guide import GuideLLM
from load_rivals.ours import Ours
from load_rivals.vllm_bench import VllmBench
from load_truth.server import Truth, serving

from load_campaign.part import CLIENT, SERVER, TRUTH, Job, figures, whole, written

CLIENTS: dict[str, Callable[[], Client]] = {one.name: one for one in (Ours, VllmBench, GuideLLM, FastHttp)}
ALLOWED = {50: 0.05, 200: 0.10, 500: 0.10}  # streams -> most that the median of a figure may be off
CPU_SHARE, CPU_STRETCH = 0.6, 0.020  # of stock Locust's CPU per 1,000 tokens; s
FIRST, MEMORY = 1.0, 60.0  # s to the first request, MB at 50 streams
HEAD = "{:12}TTFT p50      p99  ITL p50      p99  CPU s/k  first s     MB  token/s  runs"
LEAST = 10  # whole answers that a run needs to have percentiles

Row = dict[str, Any]


def accuracy(job: Job) -> Report:
    """Run what is missing, round by round so that all clients meet the same weather; figures of all."""
    report = Report()
    cases = [Case(streams, loop, job.seconds) for streams in job.streams for loop in (False, True)]
    clients = [client for name in job.tools if (client := _ready(CLIENTS[name](), report))]
    done = [row for row in job.kept if row.get("tool") and row["seconds"] == job.seconds]
    rows = [row for row in done if "told" in row or row["tool"] != Ours.name]
    for number in range(job.rounds):
        for case in cases:
            for client in clients:
                if not _find(rows, client.name, case.name, number):
                    row = {"tool": client.name, "case": case.name, "round": number, "seconds": job.seconds}
                    rows.append(row | _measured(client, case))
                    job.keep(rows[-1])
    for case in cases:
        _tell(report, case, [row for row in rows if row["round"] < job.rounds and row["case"] == case.name])
    return report


def _ready(client: Client, report: Report) -> Client | None:
    if why := client.install():
        report.say(f"{client.name} is left out: {why}")
        return None
    return client


def _find(rows: list[Row], tool: str, case: str, number: int | None = None) -> list[Row]:
    mine = [row for row in rows if (row["tool"], row["case"]) == (tool, case)]
    return [row for row in mine if number is None or row["round"] == number]


def _measured(client: Client, case: Case) -> Row:
    """One run against a server of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder, serving(SERVER, **TRUTH, tokens=TOKENS) as truth:
        try:
            return _of(client, case, truth, Path(folder))
        except (Missing, OSError, KeyError, ValueError) as error:
            return {"why": f"{type(error).__name__}: {error}"[:300]}


def _of(client: Client, case: Case, truth: Truth, folder: Path) -> Row:
    ran = client.run(case, truth.url, folder, CLIENT)
    log = truth.log()
    answered = whole(log)
    if len(answered) < LEAST:
        raise Missing(f"only {len(answered)} requests were answered")
    first, last = min(asked.arrived for asked in log), max(asked.ended for asked in log)
    tokens = sum(asked.tokens for asked in log)
    begin, end, cpu = ran.usage.within(first, last)  # whole readings: none has a bit of the start-up in it
    return {
        "truth": figures(answered),
        "told": dict(ran.figures),
        "verdict": ran.verdict,
        "cpu": 1000 * cpu / max(1, written(log, begin, end)),
        "first": first - ran.began,
        "memory": ran.usage.memory,
        "rate": tokens / (last - first),
        "blocked": sum(asked.blocked for asked in log),
    }


def _tell(report: Report, case: Case, rows: list[Row]) -> None:
    """The figures of one case, a line for each client; then what ours must be."""
    report.say(HEAD.format(case.name))
    good: dict[str, list[Row]] = {}
    for row in rows:
        if "told" in row:
            good.setdefault(row["tool"], []).append(row)
        else:
            why = f"  {row['tool']:10} round {row['round']} has no figures: {row['why']}"
            report.say(why, row["tool"] != Ours.name)
    for tool, runs in good.items():
        report.say(_line(tool, runs))
    if Ours.name in good:
        _judge(report, case, good[Ours.name], good.get(FastHttp.name, []))


def _line(tool: str, runs: list[Row]) -> str:
    figures = "".join(f"{median(_off(runs, name)):+9.1%}" for name in FIGURES)
    cpu, first, memory, rate = (median(row[name] for row in runs) for name in ("cpu", "first", "memory", "rate"))
    verdicts = ", ".join(sorted({row["verdict"] for row in runs} - {""}))
    return f"  {tool:10}{figures}{cpu:9.4f}{first:9.2f}{memory:7.0f}{rate:9.0f}{len(runs):6}  {verdicts}".rstrip()


def _off(runs: list[Row], name: str) -> list[float]:
    """How far a figure is from the truth of its own run."""
    return [row["told"][name] / row["truth"][name] - 1 for row in runs]


def _judge(report: Report, case: Case, runs: list[Row], stock: list[Row]) -> None:
    """Our own figures against what they must be."""
    allowed = ALLOWED.get(case.streams, max(ALLOWED.values()))
    off = {name: median(map(abs, _off(runs, name))) for name in FIGURES}
    worst = max(off, key=off.__getitem__)
    honest = case.streams >= max(ALLOWED) and {row["verdict"] for row in runs} == {"INVALID"}
    text = f"    {worst.replace('_', ' ')} is {off[worst]:.1%} off (allowed {allowed:.0%})"
    report.say(f"{text}{'; all runs say INVALID' * honest}", off[worst] <= allowed or honest)
    if case.streams == min(ALLOWED):
        _small(report, runs)
    if stock and case.streams < max(ALLOWED) and not case.open_loop:  # a load that is the same for both
        _cheap(report, runs, stock)


def _small(report: Report, runs: list[Row]) -> None:
    first, memory = (median(row[name] for row in runs) for name in ("first", "memory"))
    report.say(f"    first request after {first:.2f} s (allowed {FIRST:g} s)", first <= FIRST)
    report.say(f"    {memory:.0f} MB of memory (allowed {MEMORY:g} MB)", memory <= MEMORY)


def _cheap(report: Report, runs: list[Row], stock: list[Row]) -> None:
    cpu, theirs = (median(row["cpu"] for row in rows) for rows in (runs, stock))
    stretch = f"stretch {CPU_STRETCH:.3f} s {'' if cpu <= CPU_STRETCH else 'not '}reached"
    text = f"    {cpu / theirs:.2f} x the CPU of stock Locust (allowed {CPU_SHARE:g} x; {stretch})"
    report.say(text, cpu <= CPU_SHARE * theirs)
