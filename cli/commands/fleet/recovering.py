"""`ops fleet recover`: the ways out of a failure that the next `up` does not take by itself."""

from typing import Annotated, Any

import typer

from cli.commands.fleet.option import EmulatedOption, PlaceOption
from cli.console import Output, confirm, confirm_name, document, emit, grid, story
from cli.options import FleetOption, OutputOption, YesOption

app = typer.Typer(help="Ways out of a failure: a dead lock, a lost state.")

OneStackOption = Annotated[str, typer.Option("--stack", metavar="KIND", help="base, region, platform or edge.")]


@app.command()
def look(
    stack: OneStackOption,
    fleet: FleetOption = "demo",
    region: PlaceOption = None,
    emulated: EmulatedOption = False,
) -> None:
    """Take into a stack's state what is there.

    What `up` does by itself after a kill. A lock that a dead engine left is taken away; operations whose outcome is
    not known are looked up.

    Examples:
      $ ops fleet recover look --stack base --emulated
    """
    from cli import estate

    place, one = _place(fleet, region, stack, emulated)
    with place.runs.held(one):
        found = estate.engine(place).settle(one)
    story(f"{one.project} {one.name}: {found}")


@app.command()
def cancel(
    stack: OneStackOption,
    fleet: FleetOption = "demo",
    region: PlaceOption = None,
    emulated: EmulatedOption = False,
    yes: YesOption = False,
) -> None:
    """Take a lock away that another engine left.

    An engine that still works would be cut off: make sure that nobody works on the stack.

    Examples:
      $ ops fleet recover cancel --stack base --emulated --yes
    """
    from cli import estate

    place, one = _place(fleet, region, stack, emulated)
    story(f"take the lock of {one.project} {one.name} away, fleet {place.fleet.name}")
    confirm("is it sure that nobody works on it?", yes)
    with place.runs.held(one):
        estate.engine(place).cancel(one)
    story(f"next: {place.command('up')}, which looks first")


@app.command("import")
def import_(
    stack: OneStackOption,
    urn: Annotated[str, typer.Option("--urn", metavar="URN", help="The resource, as the failure names it.")],
    resource: Annotated[str, typer.Option("--id", metavar="ID", help="Its id in Azure.")],
    fleet: FleetOption = "demo",
    region: PlaceOption = None,
    emulated: EmulatedOption = False,
) -> None:
    """Take a resource into a state that does not know it.

    One whose creation began and whose outcome nobody heard. `up` does so by itself, with the id that follows from the
    resource's name; this is for one whose id does not.

    Examples:
      $ ops fleet recover import --stack base --urn u --id i --emulated  # exit 2
    """
    from cli import estate

    place, one = _place(fleet, region, stack, emulated)
    with place.runs.held(one):
        estate.engine(place).adopt(one, urn, resource)
    story(f"{resource} is in the state of {one.project} {one.name}; next: {place.command('up')}")


@app.command()
def restore(
    stack: OneStackOption,
    fleet: FleetOption = "demo",
    region: PlaceOption = None,
    emulated: EmulatedOption = False,
    run: Annotated[str | None, typer.Option("--before", metavar="RUN", help="A run; without it, list them.")] = None,
    name: Annotated[str | None, typer.Option("--confirm", metavar="NAME", help="The stack's name, typed.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Put the state of a stack back to before a run.

    For one that cannot be read any more. What was made since is not deleted: the next `up` looks, and takes it over or
    says what to import.

    Examples:
      $ ops fleet recover restore --stack base --emulated
    """
    from cli import estate

    place, one = _place(fleet, region, stack, emulated)
    engine = estate.engine(place)
    if run is None:
        kept = engine.versions(one)
        told = document("StackVersions", {"stack": one.reference, "before": kept})
        emit(told, output, lambda: grid(("STATE OF BEFORE",), [(each,) for each in kept]) if kept else "none was kept")
        return
    story(f"put the state of {one.project} {one.name} back to before {run}, fleet {place.fleet.name}")
    confirm_name("replace the state?", one.name, name)
    with place.runs.held(one):
        engine.restore(one, run)
    story(f"the state is as it was before {run}; next: {place.command('up')}, which looks first")


def _place(fleet: str, region: str | None, kind: str, emulated: bool) -> tuple[Any, Any]:
    """The estate and the one stack that a command line names. Raises NotInFleet where it must say the region."""
    from cli import estate

    place = estate.named(fleet, None if kind not in ("region", "platform") else region, kind, emulated)
    return place, estate.only(place)
