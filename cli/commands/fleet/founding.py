"""`ops fleet bootstrap`: makes in Azure what Pulumi itself needs and cannot make."""

from typing import Annotated, Any

import typer

from cli.commands.fleet.option import EmulatedOption
from cli.console import Output, confirm, document, emit, story
from cli.options import FleetOption, OutputOption, YesOption

app = typer.Typer()


@app.command()
def bootstrap(
    fleet: FleetOption = "demo",
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="CIDR", help="A public address block that may reach state.")
    ] = None,
    emulated: EmulatedOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make in Azure what Pulumi itself needs.

    Where its state lies, and the key of its secrets. A resource group with a storage account (zone-redundant,
    versioned, Entra only), a container for the environment, a key vault with a key, and the administrators' roles.
    Safe to repeat: what is right stays. At the end it prints the two lines that plain `pulumi` needs; without --allow
    only private endpoints reach the account.

    Examples:
      $ ops fleet bootstrap --emulated  # exit 4
      $ ops fleet bootstrap --allow 10.0.0.1/99  # exit 2
    """
    from cli import founding
    from infra.errors import Refused

    if emulated:
        raise Refused(
            "the emulation keeps its state in a folder of its own and needs no storage account",
            not_done="nothing was made",
            next="ops fleet up --emulated",
        )
    wanted = founding.wanted(fleet, allow or [])
    azure = founding.azure(wanted.fleet)
    plan = founding.compare(wanted, azure)
    for line in founding.lines(wanted, plan):
        story(line)
    if plan.changing:
        confirm("make this?", yes)
        founding.make(wanted, plan, azure, story)
    emit(document("FleetBackend", _data(wanted)), output, lambda: "\n".join(_shell(wanted)))


def _data(wanted: Any) -> dict[str, Any]:
    made = wanted.foundation
    names = {"resourceGroup": made.group, "storageAccount": made.account, "container": made.container}
    return {"fleet": wanted.fleet.name, **names, "backend": made.backend, "secretsProvider": made.secrets}


def _shell(wanted: Any) -> list[str]:
    made = wanted.foundation
    return [
        f"export PULUMI_BACKEND_URL='{made.backend}'",
        f"pulumi stack init --secrets-provider '{made.secrets}' STACK",
    ]
