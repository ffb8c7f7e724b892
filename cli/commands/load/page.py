"""What `ops load` shows a person, for 80 columns: progress, the report of a run, a comparison. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from cli.console import WIDTH, grid

if TYPE_CHECKING:
    from loadtests.report.compare import Comparison, Difference
    from loadtests.report.latency import Latency, Metrics
    from loadtests.report.load_report import LoadReport
    from loadtests.report.progress import Progress

NAMES = ("ttft", "itl", "tpot", "e2e")
POINTS = ("p50", "p90", "p95", "p99", "p99_9", "max")
SHARES = ("goodput", "not ok")


def line(progress: Progress) -> str:
    """Where a load is, on one line."""
    return (
        f"{progress.elapsed:5.0f} s  {progress.sent:,} sent at {progress.rate:.0f}/s, "
        f"{progress.sent - progress.done:,} open, {progress.bad:,} bad; "
        f"ttft p50 {ms(progress.ttft_p50)}; machine {progress.busy:.0%} busy"
    )


def report_page(report: LoadReport) -> Any:
    """The report: what was sent, latencies, arms, what failed, and whether to believe it."""
    from rich.console import Group

    parts: list[Any] = [*_head(report), "", _latencies(report), ""]
    if len(report.arms) > 1:
        parts += [_arms(report), ""]
    return Group(*parts, *_foot(report))


def comparison_page(found: Comparison) -> Any:
    """Two runs, figure by figure."""
    from rich.console import Group

    columns = ("FIGURE", "A", "B", "B AGAINST A", "INTERVAL", "VERDICT")
    rows = [_difference(one) for one in found.differences]
    notes = [text for note in found.notes for text in wrap(f"not the same: {note}", WIDTH)]
    whole = f"B is {found.verdict}" if found.verdict in ("better", "worse") else f"in all: {found.verdict}"
    said = f"{whole} ({found.confidence:.0%} sure of all that is told together)"
    why = {one.why for one in found.differences if one.why}
    return Group(grid(columns, rows, right=columns[1:5]), "", said, *sorted(why), *notes)


def ms(seconds: float | None) -> str:
    """Milliseconds, with their unit."""
    return "-" if seconds is None else f"{number(seconds)} ms"


def number(seconds: float | None) -> str:
    """Milliseconds with three digits or so; a dash where there is no value."""
    if seconds is None:
        return "-"
    if seconds >= 0.1:
        return f"{1000 * seconds:,.0f}"
    return f"{1000 * seconds:.1f}" if seconds >= 0.001 else f"{1000 * seconds:.2f}"


def percent(share: float | None) -> str:
    """A share with two digits; a dash where there is none."""
    return "-" if share is None else f"{share:.2%}"


def _head(report: LoadReport) -> Iterator[str]:
    arrivals, cut = report.arrivals, report.pattern.get("max_output")
    asked = f", {arrivals.rate_asked:g}/s asked" if arrivals.rate_asked else ""
    yield (
        f"{report.service}: {arrivals.sent:,} of {arrivals.scheduled:,} requests that were due were sent in "
        f"{report.elapsed:.1f} s, {arrivals.rate_sent:.1f}/s{asked}"
    )
    trace = f", trace {report.pattern['trace']}" if "trace" in report.pattern else ""
    yield f"profile {report.profile}{trace} from seed {report.seed}" + (f", answers cut to {cut} tokens" if cut else "")
    yield from wrap(f"steady from {report.steady.start:g} to {report.steady.end:g} s: {report.steady.why}", WIDTH)


def _latencies(report: LoadReport) -> Any:
    columns = ("MS", "COUNT", "MEAN", "P50", "P90", "P95", "P99", "P99.9", "MAX")
    rows = [_latency(name, getattr(report.steady.metrics, name)) for name in NAMES]
    rows.append(_latency("ttft from due", report.from_scheduled.ttft))
    return grid(columns, rows, right=columns[1:])


def _latency(name: str, of: Latency) -> tuple[str, ...]:
    return (name, f"{of.count:,}", number(of.mean), *(number(getattr(of, point)) for point in POINTS))


def _arms(report: LoadReport) -> Any:
    columns = ("ARM", "RELEASE", "REQUESTS", "OK", "TTFT MS", "ITL MS", "E2E MS")
    rows = [
        (arm.arm, arm.release, f"{arm.requests:,}", f"{arm.outcomes.get('ok', 0):,}", *_pairs(arm.metrics))
        for arm in report.arms
    ]
    return grid(columns, rows, right=columns[2:])


def _pairs(metrics: Metrics) -> list[str]:
    """p50 / p99, which is what a person compares."""
    return [f"{number(one.p50)} / {number(one.p99)}" for one in (metrics.ttft, metrics.itl, metrics.e2e)]


def _foot(report: LoadReport) -> Iterator[str]:
    bad = [f"{count:,} {outcome}" for outcome, count in report.outcomes.items() if outcome != "ok"]
    bad += [f"{report.arrivals.unfinished:,} cut off at the end"] if report.arrivals.unfinished else []
    yield from wrap(f"not ok: {', '.join(bad) or 'none'}", WIDTH)
    yield from wrap(_goodput(report), WIDTH)
    tokens = report.tokens
    rate = f"{tokens.output_rate:,.0f}/s"
    yield f"tokens: {tokens.output:,} of answers, {rate}; {tokens.prompt:,} of prompts{_cost(report)}"
    client = report.client
    yield f"client {client.verdict}: send lag p99 {ms(client.send_lag.p99)}, loop lag p99 {ms(client.loop_lag.p99)},"
    yield f"  {client.cpu:.0%} of one core; machine {client.busy:.0%} busy; {_clock(client.kernel_times)}"
    for reason in client.reasons:
        yield from wrap(f"warning: {reason}", WIDTH)


def _goodput(report: LoadReport) -> str:
    goodput = report.steady.goodput
    slo = ", ".join(f"{name} {ms(seconds)}" for name, seconds in goodput.slo.items()) or "every ok request is good"
    span = f" ({percent(goodput.low)} to {percent(goodput.high)})" if goodput.low is not None else ""
    return f"goodput: {percent(goodput.share)}{span}, {goodput.rate:.1f}/s; SLO: {slo}"


def _cost(report: LoadReport) -> str:
    if report.cost is None or report.cost.per_million_tokens is None:
        return ""
    return f"; ${report.cost.per_million_tokens:,.2f} a million"


def _clock(share: float) -> str:
    return "token times are the kernel's" if share == 1 else f"{share:.0%} of the token times are the kernel's"


def _difference(one: Difference) -> tuple[str, ...]:
    shown = percent if one.name in SHARES else ms
    effect = span = ""
    if one.effect is not None and one.low is not None and one.high is not None:
        unit = _points if one.name in SHARES else _times
        effect, span = unit(one.effect), f"{unit(one.low)} to {unit(one.high)}"
    return one.name, shown(one.a), shown(one.b), effect, span, one.verdict


def _points(share: float) -> str:
    return f"{100 * share:+.2f} pp"


def _times(ratio: float) -> str:
    return f"x {ratio:.3f}"
