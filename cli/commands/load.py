"""`ops load`: replays real traffic at a service and says what its clients saw. Parses, starts the client, prints."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Output, document, emit, grid, story
from cli.options import FleetOption, OutputOption, RegionOption
from infra.errors import Interrupted, InvalidInput, Refused

if TYPE_CHECKING:
    from infra.fleet import Fleet, LoadProfile
    from loadtests.order import Order
    from loadtests.report.summary import Arm, Progress, Summary
    from loadtests.run.client import Load

EVERY = 5  # lines of progress that are left out between two where there is no terminal to repaint a line on
FOREVER = "forever"
FASTEST = 5_000.0  # requests a second: the client's one core sent 1,800 when asked for more, and the rest was late


@dataclass(frozen=True, slots=True)
class Given:
    """What was asked for; None is left to the load profile, and for `duration` until it is stopped."""

    service: str
    rate: float | None
    duration: float | None
    trace: str | None
    seed: int


app = typer.Typer(help="Replay real traffic and report what its clients saw.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Replay real traffic and report what its clients saw.

    Examples:
      $ ops load run --service chat --rate 20/s --duration 2s  # needs region
    """


@app.command()
def run(
    service: Annotated[str, typer.Option(metavar="NAME", help="The service of the fleet to send to.")],
    rate: Annotated[
        str | None, typer.Option(metavar="RATE", help="Requests, on average: 100/s. Default: the load profile's.")
    ] = None,
    duration: Annotated[
        str, typer.Option(metavar="TIME", help="How long to send: 30s, 5m, or forever (until Ctrl-C).")
    ] = "30s",
    trace: Annotated[
        str | None, typer.Option(metavar="conv|code", help="The trace to replay. Default: the load profile's.")
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Where in the trace to start, and who the users are.")
    ] = 0,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Replay a trace at a service of the local region, and report.

    Requests come with the trace's own gaps and token counts, scaled to the rate on average, and are sent when they are
    due whatever became of those before. Errors inside a stream and streams that end early are failures. The report says
    so when this machine was too busy for its latencies to be the release's. Failed requests do not fail the command.

    Examples:
      $ ops load run --service chat --rate 20/s --duration 2s  # needs region
      $ ops load run --service chat --trace code --seed 3 --duration 2s -o json  # needs region
      $ ops load run --service chat --rate 20  # exit 2
    """
    from infra.fleet import load_fleet

    given = Given(
        service=service,
        rate=None if rate is None else _rate(rate),
        duration=None if duration == FOREVER else _positive("--duration", duration, _units().parse_duration, FOREVER),
        trace=trace,
        seed=seed,
    )
    order = _order(load_fleet(fleet), region, given)
    summary = _press(order)
    emit(document("LoadReport", summary.model_dump(mode="json")), output, lambda: _table(summary))
    if summary.interrupted and given.duration is not None:
        raise Interrupted("the load was stopped before its time; the report is of what was sent")


def _units() -> Any:
    from infra import units

    return units


def _rate(text: str) -> float:
    rate = _positive("--rate", text, _units().parse_rate)
    if rate > FASTEST:
        what = f"--rate: {text} is more than one client can send; give at most {FASTEST:.0f}/s"
        raise InvalidInput(what, not_done="no load was started")
    return rate


def _positive(option: str, text: str, parse: Callable[[object], float], word: str = "") -> float:
    """The quantity that an option gives (or `word`, met before). Raises InvalidInput that says what would be right."""
    try:
        number = parse(text)
    except ValueError as error:
        what = f"{option}: {error}" + (f", or {word}" if word else "")
        raise InvalidInput(what, not_done="no load was started") from error
    if number <= 0:
        raise InvalidInput(f"{option}: {text} is nothing; give more than zero", not_done="no load was started")
    return number


def _order(fleet: "Fleet", region: str | None, given: Given) -> "Order":
    """The load to run: what was given, and for the rest what the service's load profile says.

    Raises InvalidInput for what cannot be sent, Refused for what must not be, RegionDown.
    """
    from infra import state
    from infra.local.region import LocalRegion
    from loadtests.arrivals import tracefile
    from loadtests.order import Order

    service, where = fleet.service(given.service), fleet.region(region)
    if service.task != "generate":
        raise InvalidInput(_not_streamed(fleet, service.name, service.task), not_done="no load was started")
    profile = fleet.load_profile(service.load)
    _refuse_synthetic(profile, service.name)
    trace = profile.trace if given.trace is None else given.trace
    tracefile.path_of(trace)
    local = LocalRegion(state.region_dir(fleet.name, where.name))
    services = local.facts().services
    if service.name not in services:
        what = f"{service.name} does not run in {where.name}; there are {', '.join(services)}"
        raise InvalidInput(what, not_done="no load was started")
    return Order(
        service=service.name,
        model=service.model,
        url=services[service.name].url,
        rate=given.rate or profile.rate,
        duration=given.duration,
        trace=trace,
        max_output=profile.max_output,
        seed=given.seed,
        fleet=fleet.name,
        region=where.name,
        targets=str(local.layout.targets),
    )


def _not_streamed(fleet: "Fleet", service: str, task: str) -> str:
    others = [one.name for one in fleet.services if one.task == "generate"]
    return f"{service} has the task {task}, and a trace is replayed only at services that generate: {', '.join(others)}"


def _refuse_synthetic(profile: "LoadProfile", service: str) -> None:
    """Raises Refused: synthetic requests have no route of their own here and would be judged as users' requests."""
    if profile.traffic == "synthetic":
        raise Refused(
            f"the load profile {profile.name} of {service} is synthetic, and the local region has one route only: that "
            "of users, whose answers are what a rollout is judged by",
            not_done="no load was started",
            next=f"in the fleet file, leave `traffic: synthetic` out of {profile.name}, if it may stand in for users",
        )


def _press(order: "Order") -> "Summary":
    """Run the load and show how it goes. Ctrl-C stops sending; a second one does not wait for open requests."""
    from loadtests.run.client import start

    with start(order) as load:
        try:
            _show(load)
        except KeyboardInterrupt:
            story("\nstopping: open requests may end; Ctrl-C again to cut them off")
            with suppress(KeyboardInterrupt):
                return load.stop()
        return load.stop()


def _show(load: "Load") -> None:
    """Progress until the load ends: one line repainted on a terminal, else one line every few seconds."""
    live = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    for number, progress in enumerate(load.progress(), start=1):
        if live:
            print(f"\r\x1b[K{_line(progress)}", end="", file=sys.stderr, flush=True)
        elif number % EVERY == 0:
            story(_line(progress))
    if live:
        story()


def _line(progress: "Progress") -> str:
    return (
        f"{progress.elapsed:5.0f} s  {progress.sent:,} sent at {progress.rate:.0f}/s, "
        f"{progress.sent - progress.done:,} open, {progress.bad:,} bad; "
        f"ttft p50 {_ms(progress.ttft_p50)}; machine {progress.busy:.0%} busy"
    )


def _table(summary: "Summary") -> Any:
    from rich.console import Group

    columns = ("ARM", "RELEASE", "REQUESTS", "OK", "TTFT MS", "ITL MS", "E2E MS")
    rows = [_row(arm.arm, arm.release, arm) for arm in summary.arms]
    if len(rows) != 1:
        rows.append(_row("all", "", summary))
    return Group(_head(summary), "", grid(columns, rows, right=columns[2:]), "", *_foot(summary))


def _row(arm: str, release: str, of: "Arm | Summary") -> tuple[str, ...]:
    latencies = [f"{_number(latency.p50)} / {_number(latency.p99)}" for latency in (of.ttft, of.itl, of.e2e)]
    ok = {str(outcome): count for outcome, count in of.outcomes.items()}.get("ok", 0)
    return arm, release, f"{sum(of.outcomes.values()):,}", f"{ok:,}", *latencies


def _head(summary: "Summary") -> str:
    cut = f",\nanswers cut to {summary.max_output} tokens" if summary.max_output else ""
    return (
        f"{summary.service}: {summary.sent:,} of {summary.scheduled:,} requests that were due were sent in "
        f"{summary.elapsed:.1f} s, {summary.rate_sent:.1f}/s\n"
        f"trace {summary.trace} from seed {summary.seed}, scaled to {summary.rate_asked:g}/s over its whole length"
        f"{cut}\n"
        "latencies are p50 / p99 of ok requests"
    )


def _foot(summary: "Summary") -> list[str]:
    bad = [f"{count:,} {outcome}" for outcome, count in summary.outcomes.items() if outcome != "ok"]
    bad += [f"{summary.unfinished:,} cut off at the end"] if summary.unfinished else []
    machine = summary.machine
    return [
        f"not ok: {', '.join(bad) or 'none'}",
        f"client: send lag p99 {_ms(summary.send_lag.p99)}, {machine.client_cpu:.0%} of one core; "
        f"machine {machine.busy:.0%} busy",
        *(f"warning: {warning}" for warning in summary.warnings),
    ]


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{_number(seconds)} ms"


def _number(seconds: float | None) -> str:
    """Milliseconds with three digits or so; a dash where there is no value."""
    if seconds is None:
        return "-"
    return f"{1000 * seconds:,.0f}" if seconds >= 0.1 else f"{1000 * seconds:.1f}"
