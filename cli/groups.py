"""The command groups of `ops`: a table of names, each loaded when it is used. Knows no exit codes and does no work."""

import os
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_command_from_info, get_group

from cli import __version__

GROUPS = {
    "fleet": "Check, show, prove and provision the fleet.",
    "release": "List, compare and verify releases; show the one of record.",
    "local": "Bring a region of the fleet up on this machine, and down.",
    "load": "Replay real traffic and report what its clients saw.",
    "rollout": "Roll a release out by evidence, and back.",
    "demo": "Show a good release promoted and two bad ones rolled back.",
}
"""Group -> one line of help. A group is `app` in cli/commands/<group>.py; one command of the same name stands alone."""


class LazyGroup(TyperGroup):
    """Lists the groups from the table and imports only the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, line in GROUPS.items():
            self.add_command(TyperCommand(name, help=line))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, stub, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else stub, rest


def root() -> Any:
    """The command `ops` itself."""
    command = get_command(app)
    command.help = keep_examples(command.help or "")
    return command


def load(name: str) -> Any:
    """The command (or group of commands) `name` of the table, ready to run."""
    app: typer.Typer = import_module(f"cli.commands.{name}").app
    command = _single(app, name) or get_group(app)
    command.name = name
    _frame(command)
    return command


def invoke(arguments: list[str]) -> None:
    """Parse and run one command line. Lets every exception through."""
    command = root()
    with command.make_context("ops", arguments) as context:
        command.invoke(context)


def path(arguments: Sequence[str]) -> str:
    """The command that a command line is about, as people type it: `ops fleet show` of `fleet show -o`."""
    command, words = root(), ["ops"]
    for word in arguments:
        children = getattr(command, "commands", {})
        if word in children:
            command = load(word) if len(words) == 1 else children[word]
            words.append(word)
    return " ".join(words)


def _single(app: typer.Typer, name: str) -> Any:
    """The command itself where the app holds nothing but one command named as the app is (`ops demo`)."""
    commands = app.registered_commands
    if len(commands) != 1 or app.registered_groups or app.registered_callback:
        return None
    command = get_command_from_info(commands[0], pretty_exceptions_short=False, rich_markup_mode=None)
    return command if command.name == name else None


def _frame(command: Any) -> None:
    """Give a command and all below it plain help in which examples keep their lines."""
    command.rich_markup_mode = None
    command.help = keep_examples(command.help or "")
    if isinstance(command, TyperGroup):
        command.no_args_is_help = True
        for child in command.commands.values():
            _frame(child)


def keep_examples(text: str) -> str:
    r"""Mark every block of examples with \b, the sign for "do not wrap this paragraph again"."""
    return re.sub(r"(?m)(?<!\x08\n)^(?=[ \t]*Examples?:[ \t]*$)", "\b\n", text)


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ops {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    fleet: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The fleet to work on (also: OPS_FLEET; default: demo).")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The region to work on (also: OPS_REGION; default: the only one)."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Roll releases of language models out and back by evidence, and run the fleet they live on.

    Answers go to stdout, the story to stderr. Every command has --help with examples.

    Exit codes: 0 done; 1 our bug; 2 wrong input; 3 a gate said no; 4 refused; 5 not known;
    6 a dependency did not answer; 7 locked; 8 changes pending; 124 deadline; 130 interrupted.

    Examples:
      $ ops fleet show
      $ ops --fleet atlas fleet check
    """
    for name, value in (("OPS_FLEET", fleet), ("OPS_REGION", region)):
        if value is not None:
            os.environ[name] = value  # where the options of each command look
