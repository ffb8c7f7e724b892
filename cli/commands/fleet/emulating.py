"""`ops fleet emulate`: be the others in an emulated subscription: break a call, change a resource behind our back."""

from typing import Annotated, Any

import typer

from cli.console import Output, document, emit, grid, story
from cli.options import FleetOption, OutputOption

app = typer.Typer(help="Try faults and drift where it is emulated.")

ResourceArgument = Annotated[str, typer.Argument(metavar="RESOURCE", help="An id, or the end of one: a name.")]


@app.command()
def show(
    resource: Annotated[
        str | None, typer.Argument(metavar="[RESOURCE]", help="One resource; all if not given.")
    ] = None,
    fleet: FleetOption = "demo",
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what is in the emulated subscription.

    Examples:
      $ ops fleet emulate show
    """
    from cli import emulating, estate

    place = estate.named(fleet, None, None, True)
    found = emulating.resources(place)
    if resource is not None:
        name = emulating.resource(found, resource)
        emit(document("EmulatedResource", {"id": name, "body": found[name]}), output)
        return
    rows = [{"id": name, "type": body.get("type", ""), "name": body.get("name", "")} for name, body in found.items()]
    told = document("EmulatedSubscription", {"fleet": place.fleet.name, "resources": rows})
    emit(told, output, lambda: _table(rows) if rows else "nothing is there; ops fleet up --emulated makes it")


@app.command()
def change(
    resource: ResourceArgument,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A property, such as properties.provisioningState.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its new value, as JSON or as text.")],
    fleet: FleetOption = "demo",
) -> None:
    """Change a property outside of Pulumi, as a person in the portal would: `ops fleet drift` finds it.

    Examples:
      $ ops fleet emulate change no-such-resource tags.owner me  # exit 2
    """
    from cli import emulating, estate

    place = estate.named(fleet, None, None, True)
    name = emulating.changed(place, resource, path, value)
    story(f"{path} of {name} is {value} now; see: ops fleet drift --emulated")


@app.command()
def fault(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="How the call fails; --help lists them.")],
    at: Annotated[int, typer.Option("--at", min=0, metavar="N", help="The N-th call that changes something.")] = 0,
    match: Annotated[
        str, typer.Option("--match", metavar="REGEX", help='Or the first that matches: "PUT .*pools".')
    ] = "",
    fleet: FleetOption = "demo",
) -> None:
    """Let one call fail that the next `up` makes.

    conflict (409), throttled (429), internal (500 after the effect), timeout, allocation, quota, or crash (of the
    provider).

    Examples:
      $ ops fleet emulate fault quota --match "PUT .*agentPools"
      $ ops fleet emulate fault rain --at 3  # exit 2
    """
    from cli import emulating, estate

    place = estate.named(fleet, None, None, True)
    emulating.broken(place, kind, at, match)
    story(
        f"{f'call {at}' if at else f'the first call that matches {match}'} meets {kind}; try: ops fleet up --emulated"
    )


def _table(rows: list[dict[str, Any]]) -> Any:
    return grid(("TYPE", "NAME"), [(row["type"].removeprefix("Microsoft."), row["name"]) for row in rows])
