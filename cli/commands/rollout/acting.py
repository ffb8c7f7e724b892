"""The commands of `ops rollout` that change something: begin, hold, go on, promote, take back."""

from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.rollout.answer import ServiceArgument, TimeoutOption, ended, seconds, shown
from cli.console import WIDTH, Output, confirm, story
from cli.options import FleetOption, OutputOption, RegionOption, YesOption

if TYPE_CHECKING:
    from cli.rollouts.plan import Stage

app = typer.Typer()

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")]


@app.command()
def start(
    service: ServiceArgument,
    release: Annotated[str, typer.Option("--release", metavar="VERSION|FILE", help="The release to roll out.")],
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Let the region's supervisor drive, and return.")] = False,
    timeout: TimeoutOption = None,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Roll a release out, judged until it is proven.

    Canary and baseline slice of the same size answer side by side.

    Ends 0 when promoted, 3 when rolled back, 124 after --timeout with the rollout still open.

    Examples:
      $ ops rollout start chat --release v3 --yes  # needs region, exit 3
      $ ops rollout start chat --release v9 --yes  # exit 2
    """
    from cli import opening, steering, wiring
    from cli.rollouts import view

    place, limit = wiring.place(fleet, region, service), seconds(timeout)
    version = opening.release_for(place, release).version
    try:
        plan = opening.new_plan(place, version)
    except opening.NothingToDo as same:
        story(f"{same}; nothing to change")
        return
    for line in view.plan_lines(plan):
        story(line)
    if plan.load:
        _say_if_short(plan.load)
    latencies = [signal for signal in plan.signals if signal.threshold]
    if latencies and all(signal.gate for signal in latencies):  # none has a measured threshold
        story("  note       no traffic in the last minute: nothing is proven without it, and the")
        story("             deadline rolls back; `ops load run` sends some")
    for note in opening.counted(place):
        story(fill(f"  note       {note}", WIDTH, subsequent_indent=" " * 13))
    confirm("start this rollout?", yes)
    if detach:
        steering.detach(place, plan)
        story(f"the region's supervisor drives {plan.run}; watch it with: ops rollout watch {service}")
        return
    run, state = steering.roll(place, plan, limit)
    ended(place, state, run, output)


def _say_if_short(load: "Stage") -> None:
    """A note where the first attempt of the load stage is too short to pass."""
    from cli.rollouts.ruling import needed

    sent, least = round(load.rate * load.seconds), needed(load)
    if sent < least:
        story(f"  note       the load's first attempt sends {sent} requests; at least {least} must be")
        story("             good to pass: later ones are longer, a higher rate or time is sooner")


@app.command()
def resume(
    service: ServiceArgument,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    keep_pause: Annotated[bool, typer.Option("--keep-pause", help="Take over, but leave a pause in force.")] = False,
    timeout: TimeoutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Lift a pause, or take over from a driver that died.

    Ends as `start` does: 0 when promoted, 3 when rolled back, 124 after --timeout with the rollout still open.

    Examples:
      $ ops rollout resume chat --timeout 3s  # needs rollout, exit 124
    """
    from cli import steering, wiring

    place, limit = wiring.place(fleet, region, service), seconds(timeout)
    run = steering.open_run(place)
    if run.state.paused_since is not None and not keep_pause:
        steering.command(place, "resume", "")
        story(f"{run.plan.run} goes on")
    ended(place, steering.attend(place, run, limit), run, output)


@app.command()
def pause(
    service: ServiceArgument, fleet: FleetOption = "demo", region: RegionOption = None, reason: ReasonOption = ""
) -> None:
    """Hold the weight where it is until `resume`. A failed verdict still rolls back.

    Examples:
      $ ops rollout pause chat --reason "one dashboard looks odd"  # needs rollout
    """
    from cli import steering, wiring

    place = wiring.place(fleet, region, service)
    run = steering.command(place, "pause", reason)
    story(f"{run.plan.run} is paused; {steering.when_obeyed(place, run)}")
    story(f"go on with: ops rollout resume {service}")


@app.command()
def promote(
    service: ServiceArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why the missing evidence may be overridden.")],
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    yes: YesOption = False,
) -> None:
    """Promote without waiting for more evidence. Never against a failed verdict.

    Examples:
      $ ops rollout promote chat --reason "tested by hand" --yes  # needs rollout
    """
    from cli import steering, wiring

    place = wiring.place(fleet, region, service)
    if not reason.strip():
        raise typer.BadParameter("say why, in a few words", param_hint="--reason")
    run = steering.open_run(place)
    story(f"promote {run.plan.canary} of {service} in {place.region}, fleet {place.fleet.name}, without full evidence")
    confirm("promote it?", yes)
    steering.command(place, "promote", reason)
    story(f"{run.plan.run} will be promoted unless its verdict has failed; {steering.when_obeyed(place, run)}")
    story(f"see: ops rollout watch {service}")


@app.command()
def abort(
    service: ServiceArgument,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    reason: ReasonOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Take all traffic from the canary at once and roll back. Needs no judge, no Prometheus and no answer.

    Ends 0 when the rollout is rolled back.

    Examples:
      $ ops rollout abort chat --reason "users complain"  # needs rollout
    """
    from cli import aborting, wiring

    place = wiring.place(fleet, region, service)
    ended = aborting.abort(place, reason)
    if ended is None:
        story(f"no rollout of {service} in {place.region} is under way; its canary has no traffic")
        return
    run, state = ended
    shown(state, run, output)


@app.command()
def undo(
    service: ServiceArgument,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    timeout: TimeoutOption = None,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Go back to the release before the last promotion.

    At once, and without a judge.

    Examples:
      $ ops rollout undo chat --yes  # exit 4
    """
    from cli import opening, steering, wiring
    from cli.rollouts import view

    place, limit = wiring.place(fleet, region, service), seconds(timeout)
    plan = opening.undo_plan(place)
    for line in view.plan_lines(plan):
        story(line)
    confirm("go back?", yes)
    run, state = steering.roll(place, plan, limit)
    ended(place, state, run, output)
