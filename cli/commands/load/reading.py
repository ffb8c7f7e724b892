"""`ops load report` and `profiles`: what was found, and what could be sent. Reads files, sends nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.load.option import JunitOption, PageOption
from cli.console import Output, document, emit, grid
from cli.options import FleetOption, OutputOption
from infra.errors import InvalidInput

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from infra.load_profile import LoadProfile
    from loadtests.report.run_file import Run

app = typer.Typer()


@app.command()
def report(
    run: Annotated[Path | None, typer.Argument(metavar="RUN.json", help="A run that `--save` kept.")] = None,
    page: PageOption = None,
    junit: JunitOption = None,
    schema: Annotated[bool, typer.Option("--schema", help="Show the JSON Schema of a report instead.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the report of a run that was kept, or write it as a page or JUnit.

    Examples:
      $ ops load report --schema
      $ ops load report no-such-run.json  # exit 2
    """
    from cli.commands.load import pressing
    from loadtests.report.load_report import LoadReport

    if schema:
        emit(LoadReport.model_json_schema(), Output.JSON if output is Output.TABLE else output)
        return
    if run is None:
        raise InvalidInput("say which run: a file that `ops load run --save FILE` wrote", next="ops load report --help")
    found = kept(run)
    pressing.keep(found, page=page, junit=junit)
    pressing.answer(found, output)


@app.command()
def profiles(fleet: FleetOption = "demo", output: OutputOption = Output.TABLE) -> None:
    """List the load profiles of the fleet: when requests come, how many, and which services they stand for.

    Examples:
      $ ops load profiles
      $ ops load profiles --fleet atlas -o json
    """
    from infra.fleet import load_fleet

    found = load_fleet(fleet)
    rows = [_profile(found, one) for one in found.load_profiles]
    emit(document("LoadProfiles", {"profiles": rows}), output, lambda: _table(rows))


def kept(path: Path) -> "Run":
    """The run that a file holds. Raises InvalidInput for anything else."""
    from infra.store import read_json
    from loadtests.report.run_file import read_run

    data = read_json(path)
    if data is None:
        raise InvalidInput(f"there is no run {path}", next="ops load run --save FILE.json keeps one")
    return read_run(data, str(path))


def _profile(fleet: "Fleet", profile: "LoadProfile") -> dict[str, Any]:
    from cli.commands.load.guard import peak

    users = [service.name for service in fleet.services if service.load == profile.name]
    shape = profile.model_dump(mode="json", exclude_none=True, by_alias=True)
    return {**shape, "peak": round(peak(profile), 3), "services": users}


def _table(rows: list[dict[str, Any]]) -> Any:
    columns = ("PROFILE", "REQUESTS", "PEAK/S", "SERVICES", "WHAT FOR")
    shown = [
        (
            row["name"],
            _when(row),
            f"{row['peak']:g}" if row["peak"] else "-",
            ", ".join(row["services"]),
            row.get("description", ""),
        )
        for row in rows
    ]
    return grid(columns, shown, right=("PEAK/S",))


def _when(row: dict[str, Any]) -> str:
    """When requests come, in a word or two."""
    kind = next(name for name in ("trace", "diurnal", "step", "curve", "closed", "rate") if name in row)
    match kind:
        case "trace":
            return f"trace {row['trace']} {row.get('rate') or row.get('speed')}"
        case "rate":
            return f"{row.get('arrivals', 'poisson')} {row['rate']}"
        case "closed":
            return f"{row['closed']['streams']} streams"
        case _:
            return kind
