"""The commands of `ops fleet` that look at Azure and change nothing: what `up` would do, and what others changed."""

from typing import Annotated, Any

import typer

from cli.commands.fleet.option import EmulatedOption, PlaceOption, StackOption
from cli.console import WIDTH, Output, document, emit, story
from cli.options import FleetOption, OutputOption

app = typer.Typer()


@app.command()
def preview(
    fleet: FleetOption = "demo",
    region: PlaceOption = None,
    stack: StackOption = None,
    emulated: EmulatedOption = False,
    details: Annotated[bool, typer.Option("--details", help="Name every resource, not only kinds.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what `up` would do. Changes nothing.

    What is replaced or deleted although it is protected comes first. Ends 8 when there is something to do, 0 when not.

    Examples:
      $ ops fleet preview --emulated --stack base  # exit 8
      $ ops fleet preview --region nowhere  # exit 2
    """
    from cli import estate, provisioning
    from cli.provision import picture, plan
    from cli.screen import wrapped
    from infra.errors import Pending

    place = estate.named(fleet, region, stack, emulated)
    _, planned = provisioning.plan_up(place, estate.engine(place))
    emit(
        document("FleetPlan", plan.data(planned)),
        output,
        lambda: "\n".join(wrapped(picture.lines(planned, details), WIDTH)),
    )
    if planned.changing:
        raise Pending("changes are pending", not_done="nothing was changed", next=place.command("up"))


@app.command()
def drift(
    fleet: FleetOption = "demo",
    region: PlaceOption = None,
    stack: StackOption = None,
    emulated: EmulatedOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what was changed outside.

    And whose change the next `up` would undo. Ends 8 when something was, 0 when all is as `up` left it.

    Examples:
      $ ops fleet drift --emulated
    """
    from cli import estate, provisioning
    from infra.errors import Pending

    place = estate.named(fleet, region, stack, emulated)
    found = provisioning.drifted(place, estate.engine(place))
    rows = [one for stack in found for one in stack["changes"]]
    emit(document("FleetDrift", {"fleet": place.fleet.name, "stacks": found}), output, lambda: _drift(place, found))
    if rows:
        what = f"{len(rows)} {'thing was' if len(rows) == 1 else 'things were'} changed outside"
        raise Pending(
            what,
            not_done="nothing was changed",
            next=f"{place.command('up')} puts it back; or say it in the fleet file, to keep it",
        )


def _drift(place: Any, found: list[dict[str, Any]]) -> str:
    from cli.provision import picture
    from cli.screen import wrapped

    if not found:
        story("nothing of this fleet is there yet")
    lines = picture.drift_lines(place.fleet.name, place.fleet.environment, place.region, found)
    return "\n".join(wrapped(lines, WIDTH))
