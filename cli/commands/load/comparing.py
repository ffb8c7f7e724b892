"""`ops load compare`: what got better or worse between two runs that were kept."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import Output, document, emit
from cli.options import OutputOption
from infra.errors import GateFailed, Inconclusive

app = typer.Typer()


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A.json", help="The run before.")],
    b: Annotated[Path, typer.Argument(metavar="B.json", help="The run after.")],
    gate: Annotated[
        bool, typer.Option("--gate", help="End 3 if anything is worse, 5 if something is not known.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say of each figure of two runs whether it is better, worse, no different, or not known.

    A difference is told where its confidence interval leaves none, not where a percentage is large; "no difference"
    where it is surely within 5 % (of shares: one percentage point). A run whose client was INVALID tells nothing.

    Examples:
      $ ops load compare before.json after.json  # exit 2
    """
    from cli.commands.load.page import comparison_page
    from cli.commands.load.reading import kept
    from loadtests.report.compare import compare as compared

    found = compared(kept(a), kept(b))
    emit(document("LoadComparison", found.model_dump(mode="json")), output, lambda: comparison_page(found))
    if gate and found.verdict == "worse":
        worse = ", ".join(one.name for one in found.differences if one.verdict == "worse")
        raise GateFailed(f"B is worse: {worse}")
    if gate and found.verdict == "unknown":
        raise Inconclusive("the runs are too short, or their client too busy, to tell")
