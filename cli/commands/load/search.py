"""`ops load search`: the highest rate that a service answers within its SLO. Parse, search, print."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.load.option import SeedOption, ServiceOption, SloOption, WorkersOption
from cli.console import Output, document, emit
from cli.options import FleetOption, OutputOption, RegionOption
from infra.errors import Inconclusive, Interrupted

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from loadtests.search.answer import Answer, FleetAnswer

app = typer.Typer()

LONGER = "the same command with a longer --budget or --probe"
MORE = {
    "budget": LONGER,
    "cannot tell": LONGER,
    "client": "the same command with more --workers, or from a machine that does nothing else",
}
"""What would tell more, by the rule that ended a search."""


@app.command()
def search(
    service: ServiceOption = None,
    slo: SloOption = [],  # noqa: B006 - typer's way to say none
    start: Annotated[str, typer.Option("--from", metavar="RATE", help="The first rate.")] = "10/s",
    up_to: Annotated[str | None, typer.Option(metavar="RATE", help="The last. Default: the service's limit.")] = None,
    probe: Annotated[
        str, typer.Option(metavar="TIME", help="How long to send at a rate; up to nine times as long if need be.")
    ] = "20s",
    budget: Annotated[str, typer.Option(metavar="TIME", help="How long to send and rest in all, by region.")] = "20m",
    profile: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Another load profile.")] = None,
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Find the highest rate at which a service keeps its SLO, between one that was shown to and one that was not.

    Requests come by chance at each rate, whatever became of those before. The search ends when the two are within 10 %,
    when the budget is spent, and at once when this client is the limit. After damage it goes down and waits. Without
    --region it takes every region of the fleet that is up here, and adds them up: all, and any one lost.

    It ends 0 when it found the rate or the SLO was met at the last rate allowed, 5 when it can only say less.

    Examples:
      $ ops load search --service chat --from 10/s --up-to 20/s --probe 5s --budget 10s  # needs region, exit 5
      $ ops load search --service chat --slo 'ttft p99'  # exit 2
    """
    from cli.commands.load import ordering, probing
    from cli.commands.load.search_page import headline, page
    from cli.commands.load.underway import under_way
    from infra.fleet import load_fleet
    from infra.units import parse_duration
    from loadtests.search.criterion import criteria
    from loadtests.search.plan import planned

    found = load_fleet(fleet)
    wanted = probing.named(found, service)
    asked = criteria(slo, wanted.objectives)
    last = ordering.rate("--up-to", up_to, workers) or wanted.limits.rate
    plan = planned(
        asked,
        start=ordering.rate("--from", start, workers) or last,
        up_to=last,
        seconds=ordering.positive("--probe", probe, parse_duration),
        budget=ordering.positive("--budget", budget, parse_duration),
    )
    given = ordering.Given(wanted.name, plan.seconds, seed, profile=profile, region=region)
    orders = probing.orders(found, given, asked)
    with under_way(found, orders, "search") as log:
        answers = [probing.search(order, plan, asked, log, workers) for order in orders]
        log.concluded(", ".join(one.rule for one in answers), [headline(one) for one in answers])
        fleetwide = _fleetwide(found, answers) if len(answers) > 1 else None
        emit(_document(answers, fleetwide), output, lambda: page(answers, fleetwide))
        _end(answers)


def _fleetwide(fleet: "Fleet", answers: Sequence["Answer"]) -> "FleetAnswer":
    """What the regions that are up carry, and without any one of them, whose users go where the edge sends them."""
    from infra.blueprint.failover import priorities
    from loadtests.arrivals.route import heirs
    from loadtests.search.answer import together

    up = [fleet.region(one.region) for one in answers]
    names, first = [region.name for region in up], priorities(up)
    takers = {region.name: heirs(region.name, region.failover, first, names) for region in up}
    return together(answers, takers, [name for name in names if first[name] > 1])


def _document(answers: Sequence["Answer"], fleetwide: "FleetAnswer | None") -> dict[str, Any]:
    shown = [one.model_dump(mode="json") for one in answers]
    return document("LoadSearch", {"answers": shown, "fleet": fleetwide.model_dump(mode="json") if fleetwide else None})


def _end(answers: Sequence["Answer"]) -> None:
    """Raises Interrupted or Inconclusive where a search did not come to its end."""
    for one in answers:
        if one.rule == "interrupted":
            raise Interrupted("the search was stopped before its time; the answer is of what was sent")
    for one in answers:
        if not one.found:
            raise Inconclusive(f"{one.service} in {one.region}: {one.why}", next=MORE.get(one.rule, ""))
