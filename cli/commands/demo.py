"""`ops demo`: the main job in two minutes, on this machine."""

from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import WIDTH, Output, document, emit, grid, story
from cli.options import OutputOption

if TYPE_CHECKING:
    from cli.showing import Show

app = typer.Typer(no_args_is_help=False)

INTRODUCTION = """\
Bellwether rolls releases of language models out by evidence, and back by
itself. Envoy, Prometheus, Alertmanager and the replayed trace are real here;
the model servers are simulated. Tolerances are wide because the time is short:
at 100 requests/s, to exclude five times as many errors takes about 20 s, to
exclude twice as many 100 s."""
INDENT = " " * 10


@app.command()
def demo(
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Where in the trace to start, and which requests fail.")
    ] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the region up at the end.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a good release promoted and two bad ones rolled back, on a local region under real traffic.

    Takes less than two minutes. Ends 3 if any of the three did not end as it must.

    Examples:
      $ ops demo --help
    """
    from cli.showing import play

    story(INTRODUCTION + "\n")
    show = play(seed, keep, _tell)
    story()
    emit(document("Demo", _data(show)), output, lambda: _table(show))
    story()
    for line in _ending(show, keep):
        story(line)


def _tell(text: str) -> None:
    """A line of the story, folded at 80 columns."""
    for line in wrap(text, WIDTH, subsequent_indent=INDENT, drop_whitespace=True) or [""]:
        story(line)


def _data(show: "Show") -> dict[str, Any]:
    from cli.rollouts import report

    scenes = [
        {
            **report.summary(one.state),
            "what": one.scene.what,
            "journal": str(one.journal),
            "bad": one.spent.bad,
        }
        for one in show.scenes
    ]
    return {"rollouts": scenes, "seconds": round(show.seconds, 1), "traffic": show.traffic.model_dump(mode="json")}


def _table(show: "Show") -> Any:
    from cli.rollouts import report

    rows = [
        (one.scene.version, one.state.phase, f"{one.seconds:.0f}", str(one.spent.bad), report.because(one.state))
        for one in show.scenes
    ]
    return grid(("release", "ended", "seconds", "bad", "because"), rows, right=("seconds", "bad"))


def _ending(show: "Show", keep: bool) -> list[str]:
    """What the traffic saw, where the journals are, and what to do next."""
    from cli.showing import program

    sent, reasons = show.traffic.arrivals.sent, show.traffic.client.reasons
    said = [f"{show.seconds:.0f} s in all; {sent:,} requests sent", *reasons]
    lines = ["; ".join(said[:1]), *(f"warning: {warning}" for warning in said[1:])]
    lines.append(f"journals  {show.scenes[0].journal.parent}")
    ops = f"OPS_STATE={show.state} {program()}"
    lines += [f"look back {ops} rollout history", f"          {ops} rollout explain RUN"]
    if keep:
        lines += [f"still up  {ops} local status", f"take down {ops} local down"]
    return lines
