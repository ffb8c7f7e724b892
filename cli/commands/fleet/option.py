"""The options that the provisioning commands of `ops fleet` share. Reads nothing and prints nothing."""

from typing import Annotated

import typer

PlaceOption = Annotated[
    str | None,
    typer.Option("--region", envvar="OPS_REGION", metavar="NAME", help="One region; all if not given."),
]
"""Use as `region: PlaceOption = None`."""

StackOption = Annotated[
    str | None,
    typer.Option("--stack", metavar="KIND", help="base, region, platform or edge; all if not given."),
]
"""Use as `stack: StackOption = None`."""

EmulatedOption = Annotated[
    bool, typer.Option("--emulated", help="In an emulated subscription on this machine; Azure is not asked.")
]
"""Use as `emulated: EmulatedOption = False`."""

NameOption = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="The name that would have to be typed; for scripts."),
]
"""Use as `name: NameOption = None`."""
