"""The options that commands share, declared once. Reads nothing and prints nothing."""

from typing import Annotated

import typer

from cli.console import Output

FleetOption = Annotated[
    str,
    typer.Option("--fleet", envvar="OPS_FLEET", metavar="NAME|FILE", show_default=True, help="The fleet to work on."),
]
"""Use as `fleet: FleetOption = "demo"`."""

RegionOption = Annotated[
    str | None,
    typer.Option("--region", envvar="OPS_REGION", metavar="NAME", help="The region; the only one if not given."),
]
"""Use as `region: RegionOption = None`."""

OutputOption = Annotated[
    Output,
    typer.Option("--output", "-o", metavar="table|json|yaml", case_sensitive=False, help="The form of the answer."),
]
"""Use as `output: OutputOption = Output.TABLE`."""

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")]
"""Use as `yes: YesOption = False`."""
