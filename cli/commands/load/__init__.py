"""`ops load`: send traffic that stands for users, and say what its clients saw."""

import typer

from cli.commands.load import (
    accept,
    azure,
    comparing,
    gate,
    history,
    kubernetes,
    reading,
    regions,
    running,
    search,
)

app = typer.Typer(help="Send traffic that stands for users, and report what its clients saw.", no_args_is_help=True)
for part in (running, regions, search, gate, accept, reading, comparing, history, kubernetes, azure):
    app.add_typer(part.app)


@app.callback()
def _group() -> None:
    """Send traffic that stands for users, and report what its clients saw.

    Examples:
      $ ops load run --service chat --rate 20/s --duration 2s  # needs region
      $ ops load profiles
    """
