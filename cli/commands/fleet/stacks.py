"""`ops fleet stacks`: the Pulumi stacks that a fleet comes to, and their configuration for plain `pulumi`."""

from typing import TYPE_CHECKING, Any

import typer

from cli.console import Output, document, emit, grid, story
from cli.options import FleetOption, OutputOption

if TYPE_CHECKING:
    from cli.estate import Estate

app = typer.Typer(help="The Pulumi stacks of a fleet, for plain `pulumi`.")


@app.command("list")
def list_(fleet: FleetOption = "demo", output: OutputOption = Output.TABLE) -> None:
    """List the stacks of a fleet in the order they are made.

    Examples:
      $ ops fleet stacks list
      $ ops fleet stacks list --fleet atlas -o json
    """
    from cli import estate

    place = estate.named(fleet, None, None, False)
    rows = [_row(place, stack) for stack in place.everything]
    columns = ("KIND", "REGION", "PROJECT", "STACK", "NEEDS")
    table = [(*(row[name] for name in ("kind", "region", "project", "stack")), _needs(row["needs"])) for row in rows]
    emit(document("FleetStacks", {"fleet": place.fleet.name, "stacks": rows}), output, lambda: grid(columns, table))


@app.command()
def write(fleet: FleetOption = "demo", output: OutputOption = Output.TABLE) -> None:
    """Write Pulumi.<stack>.yaml beside each program.

    For plain `pulumi up -s <stack>`. The files name the fleet file and the region, so they cannot go stale; what
    Pulumi keeps in them stays.

    Examples:
      $ ops fleet stacks write --fleet no-such-fleet  # exit 2
    """
    from cli import estate

    place = estate.named(fleet, None, None, False)
    written = estate.write_stacks(place)
    files = [str(path) for path in written]
    emit(document("FleetStackFiles", {"fleet": place.fleet.name, "files": files}), output, lambda: "\n".join(files))
    story(f"{len(written)} written; ops fleet bootstrap prints the backend that they need")


def _row(place: "Estate", stack: Any) -> dict[str, Any]:
    from infra.blueprint.stack import needs

    behind = [one.reference for one in needs(stack, place.everything)]
    what = {"kind": stack.kind, "region": stack.region, "project": stack.project, "stack": stack.name}
    return {**what, "folder": stack.folder, "needs": behind}


def _needs(behind: list[str]) -> str:
    return ", ".join(dict.fromkeys(one.split("/")[1].removeprefix("fleet-") for one in behind)) or "-"
