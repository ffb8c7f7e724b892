"""A run as one HTML page: figures, plots, and whether to believe them. Pure; the page fetches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from loadtests.report import picture
from loadtests.report.latency import Latency, Metrics
from loadtests.report.load_report import LoadReport
from loadtests.report.run_file import Run

STYLE = """
:root{--ink:#1b1f24;--paper:#fff;--soft:#667;--rule:#d8dce2;--tint:#eef2f7;--c0:#1f6feb;--c1:#d1570a;--c2:#1a7f37;--c3:#8250df;
--good:#1a7f37;--fair:#9a6700;--bad:#c62828}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14171b;--soft:#9aa4b2;--rule:#333a43;--tint:#1f252d;
--c0:#6cb0ff;--c1:#ff9d5c;--c2:#5fd07e;--c3:#c39bff;--good:#5fd07e;--fair:#e3b341;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.8rem 0 .4rem}p{margin:.4rem 0}
.soft{color:var(--soft)}.VALID{color:var(--good)}.DEGRADED{color:var(--fair)}.INVALID{color:var(--bad)}
.wide{overflow-x:auto;background:
linear-gradient(to left,var(--paper) 1.5rem,transparent) right/3rem 100% no-repeat local,
linear-gradient(to left,var(--rule),transparent) right/1rem 100% no-repeat}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem .25rem 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--paper)}
svg{display:block;width:100%;max-width:38rem;height:auto}
.tick{font:15px system-ui,sans-serif;fill:var(--soft)}.grid{stroke:var(--rule);stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.shade{fill:var(--tint)}.heat{fill:var(--c0)}
.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}
[aria-label="Requests a second"] .c0{stroke-width:6;opacity:.45}
@media (max-width:40rem){table{font-size:.85rem}}
@media print{h2{break-after:avoid}svg,.wide{break-inside:avoid}body{max-width:none}}
""".strip()

POINTS = ("p50", "p90", "p95", "p99", "p99_9", "max")


def page(run: Run) -> str:
    """The whole page."""
    report = run.report
    parts = [
        *_head(report),
        _section("Latencies", _latencies(report), "of ok requests in the steady part, from when they were sent"),
        _section("Latency over time", picture.over_time(run), "the shaded part is the steady one"),
        _section("Distributions", picture.distributions(run), "share of all values up to a time"),
        _section(
            "Gaps between tokens", picture.gaps(run), "how long they were when: the fuller the colour, the more of them"
        ),
        _section("Arrivals", picture.arrivals(run), "a second: due, sent, done; limited were answered with 429"),
        _section("Outcomes", _table(("outcome", "requests"), _outcomes(report)), ""),
        _section("Arms", _arms(report), "p50 / p99"),
        _section("Client", _client(report), "its own delays; above its limits these are not the server's figures"),
    ]
    title = escape(f"{report.service}: load report")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _head(report: LoadReport) -> Iterable[str]:
    client, arrivals, goodput = report.client, report.arrivals, report.steady.goodput
    yield f'<h1>{escape(report.service)} <span class="{client.verdict}">{client.verdict}</span></h1>'
    for reason in client.reasons:
        yield f'<p class="{client.verdict}">{escape(reason)}</p>'
    began = report.started.replace("T", " ").replace("+00:00", " UTC")
    where = ", ".join(word for word in (report.fleet, report.region, report.model, report.url, began) if word)
    yield f'<p class="soft">{escape(where)}</p>'
    yield _text(
        f"{arrivals.sent:,} of {arrivals.scheduled:,} requests that were due were sent in {report.elapsed:g} s "
        f"({arrivals.rate_sent:g}/s); profile {report.profile}, seed {report.seed}."
    )
    yield _text(f"Steady from {report.steady.start:g} to {report.steady.end:g} s: {report.steady.why}.")
    slo = ", ".join(f"{name} {picture.duration(most)}" for name, most in goodput.slo.items()) or "every ok request"
    span = f", between {goodput.low:.2%} and {goodput.high:.2%}" if goodput.low is not None else ""
    share = "-" if goodput.share is None else f"{goodput.share:.2%}"
    yield _text(f"Goodput {share}{span} (SLO: {slo}); {report.tokens.output_rate:,.0f} tokens/s{_cost(report)}.")


def _cost(report: LoadReport) -> str:
    if report.cost is None or report.cost.per_million_tokens is None:
        return ""
    return f", ${report.cost.per_million_tokens:,.2f} for a million"


def _latencies(report: LoadReport) -> str:
    metrics = report.steady.metrics
    rows = [_latency(name, getattr(metrics, name)) for name in type(metrics).model_fields]
    late = report.from_scheduled
    rows += [_latency("ttft from due", late.ttft), _latency("e2e from due", late.e2e)]
    return _table(("", "count", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"), rows)


def _latency(name: str, of: Latency) -> Sequence[str]:
    return (name, f"{of.count:,}", *(_time(getattr(of, point)) for point in ("mean", *POINTS)))


def _outcomes(report: LoadReport) -> list[Sequence[str]]:
    rows = [(outcome, f"{count:,}") for outcome, count in report.outcomes.items()]
    return [*rows, ("unfinished", f"{report.arrivals.unfinished:,}")]


def _arms(report: LoadReport) -> str:
    rows = [
        (arm.arm, arm.release, f"{arm.requests:,}", f"{arm.outcomes.get('ok', 0):,}", *_pairs(arm.metrics))
        for arm in report.arms
    ]
    return _table(("arm", "release", "requests", "ok", "ttft", "itl", "e2e"), rows)


def _pairs(metrics: Metrics) -> list[str]:
    return [f"{_time(one.p50)} / {_time(one.p99)}" for one in (metrics.ttft, metrics.itl, metrics.e2e)]


def _client(report: LoadReport) -> str:
    client = report.client
    rows = [
        _latency(name, getattr(client, field))
        for name, field in (("send lag", "send_lag"), ("loop lag", "loop_lag"), ("receive delay", "receive_delay"))
    ]
    cost = _text(
        f"{client.cpu:.0%} of one core in {_processes(client.processes)}; machine {client.busy:.0%} busy; "
        f"{client.kernel_times:.0%} of the token times are the kernel's."
    )
    return _table(("", "count", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"), rows) + cost


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"


def _section(title: str, body: str, note: str) -> str:
    return f'<h2>{escape(title)}</h2>\n<p class="soft">{escape(note)}</p>\n{body}'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else picture.duration(seconds)
