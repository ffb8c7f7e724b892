"""`ops fleet render`: what would be deployed, as files for reviewers and scanners."""

from typing import Annotated

import typer

from cli.console import Output, document, emit, grid, story
from cli.directory import directory
from cli.options import FleetOption, OutputOption

app = typer.Typer()


@app.command()
def render(
    out: Annotated[
        str, typer.Option("--out", metavar="DIR", help="Where the files go; what is ours there is replaced.")
    ],
    by_scope: Annotated[
        bool,
        typer.Option(
            "--by-scope",
            help="A template for each resource group and one for the subscription, for scanners that do not look into "
            "nested deployments.",
        ),
    ] = False,
    fleet: FleetOption = "demo",
    output: OutputOption = Output.TABLE,
) -> None:
    """Write what would be deployed, for reviewers.

    One ARM template per stack, for the subscription, with what lies in resource groups as nested deployments; and one
    YAML file per cluster. Nothing is asked and nothing is deployed; the same fleet file gives the same bytes.

    Examples:
      $ ops fleet render --out rendered
      $ ops fleet render --out rendered-by-scope --by-scope
      $ ops fleet render --out rendered --fleet no-such-fleet  # exit 2
    """
    from cli import estate

    place, where = estate.named(fleet, None, None, False), directory(out)
    rendered = estate.rendered(place)
    estate.write_rendered(rendered, where, by_scope)
    rows = [
        {"stack": one.stack.reference, "resources": len(one.requests), "objects": len(one.objects)} for one in rendered
    ]
    table = [tuple(row.values()) for row in rows]
    told = document("FleetRendering", {"fleet": place.fleet.name, "directory": str(where.absolute()), "stacks": rows})
    emit(told, output, lambda: grid(("STACK", "RESOURCES", "OBJECTS"), table, right=("RESOURCES", "OBJECTS")))
    story(f"written to {out}")
