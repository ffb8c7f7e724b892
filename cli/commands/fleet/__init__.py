"""`ops fleet`: the fleet file, what it comes to, and the Azure that it is provisioned in."""

import typer

from cli.commands.fleet import changing, emulating, founding, looking, proving, reading, recovering, rendering, stacks

app = typer.Typer(no_args_is_help=True, help="Check and show the fleet file, prove it, and provision it in Azure.")
for part in (reading, proving, looking, changing, rendering, founding):
    app.add_typer(part.app)
app.add_typer(stacks.app, name="stacks")
app.add_typer(recovering.app, name="recover")
app.add_typer(emulating.app, name="emulate")
