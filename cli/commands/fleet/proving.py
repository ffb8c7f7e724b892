"""The commands of `ops fleet` that prove before anything is made: that it fits, and that data stay where they may."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Output, document, emit, grid, story
from cli.options import FleetOption, OutputOption

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from infra.release import Release

app = typer.Typer()


@app.command()
def preflight(
    fleet: FleetOption = "demo",
    live: Annotated[bool, typer.Option("--live", help="Ask Azure first, and write the limits file anew.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check that a fleet fits, and what it costs.

    Quota, sizes, zones, addresses, names and budget, from the limits file beside the fleet file; what it does not know
    is said, never guessed. Ends 3 when something does not fit, 5 when something is not known, else 0.

    Examples:
      $ ops fleet preflight
      $ ops fleet preflight --fleet atlas -o json  # exit 5
    """
    from datetime import date

    from cli.commands.fleet.page import page
    from infra.errors import GateFailed, Inconclusive
    from infra.fleet import locate, read_fleet
    from infra.preflight import capacity
    from infra.preflight.limits import limits_file, load_limits
    from infra.yamlfile.source import read

    path = locate(fleet)
    source = read(path)
    loaded = read_fleet(source)
    kept = limits_file(path)
    if live:
        _asked(loaded, kept)
    limits = load_limits(kept) if kept.exists() else None
    found = capacity.preflight(loaded, limits, source, _releases(loaded), date.today())
    told = {"fleet": loaded.name, "limits": str(kept) if limits else None, **found.document()}
    emit(document("FleetPreflight", told), output, lambda: page(found))
    if violations := found.of("violation"):
        what = f"the fleet {loaded.name} does not fit: {_count(violations, 'violation')}"
        raise GateFailed(what, not_done="nothing was changed", next="one of the fallbacks above, in the fleet file")
    if unknown := found.of("unknown"):
        what = f"{_count(unknown, 'thing')} not known of the limits of fleet {loaded.name}"
        raise Inconclusive(what, not_done="nothing was changed", next="ops fleet preflight --live asks Azure")


@app.command()
def residency(
    fleet: FleetOption = "demo",
    file_only: Annotated[
        bool, typer.Option("--file-only", help="Prove the fleet file, and not what its programs would deploy.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Prove that no data leave their residency group.

    Resources, replicas, backups, failover paths and log sinks: first as the fleet file has them, then in every request
    that the programs would send. Ends 3 with the path of each violation.

    Examples:
      $ ops fleet residency --file-only
      $ ops fleet residency --fleet atlas --file-only -o json
    """
    from infra.blueprint.placement import placements
    from infra.errors import GateFailed
    from infra.fleet import locate, read_fleet
    from infra.residency import proof as law
    from infra.yamlfile.source import read

    source = read(locate(fleet))
    loaded = read_fleet(source)
    placed = placements(loaded)
    violations = [str(one.problem(source)) for one in law.prove(loaded)]
    requests = [] if file_only else _rendered(fleet)
    violations += [str(one) for one in law.audit(loaded, requests)]
    rows = [{"name": one.name, "kind": one.kind, "location": one.location, "group": one.group} for one in placed]
    for row, one in zip(rows, placed, strict=True):
        row |= {"data": list(one.data), "copies": list(one.copies), "via": one.via}  # type: ignore[dict-item]
    told = {"fleet": loaded.name, "placements": rows, "requests": len(requests), "violations": violations}
    emit(document("FleetResidency", told), output, lambda: _places(rows))
    if violations:
        lines = "\n".join(["data would leave their residency group:", *(f"  {one}" for one in violations)])
        raise GateFailed(lines, not_done="nothing was changed", next="mend the fleet file, then ops fleet residency")
    story(f"proved: {len(rows)} places of data and {len(requests)} requests; none leaves its group")


def _rendered(fleet: str) -> list[Any]:
    """Every request that the programs would send."""
    from cli import estate

    place = estate.named(fleet, None, None, False)
    return [request for one in estate.rendered(place) for request in one.requests]


def _places(rows: list[dict[str, Any]]) -> Any:
    columns = ("GROUP", "WHAT", "KIND", "LOCATION", "COPIES", "DATA")
    table = [
        (
            row["group"],
            row["name"],
            row["kind"],
            row["location"],
            ", ".join(row["copies"]) or "-",
            ", ".join(row["data"]),
        )
        for row in sorted(rows, key=lambda row: (row["group"], row["location"], row["name"]))
    ]
    return grid(columns, table)


def _asked(fleet: "Fleet", path: Path) -> None:
    """Ask Azure for the limits and write them beside the fleet file."""
    import os
    import time
    from datetime import date

    from cli.commands.fleet.page import here
    from infra.azure.live import ask
    from infra.store import write_json

    story(f"asking Azure for the limits of fleet {fleet.name}")
    limits = ask(fleet, os.environ, time.sleep, date.today())
    write_json(path, limits.model_dump(mode="json", by_alias=True, exclude_none=True))
    story(f"written to {here(str(path))}")


def _releases(fleet: "Fleet") -> dict[str, "Release"]:
    """The release of record of each service; of several regions the first one's."""
    from cli.recovery import record_store
    from infra.release import ReleaseError, load_release

    record = record_store(fleet).read(fleet)
    releases = {}
    for service in fleet.services:
        with suppress(ReleaseError):  # a service without a manifest has no figures, and `release verify` says why
            version = record.release(service.name, fleet.regions_of(service.name)[0].name)
            releases[service.name] = load_release(service.name, version)
    return releases


def _count(found: Sequence[Any], what: str) -> str:
    return f"{len(found)} {what}{'' if len(found) == 1 else 's'}"
