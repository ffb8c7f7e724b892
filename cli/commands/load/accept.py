"""`ops load accept`: a day or a step of traffic, and whether the service keeps its promises through it."""

from collections.abc import Iterator
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
from cli.console import Output, document, emit, story
from cli.options import FleetOption, OutputOption, RegionOption

if TYPE_CHECKING:
    from cli.rollouts.ruling import Ruling
    from loadtests.report.acceptance import Acceptance, Check
    from loadtests.report.junit import Case
    from loadtests.report.run_file import Run

app = typer.Typer()


@app.command()
def accept(
    service: ServiceOption = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="A diurnal or step profile. Default: the service's.")
    ] = None,
    slo: SloOption = [],  # noqa: B006 - typer's way to say none
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    page: PageOption = None,
    junit: JunitOption = None,
    save: SaveOption = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send a whole day or a step, and end 0 if the service surely bears it, 3 if it surely does not, 5 if untold.

    A day (diurnal): the SLO is kept over the whole and at the peak. A step: who is admitted is served as promised, the
    excess gets 429 and nothing else, as much is served as the limit allows, and all is well again soon after it. In
    the demo fleet, chat-mini takes a step (five minutes), and chat bears --profile evening-peak (six).

    Examples:
      $ ops load accept --service chat --profile conversation  # needs region, exit 2
      $ ops load accept --service chat-mini --slo 'ttft p99 100ms'  # exit 2
    """
    from cli.commands.load import pressing
    from cli.commands.load.ending import end
    from cli.commands.load.ordering import Given, here
    from cli.commands.load.probing import named, with_slo
    from cli.commands.load.underway import under_way
    from infra.fleet import load_fleet
    from infra.units import format_duration
    from loadtests.report.acceptance import accepted, lasting
    from loadtests.search.criterion import criteria

    found = load_fleet(fleet)
    asked = named(found, service)
    promised = criteria(slo, asked.objectives)
    order = with_slo(here(found, Given(service, None, seed, profile=profile, region=region)), promised)
    seconds = lasting(order.load)
    order = order.model_copy(update={"duration": seconds})
    story(f"the profile {order.profile.name} takes {format_duration(seconds)}")
    with under_way(found, [order], "accept") as log:
        run = pressing.press(order, log, workers)
        facts = accepted(run, order.load, promised, asked.limits.rate)
        ruling = _ruling(run, facts)
        log.concluded(ruling.verdict, ruling.reasons)
        data = {
            "verdict": ruling.verdict,
            "reasons": ruling.reasons,
            **facts.model_dump(mode="json", exclude={"result"}),
        }
        data |= {"report": run.report.model_dump(mode="json")}
        checks = [case for one in facts.checks for case in _cases(one)]
        pressing.keep(run, page=page, junit=junit, save=save, checks=checks)
        log.kept(page, junit, save)
        emit(document("LoadAcceptance", data), output, lambda: _page(run, facts, ruling))
        end(
            run,
            ruling,
            says="the whole",
            broken="the service does not bear it",
            more="the same with a profile that lasts longer, or has more",
        )


def _ruling(run: "Run", facts: "Acceptance") -> "Ruling":
    """The checks that decide, in words; an INVALID client before all else."""
    from cli.rollouts.ruling import STOPPED, Ruling
    from loadtests.report.verdict import Verdict
    from loadtests.search.finding import Result

    if run.report.interrupted:
        return STOPPED
    if run.report.client.verdict is Verdict.INVALID:
        return Ruling("cannot tell", tuple(f"the client was INVALID: {reason}" for reason in run.report.client.reasons))
    reasons = tuple(f"{one.what}: {told}" for one in facts.checks for told in _told(one, only=facts.result))
    match facts.result:
        case Result.MEETS:
            return Ruling("pass", reasons)
        case Result.VIOLATES:
            return Ruling("fail", reasons)
        case _:
            return Ruling("cannot tell", reasons)


def _cases(check: "Check") -> "Iterator[Case]":
    """A check for JUnit: its criteria, or what it says itself."""
    from loadtests.report.junit import ENDS, Case, criterion

    yield from (criterion(one, check.what) for one in check.findings)
    if not check.findings:
        yield Case(check.what, ENDS[check.result], check.says)


def _told(check: "Check", only: str | None = None) -> Iterator[str]:
    """A check in words; `only` what came to that result."""
    from cli.rollouts.ruling import told

    yield from (told(one) for one in check.findings if only in (None, one.result))
    if check.says and only in (None, check.result):
        yield check.says


def _page(run: "Run", facts: "Acceptance", ruling: "Ruling") -> str:
    from textwrap import wrap

    from cli.console import WIDTH

    report = run.report
    lines = [f"{report.service} through {report.profile} for {report.elapsed:.0f} s: {ruling.verdict}"]
    for check in facts.checks:
        lines += wrap(f"  {check.what}: {check.result}", WIDTH, subsequent_indent="    ")
        lines += [line for one in _told(check) for line in wrap(f"    {one}", WIDTH, subsequent_indent="      ")]
    for reason in report.client.reasons:
        lines += wrap(f"  client {report.client.verdict}: {reason}", WIDTH, subsequent_indent="    ")
    return "\n".join(lines)
