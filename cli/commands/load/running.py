"""`ops load run` and `replay`: parse, start the client, print."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.load.option import (
    AllowOption,
    CeilingOption,
    CredentialOption,
    DurationOption,
    IgnoreRetryAfterOption,
    JunitOption,
    LoraOption,
    ModelOption,
    PageOption,
    RetriesOption,
    SaveOption,
    SeedOption,
    ServiceOption,
    SloOption,
    TargetOption,
    TimeoutOption,
    UsersOption,
    WorkersOption,
)
from cli.commands.load.ordering import Elsewhere, Given
from cli.console import Output, story
from cli.options import FleetOption, OutputOption, RegionOption
from infra.errors import Interrupted

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from loadtests.order import Order
    from loadtests.report.junit import Case
    from loadtests.report.run_file import Run
    from loadtests.search.criterion import Criterion

app = typer.Typer()


@app.command()
def run(
    service: ServiceOption = None,
    rate: Annotated[
        str | None, typer.Option(metavar="RATE", help="Requests, on average: 100/s. Default: the load profile's.")
    ] = None,
    duration: DurationOption = "30s",
    profile: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="A load profile of the fleet or of a file of its own.")
    ] = None,
    trace: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The trace to replay. Default: the load profile's.")
    ] = None,
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    target: TargetOption = None,
    model: ModelOption = None,
    credential: CredentialOption = [],  # noqa: B006 - typer's way to say none
    allow_host: AllowOption = [],  # noqa: B006
    ceiling: CeilingOption = None,
    lora: LoraOption = [],  # noqa: B006
    users: UsersOption = None,
    timeout: TimeoutOption = [],  # noqa: B006
    retries: RetriesOption = 0,
    ignore_retry_after: IgnoreRetryAfterOption = False,
    slo: SloOption = [],  # noqa: B006
    page: PageOption = None,
    junit: JunitOption = None,
    save: SaveOption = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send the traffic of a load profile at a service, and report.

    Requests are sent when they are due, whatever became of those before. Errors inside a stream and streams that end
    early are failures. The report says whether this client can be believed: VALID, DEGRADED or INVALID. Failed requests
    do not fail the command.

    Examples:
      $ ops load run --service chat --rate 20/s --duration 2s  # needs region
      $ ops load run --service chat --trace code --seed 3 --duration 2s -o json  # needs region
      $ ops load run --service chat --rate 20/s --duration 2s --report page.html --save run.json  # needs region
      $ ops load run --service chat --rate 20/s --duration 2s --workers 2  # needs region
      $ ops load run --service chat --slo 'ttft p99 < 1s' --timeout first-token=5s --duration 2s  # needs region
      $ ops load run --target https://llm.example.org --model m  # exit 4
      $ ops load run --service chat --rate 20  # exit 2
    """
    from cli.commands.load import ordering
    from cli.commands.load.manner import manner
    from infra.fleet import load_fleet

    given = Given(
        service=service,
        duration=ordering.duration(duration),
        seed=seed,
        rate=ordering.rate("--rate", rate, workers),
        trace=trace,
        profile=profile,
        region=region,
        manner=manner(lora, users, timeout, retries, ignore_retry_after=ignore_retry_after),
    )
    place = None
    if target is not None:
        most = ordering.ceiling(ceiling)
        place = Elsewhere(target, model, tuple(allow_host), tuple(credential), most)
    files = Files(page, junit, save)
    _send(load_fleet(fleet), given, place, Wanted("run", slo, output, files, workers))


