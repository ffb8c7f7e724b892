"""`ops load run` and `replay`: parse, start the client, print."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.load.option import (
    AllowOption,
    CeilingOption,
    CredentialOption,
    DurationOption,
    JunitOption,
    ModelOption,
    PageOption,
    SaveOption,
    SeedOption,
    ServiceOption,
    TargetOption,
)
from cli.commands.load.ordering import Elsewhere, Given
from cli.console import Output, story
from cli.options import FleetOption, OutputOption, RegionOption
from infra.errors import Interrupted

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from loadtests.order import Order
    from loadtests.report.run_file import Run

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
    target: TargetOption = None,
    model: ModelOption = None,
    credential: CredentialOption = [],  # noqa: B006 - typer's way to say none
    allow_host: AllowOption = [],  # noqa: B006
    ceiling: CeilingOption = None,
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
      $ ops load run --target https://llm.example.org --model m  # exit 4
      $ ops load run --service chat --rate 20  # exit 2
    """
    from cli.commands.load import ordering
    from infra.fleet import load_fleet

    given = Given(
        service=service,
        duration=ordering.duration(duration),
        seed=seed,
        rate=ordering.rate("--rate", rate),
        trace=trace,
        profile=profile,
        region=region,
    )
    place = None
    if target is not None:
        most = ordering.rate("--ceiling", ceiling)
        place = Elsewhere(target, model, tuple(allow_host), tuple(credential), most)
    found = _send(load_fleet(fleet), given, place)
    _told(found, output, given, keep={"page": page, "junit": junit, "save": save})


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
    from infra.fleet import load_fleet

    loaded, pace = load_fleet(fleet), ordering.speed(speed)
    given = Given(
        service=service,
        duration=ordering.duration(duration) if duration else _whole(trace, pace),
        seed=seed,
        trace=trace,
        speed=pace,
        region=region,
    )
    found = _send(loaded, given, None)
    _told(found, output, given, keep={"page": page, "junit": junit, "save": save})


def _whole(trace: str, speed: float) -> float:
    """The seconds of a trace, said on stderr: an hour is long to wait for without knowing."""
    from cli.commands.load import ordering
    from infra.units import format_duration

    requests, seconds = ordering.whole(trace, speed)
    story(f"the whole trace: {requests:,} requests in {format_duration(round(seconds, 1))}")
    return seconds


def _send(fleet: "Fleet", given: Given, place: Elsewhere | None) -> "Run":
    from cli.commands.load.pressing import press, priced

    return priced(press(_order(fleet, given, place)), fleet, given.service)


def _order(fleet: "Fleet", given: Given, place: Elsewhere | None) -> "Order":
    from cli.commands.load import ordering

    return ordering.here(fleet, given) if place is None else ordering.elsewhere(fleet, given, place)


def _told(run: "Run", output: Output, given: Given, keep: dict) -> None:  # type: ignore[type-arg]
    """Answer and files; raises Interrupted where an end was set and did not come."""
    from cli.commands.load import pressing

    pressing.answer(run, output)
    pressing.keep(run, **keep)
    if run.report.interrupted and given.duration is not None:
        raise Interrupted("the load was stopped before its time; the report is of what was sent")
