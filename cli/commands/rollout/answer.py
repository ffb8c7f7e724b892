"""What the commands of `ops rollout` have in common: how they are asked, and how the end of a run is told."""

from typing import Annotated, Any

import typer

from cli.console import Output, document, emit

ServiceArgument = Annotated[str, typer.Argument(metavar="SERVICE", help="The service, as the fleet names it.")]
ServiceOrAll = Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="One service; all if not given.")]
TimeoutOption = Annotated[
    str | None, typer.Option("--timeout", metavar="DURATION", help="Stop watching after this time (exit 124).")
]


def seconds(text: str | None) -> float | None:
    """The seconds of an option such as 5m, None where it was not given. Raises BadParameter."""
    from pydantic import TypeAdapter, ValidationError

    from infra.units import Duration

    if text is None:
        return None
    try:
        seconds = float(TypeAdapter(Duration).validate_python(text))
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="--timeout") from error
    if seconds <= 0:
        raise typer.BadParameter("give more than zero, such as 5m", param_hint="--timeout")
    return seconds


def ended(place: Any, state: Any, run: Any, output: Output) -> None:
    """Print what came of it; a rollback is exit 3."""
    from cli import steering

    shown(state, run, output)
    steering.finish(place, state)


def shown(state: Any, run: Any, output: Output) -> None:
    """Print what came of a run."""
    from cli.rollouts import report

    events = run.journal.events()
    data = document("Rollout", {**report.summary(state), "journal": str(run.journal.path)})
    answer(data, output, report.outcome(state, events, str(run.journal.path)))


def answer(data: dict[str, Any], output: Output, lines: list[str]) -> None:
    """For machines as they asked; for people in 80 columns, but for paths: those stay whole, to be copied."""
    from cli.console import WIDTH
    from cli.screen import wrapped

    if output is Output.TABLE:
        print("\n".join(wrapped(lines, WIDTH)), flush=True)
    else:
        emit(data, output)
