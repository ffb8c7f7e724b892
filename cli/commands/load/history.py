"""`ops load history`: the loads of a fleet, from their journals. Reads files, sends nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Output, document, emit, grid, story
from cli.options import FleetOption, OutputOption, RegionOption

if TYPE_CHECKING:
    from cli.commands.load.past import Past
    from infra.fleet import Fleet

app = typer.Typer()


@app.command()
def history(
    service: Annotated[
        str | None, typer.Argument(metavar="[SERVICE]", help="One service, or `target`; all if not given.")
    ] = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the loads that were sent from this machine, the newest first: what, where, and what came of it.

    A load that is still sending is "under way"; one whose process was killed before it could end is "killed". Where a
    run was kept, its files are named. As JSON there is everything: order, outcomes, percentiles, verdict.

    Examples:
      $ ops load history
      $ ops load history chat -o json
    """
    from cli.commands.load.past import to_json
    from cli.commands.load.underway import archive
    from infra.fleet import load_fleet

    found = load_fleet(fleet)
    name = found.service(service).name if service not in (None, "target") else service
    where = found.region(region).name if region else None
    alive = _alive(found)
    loads, broken = archive(found).readable()
    alive |= _alive(found)  # one that ended meanwhile was alive at the first look
    shown = sorted((one for one in loads if _wanted(one, name, where)), key=lambda one: one.began, reverse=True)
    states = [one.how or ("under way" if one.run in alive else "killed") for one in shown]
    unreadable = [{"journal": str(one.path), "why": one.why} for one in broken]
    rows = [to_json(one, state) for one, state in zip(shown, states, strict=True)]
    emit(document("LoadHistory", {"loads": rows, "unreadable": unreadable}), output, lambda: _table(shown, states))
    for one in broken:
        story(f"not readable: {one.path}: {one.why}")


def _alive(fleet: "Fleet") -> set[str]:
    from cli.commands.load.underway import activity

    return {holder.doing.run for holder in activity(fleet).holders()}


def _wanted(load: "Past", service: str | None, region: str | None) -> bool:
    return service in (None, load.service) and (region is None or region in load.regions)


def _table(loads: "Sequence[Past]", states: Sequence[str]) -> Any:
    from rich.console import Group
    from rich.text import Text

    columns = ("BEGAN (UTC)", "WHAT", "SERVICE", "REGION", "SENT", "TTFT P99", "ENDED")
    rows = [_row(one, state) for one, state in zip(loads, states, strict=True)]
    kept = [f"written by that of {one.began:%Y-%m-%d %H:%M}: {file}" for one in loads for file in one.files]
    whole = [Text(line, no_wrap=True, overflow="ignore") for line in kept]  # a path is there to be copied
    return Group(grid(columns, rows, right=columns[4:6]), *whole) if rows else "no load yet"


def _row(load: "Past", state: str) -> tuple[str, ...]:
    from cli.commands.load.page import ms

    ended = state if state == "interrupted" else load.verdict or state
    invalid = ", INVALID" if load.client == "INVALID" else ""
    began, where = f"{load.began:%Y-%m-%d %H:%M}", ", ".join(load.regions) or "-"
    return began, load.command, load.service, where, f"{load.requests:,}", ms(load.ttft_p99), f"{ended}{invalid}"
