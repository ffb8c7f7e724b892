"""The commands of `ops fleet` that change Azure: make what the fleet file says, and take it away."""

from typing import Annotated, Any

import typer

from cli.commands.fleet.option import EmulatedOption, NameOption, PlaceOption, StackOption
from cli.console import WIDTH, Output, confirm, confirm_name, document, emit, grid, story
from cli.options import FleetOption, OutputOption, YesOption

app = typer.Typer()


@app.command()
def up(
    fleet: FleetOption = "demo",
    region: PlaceOption = None,
    stack: StackOption = None,
    emulated: EmulatedOption = False,
    details: Annotated[bool, typer.Option("--details", help="Name every resource in the plan.")] = False,
    yes: YesOption = False,
    name: NameOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make Azure what the fleet file says.

    Stack by stack, after showing the plan. Where something protected would be replaced or deleted, the stack's name
    must be typed (for scripts: --confirm). What a killed run left is looked at first. Ctrl-C ends what is under way;
    the same command goes on from there.

    Examples:
      $ ops fleet up --emulated --yes
      $ ops fleet up --region nowhere  # exit 2
    """
    from cli import estate, provisioning
    from cli.provision import picture

    place = estate.named(fleet, region, stack, emulated)
    engine = estate.engine(place)
    provisioning.settle(place, engine)
    work, planned = provisioning.plan_up(place, engine)
    if not planned.changing:
        story(picture.head(planned))
        emit(_answer(place, planned, None), output, lambda: "nothing to change")
        return
    _asked(planned, details, "do this?", yes, name, emulated)
    _carried_out(place, engine, work, planned, output)


@app.command()
def destroy(
    fleet: FleetOption = "demo",
    region: PlaceOption = None,
    stack: StackOption = None,
    emulated: EmulatedOption = False,
    yes: YesOption = False,
    name: NameOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Take away what `up` made.

    In reverse order, also what is protected. The fleet's name must be typed (for scripts: --confirm NAME); in an
    emulation --yes is enough.

    Examples:
      $ ops fleet destroy --emulated --yes
      $ ops fleet destroy --emulated --stack nothing  # exit 2
    """
    from cli import estate, provisioning

    place = estate.named(fleet, region, stack, emulated)
    engine = estate.engine(place)
    provisioning.settle(place, engine)
    work, planned = provisioning.plan_destroy(place, engine)
    if not work:
        emit(_answer(place, planned, None), output, lambda: "nothing is there")
        return
    _asked(planned, False, "destroy all of this?", yes, name, emulated)
    _carried_out(place, engine, work, planned, output)


def _asked(planned: Any, details: bool, question: str, yes: bool, name: str | None, emulated: bool) -> None:
    """Show the plan and get a yes, or the name where that is not enough. Raises Refused."""
    from cli.provision import picture
    from cli.screen import wrapped

    for line in wrapped(picture.lines(planned, details), WIDTH):
        story(line)
    if planned.must_be_typed and not (emulated and yes):
        confirm_name(question, planned.must_be_typed, name)
    else:
        confirm(question, yes or (name is not None and name == planned.must_be_typed))


def _carried_out(place: Any, engine: Any, work: Any, planned: Any, output: Output) -> None:
    """Do it and print what came of it; what did not come to its end is an error."""
    from cli import provisioning

    run, end = provisioning.carry_out(place, engine, work, planned)
    changes = provisioning.finish(place, planned, end).changes
    emit(_answer(place, planned, run, changes), output, lambda: _table(place, planned, changes, run))


def _answer(place: Any, planned: Any, run: str | None, changes: Any = None) -> dict[str, Any]:
    what = {"operation": planned.operation, "fleet": planned.fleet, "region": planned.region}
    journal = str(place.runs.journal(run).path) if run else None
    stacks = [{"stack": name, "changes": counted} for name, counted in (changes or {}).items()]
    return document(
        "FleetRun", {**what, "emulated": planned.emulated, "run": run, "journal": journal, "stacks": stacks}
    )


def _table(place: Any, planned: Any, changes: Any, run: str) -> Any:
    from rich.console import Group

    rows = [
        (stack.title, stack.name, ", ".join(f"{op} {number}" for op, number in counted.items()) or "unchanged")
        for stack, counted in zip(planned.stacks, changes.values(), strict=True)
    ]
    return Group(grid(("STACK", "NAME", "DONE"), rows), f"journal {place.runs.journal(run).path}")
