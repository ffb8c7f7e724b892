"""`ops load regions`: several regions at once, and one of them lost in the middle. Parse, start the clients, print."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.load.option import SaveOption, SeedOption, ServiceOption, SloOption, WorkersOption
from cli.console import Output, document, emit, story
from cli.options import FleetOption, OutputOption

if TYPE_CHECKING:
    from loadtests.order import Outage
    from loadtests.report.run_file import Run
    from loadtests.search.shift import Part

app = typer.Typer()


@app.command()
def regions(
    service: ServiceOption = None,
    weight: Annotated[
        list[str],
        typer.Option(
            "--weight", metavar="NAME=N", help="A region's share of the users. Default: 1, and 0 of one that stands by."
        ),
    ] = [],  # noqa: B006 - typer's way to say none
    lose: Annotated[str | None, typer.Option(metavar="NAME", help="The region that is lost in the middle.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it is lost: 30s.")] = None,
    back: Annotated[str | None, typer.Option(metavar="TIME", help="When it is back: 60s. Default: never.")] = None,
    rate: Annotated[str | None, typer.Option(metavar="RATE", help="Requests of all regions together: 100/s.")] = None,
    duration: Annotated[str, typer.Option(metavar="TIME", help="How long to send: 90s, 5m.")] = "1m",
    profile: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Another load profile.")] = None,
    slo: SloOption = [],  # noqa: B006
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    save: SaveOption = None,
    fleet: FleetOption = "demo",
    output: OutputOption = Output.TABLE,
) -> None:
    """Send one load to all regions that are up here, and say whether those left hold it when one is lost.

    Each user belongs to one region, by weight. From the loss on the users of the lost region go where its failover in
    the fleet file leads, and nobody else moves. It ends 0 if every region that is left surely keeps the SLO from the
    loss on, 3 if one surely breaks it, 5 if it cannot be told. Without --lose it is the same question for all regions.
    --workers is by region.

    Examples:
      $ ops load regions --service chat --rate 20/s --duration 2s  # needs region, exit 5
      $ ops load regions --service chat --weight eastus2  # exit 2
    """
    from cli.commands.load import pressing, routing
    from cli.commands.load.ending import end
    from cli.commands.load.probing import named
    from cli.commands.load.underway import under_way
    from cli.rollouts.ruling import STOPPED, rule
    from infra.fleet import load_fleet
    from loadtests.run.client import shares, start_all
    from loadtests.search.criterion import criteria
    from loadtests.search.shift import facts, notes, parts

    found = load_fleet(fleet)
    asked = criteria(slo, named(found, service).objectives)
    given = routing.given(service, duration, seed, rate, profile, workers)
    orders = routing.orders(found, given, routing.shift(weight, lose, at, back), asked)
    outage = orders[0].route.outage if orders[0].route else None
    _tell(outage)
    with under_way(found, orders, "regions") as log:
        load = start_all([one for order in orders for one in shares(order, workers)])
        run = pressing.watch(load, log)
        seen = parts(routing.by_region(load.books), outage, asked)
        rate_asked = orders[0].load.mean or run.report.arrivals.rate_sent
        ruling = STOPPED if run.report.interrupted else rule(facts(seen, outage, run.report.client, rate_asked))
        log.concluded(ruling.verdict, ruling.reasons)
        answer = {"verdict": ruling.verdict, "reasons": [*ruling.reasons, *notes(seen)]}
        report = run.report.model_dump(mode="json")
        lost = outage.model_dump(mode="json") if outage else None
        data = {**answer, "outage": lost, "parts": [one.model_dump(mode="json") for one in seen], "report": report}
        pressing.keep(run, save=save)
        log.kept(save)
        emit(document("LoadRegions", data), output, lambda: _page(run, answer, seen, outage))
        end(
            run,
            ruling,
            says="the capacity",
            broken=_said(ruling.verdict, outage),
            more="the same command with a longer --duration",
        )


def _tell(outage: "Outage | None") -> None:
    if outage:
        back = f", and is back at {outage.back:g} s" if outage.back else ""
        story(f"{outage.region} is lost at {outage.at:g} s{back}; its users go to {', '.join(outage.heirs)}")


def _page(run: "Run", answer: dict[str, Any], seen: "Sequence[Part]", outage: "Outage | None") -> Any:
    from textwrap import wrap

    from rich.console import Group

    from cli.commands.load.page import percent
    from cli.console import WIDTH, grid

    columns = ("WHEN", "REGION", "FROM S", "TO S", "SENT", "RATE/S", "NOT OK", "GOOD", "SLO")
    rows = [
        (
            *(one.phase, one.region or "all", f"{one.start:g}", f"{one.end:g}", f"{one.sent:,}", f"{one.rate:.1f}"),
            *(f"{one.outcomes['not ok']:,}", percent(one.good / one.sent if one.sent else None)),
            one.result if one.sent else "no requests",
        )
        for one in seen
    ]
    head = f"{run.report.service} in {run.report.region}: {_said(answer['verdict'], outage)}"
    why = [line for one in answer["reasons"] for line in wrap(f"  {one}", WIDTH)]
    return Group(*wrap(head, WIDTH), *why, "", grid(columns, rows, right=columns[2:8]))


def _said(verdict: str, outage: "Outage | None") -> str:
    what = f"the capacity without {outage.region}" if outage else "the capacity"
    return {"pass": f"{what} holds", "fail": f"{what} does not hold"}.get(verdict, f"whether {what} holds is not known")
