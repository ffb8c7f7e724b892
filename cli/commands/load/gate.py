"""`ops load gate`: one load, and whether the service may go on; for pipelines, and before a rollout."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.load.option import (
    JunitOption,
    PageOption,
    SaveOption,
    SeedOption,
    ServiceOption,
    SloOption,
    WorkersOption,
)
from cli.console import Output, document, emit
from cli.options import FleetOption, OutputOption, RegionOption
from infra.errors import InvalidInput

if TYPE_CHECKING:
    from cli.rollouts.ruling import Ruling
    from loadtests.report.junit import Case
    from loadtests.report.run_file import Run
    from loadtests.search.probe import Probe

app = typer.Typer()


@app.command()
def gate(
    service: ServiceOption = None,
    rate: Annotated[str | None, typer.Option(metavar="RATE", help="Requests: 100/s. Default: the profile's.")] = None,
    duration: Annotated[str, typer.Option(metavar="TIME", help="How long to send: 30s, 5m.")] = "1m",
    slo: SloOption = [],  # noqa: B006 - typer's way to say none
    profile: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Another load profile.")] = None,
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    page: PageOption = None,
    junit: JunitOption = None,
    save: SaveOption = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send one load and end 0 if the SLO is surely kept, 3 if it is surely broken, 5 if it cannot be told.

    It cannot be told from a client that was INVALID, from too few requests, and while open requests become more and
    more. All criteria together are 95 % sure; failed requests keep none of them.

    Examples:
      $ ops load gate --service chat --rate 20/s --duration 2s  # needs region, exit 5
      $ ops load gate --service chat --rate 20/s --slo 'ttft p99 500ms'  # exit 2
    """
    from cli.commands.load import ordering, pressing
    from cli.commands.load.ending import end
    from cli.commands.load.ordering import Given
    from cli.commands.load.probing import named, with_slo
    from cli.commands.load.underway import under_way
    from cli.rollouts.ruling import STOPPED, rule
    from infra.fleet import load_fleet
    from loadtests.search.criterion import criteria
    from loadtests.search.finding import strictness
    from loadtests.search.probe import judged

    found = load_fleet(fleet)
    asked = criteria(slo, named(found, service).objectives)
    seconds = ordering.duration(duration)
    if seconds is None:
        raise InvalidInput("--duration: a gate must come to an end; write a duration such as 1m")
    most = ordering.rate("--rate", rate, workers)
    given = Given(service, seconds, seed, rate=most, profile=profile, region=region)
    order = with_slo(ordering.here(found, given), asked)
    with under_way(found, [order], "gate") as log:
        run = pressing.press(order, log, workers)
        facts = judged(run, asked, strictness(len(asked)), order.load.mean or run.report.arrivals.rate_sent)
        ruling = STOPPED if run.report.interrupted else rule(facts)
        log.concluded(ruling.verdict, ruling.reasons)
        report = run.report.model_dump(mode="json")
        data = {**asdict(ruling), "facts": facts.model_dump(mode="json"), "report": report}
        pressing.keep(run, page=page, junit=junit, save=save, checks=_checks(facts))
        log.kept(page, junit, save)
        emit(document("LoadGate", data), output, lambda: _page(run, ruling))
        end(run, ruling, says="the SLO", broken="the SLO is broken", more="the same command with a longer --duration")


def _checks(facts: "Probe") -> "list[Case]":
    """All that the ruling goes by."""
    from loadtests.report.junit import Case, criterion

    harmed, said = bool(facts.damage), "; ".join(facts.damage)
    return [
        *(criterion(one) for one in facts.findings),
        Case("no damage", "failed" if harmed else "passed", said or "none"),
        Case("no growing queue", "skipped" if facts.growing else "passed", "of open requests"),
    ]


def _page(run: "Run", ruling: "Ruling") -> str:
    from textwrap import wrap

    from cli.console import WIDTH

    report = run.report
    head = f"{report.service} at {report.arrivals.rate_sent:.1f}/s for {report.elapsed:.0f} s: {ruling.verdict}"
    return "\n".join([head, *(line for one in ruling.reasons for line in wrap(f"  {one}", WIDTH))])
