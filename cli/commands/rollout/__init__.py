"""`ops rollout`: roll a release out by evidence, watch it, stop it, explain it."""

import typer

from cli.commands.rollout import acting, reading

app = typer.Typer(help="Roll a release out by evidence, and back.")
app.add_typer(acting.app)
app.add_typer(reading.app)