@app.command()
def replay(
    trace: Annotated[str, typer.Option(metavar="NAME|FILE", help="conv, code, mooncake, or a file of yours.")],
    speed: Annotated[str, typer.Option(metavar="TIMES", help="Times its own pace: 10x.")] = "1x",
    service: ServiceOption = None,
    duration: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="How long to send: 30s, 5m, or forever. Default: the whole trace once."),
    ] = None,
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    lora: LoraOption = [],  # noqa: B006
    users: UsersOption = None,
    timeout: TimeoutOption = [],  # noqa: B006
    retries: RetriesOption = 0,
    ignore_retry_after: IgnoreRetryAfterOption = False,
    slo: SloOption = [],  # noqa: B006
    page: PageOption = None,
    junit: JunitOption = None,
    save: SaveOption = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Replay a recorded trace from its first request, at its own pace or a multiple of it.

    Gaps, bursts and token counts are the trace's own; answers are cut as the service's load profile says.

    Examples:
      $ ops load replay --service chat --trace conv --speed 10x --duration 2s  # needs region
      $ ops load replay --service chat --trace conv --speed 10  # exit 2
    """
    from cli.commands.load import ordering
    from cli.commands.load.manner import manner
    from infra.fleet import load_fleet

    loaded, pace = load_fleet(fleet), ordering.speed(speed)
    given = Given(
        service=service,
        duration=ordering.duration(duration) if duration else _whole(trace, pace),
        seed=seed,
        trace=trace,
        speed=pace,
        region=region,
        manner=manner(lora, users, timeout, retries, ignore_retry_after=ignore_retry_after),
    )
    files = Files(page, junit, save)
    _send(loaded, given, None, Wanted("replay", slo, output, files, workers))


def _whole(trace: str, speed: float) -> float:
    """The seconds of a trace, said on stderr: an hour is long to wait for without knowing."""
    from cli.commands.load import ordering
    from infra.units import format_duration

    requests, seconds = ordering.whole(trace, speed)
    story(f"the whole trace: {requests:,} requests in {format_duration(round(seconds, 1))}")
    return seconds


@dataclass(frozen=True, slots=True)
class Files:
    """What is to be written of a run."""

    page: Path | None
    junit: Path | None
    save: Path | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a load beside its requests: an SLO to hold it against, an answer, files, processes."""

    command: str
    slo: Sequence[str]
    output: Output
    files: Files
    workers: int


def _send(fleet: "Fleet", given: Given, place: Elsewhere | None, wanted: Wanted) -> None:
    """Send the load; answer and files. Raises Interrupted where an end was set and did not come."""
    from cli.commands.load import pressing
    from cli.commands.load.probing import with_slo
    from cli.commands.load.underway import under_way

    asked = _criteria(fleet, given, wanted.slo)
    order = with_slo(_order(fleet, given, place), asked)
    with under_way(fleet, [order], wanted.command) as log:
        run = pressing.priced(pressing.press(order, log, wanted.workers), fleet, given.service)
        files = wanted.files
        pressing.keep(run, page=files.page, junit=files.junit, save=files.save, checks=_checks(run, asked))
        log.kept(files.page, files.junit, files.save)
        pressing.answer(run, wanted.output)
        if run.report.interrupted and given.duration is not None:
            raise Interrupted("the load was stopped before its time; the report is of what was sent")


def _order(fleet: "Fleet", given: Given, place: Elsewhere | None) -> "Order":
    from cli.commands.load import ordering

    return ordering.here(fleet, given) if place is None else ordering.elsewhere(fleet, given, place)


def _criteria(fleet: "Fleet", given: Given, slo: Sequence[str]) -> "tuple[Criterion, ...]":
    """What was asked for with --slo; without it the thresholds of the objectives are enough. Raises SloError."""
    from loadtests.search.criterion import criteria

    return criteria(slo, fleet.service(given.service).objectives if given.service else ()) if slo else ()


def _checks(run: "Run", asked: "tuple[Criterion, ...]") -> "list[Case]":
    if not asked:
        return []
    from loadtests.report.junit import criterion
    from loadtests.search.finding import strictness
    from loadtests.search.probe import judged

    facts = judged(run, asked, strictness(len(asked)), run.report.arrivals.rate_sent)
    return [criterion(one) for one in facts.findings]
