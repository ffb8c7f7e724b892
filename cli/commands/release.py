"""`ops release`: lists, shows, compares and verifies releases, and says which is of record. Parses, calls, prints."""

from typing import Annotated, Any

import typer

from cli.console import Output, document, emit, grid
from cli.options import FleetOption, OutputOption, RegionOption

app = typer.Typer(no_args_is_help=True, help="List, compare and verify releases; show the one of record.")

SHORT = 19  # characters of a digest that people compare: sha256: and 12 more

Service = Annotated[str, typer.Argument(metavar="SERVICE", help="The service.")]
Version = Annotated[str, typer.Argument(metavar="VERSION|FILE", help="A version, or the file of a manifest.")]


@app.command("list")
def list_(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="Only this service.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the releases there are, oldest first.

    Examples:
        $ ops release list
        $ ops release list chat -o json
    """
    from infra.release import load_release, versions

    found = [load_release(name, version) for name in _services(service) for version in versions(name)]
    rows = [{"service": r.service, "version": r.version, "digest": r.digest(), "summary": r.summary} for r in found]
    emit(document("ReleaseList", {"releases": rows}), output, lambda: _listed(rows))


@app.command()
def show(service: Service, version: Version, output: OutputOption = Output.TABLE) -> None:
    """Show everything in a release, with its digest.

    Examples:
        $ ops release show chat v2
        $ ops release show chat infra/releases/chat/v2.yaml -o json
    """
    from infra.release import load_release

    release = load_release(service, version)
    data = release.model_dump(mode="json", by_alias=True)
    data.pop("apiVersion")
    emit(document("Release", {**data, "digest": release.digest()}), output)


@app.command()
def diff(
    service: Service,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A version, or the file of a manifest.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another one.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what differs between two releases.

    Field by field. Ends with 8 where anything differs.

    Examples:
        $ ops release diff chat v1 v2  # exit 8
        $ ops release diff chat v2 v2
    """
    from infra.errors import Pending
    from infra.release import diff as differing
    from infra.release import load_release

    changes = [
        {"field": field, "old": before, "new": after}
        for field, before, after in differing(load_release(service, old), load_release(service, new))
    ]
    data = {"service": service, "old": old, "new": new, "changes": changes}
    emit(document("ReleaseDiff", data), output, lambda: _changed(changes) if changes else "no difference")
    if changes:
        raise Pending(f"{service} {old} and {new} differ in {len(changes)} fields")


@app.command()
def verify(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="Only this service.")] = None,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION|FILE]", help="Only this release.")] = None,
    fleet: FleetOption = "demo",
    output: OutputOption = Output.TABLE,
) -> None:
    """Verify that releases may meet users.

    A manifest must be valid, named for its version and carry evidence, and its service must be in the fleet. Without
    arguments, all releases of the fleet's services are verified. What is wrong is listed, and it ends with 3.

    Examples:
        $ ops release verify
        $ ops release verify chat v2 -o json
        $ ops release verify --fleet atlas
    """
    from infra.errors import GateFailed
    from infra.fleet import load_fleet
    from infra.release import versions

    loaded = load_fleet(fleet)
    names = [item.name for item in loaded.services] if service is None else [loaded.service(service).name]
    wanted = [(name, which) for name in names for which in (versions(name) if version is None else [version])]
    rows = [_verified(name, which) for name, which in wanted]
    emit(document("ReleaseVerification", {"releases": rows}), output, lambda: _verdicts(rows))
    if problems := [problem for row in rows for problem in row["problems"]]:
        raise GateFailed("\n".join(problems), not_done="nothing was changed")


@app.command()
def current(fleet: FleetOption = "demo", region: RegionOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show which release each service has in each region.

    That is the release of record: what the last rollout left, or what the fleet file says where there was none.

    Examples:
        $ ops release current
        $ ops release current --fleet atlas --region westeurope -o json
    """
    from cli.recovery import record_store
    from infra.fleet import load_fleet

    loaded = load_fleet(fleet)
    record = record_store(loaded).read(loaded)
    only = None if region is None else loaded.region(region).name
    rows = [
        _kept(record, service.name, place.name)
        for service in loaded.services
        for place in loaded.regions_of(service.name)
        if only in (None, place.name)
    ]
    emit(document("ReleasesOfRecord", {"fleet": loaded.name, "releases": rows}), output, lambda: _current(rows))


def _services(service: str | None) -> list[str]:
    """The services to list. Raises UnknownRelease for one that has no releases."""
    from infra.release import known_service, services

    return services() if service is None else [known_service(service)]


def _verified(service: str, version: str) -> dict[str, Any]:
    """What verifying one release found; an invalid manifest is a finding like others."""
    from infra.release import locate, read_release, verify
    from infra.yamlfile.problem import SourceError
    from infra.yamlfile.source import read

    digest = None
    try:
        source = read(locate(service, version))
        release = read_release(source, service)
        problems, version, digest = verify(source, release), release.version, release.digest()
    except SourceError as error:
        problems = error.problems
    return {
        "service": service,
        "version": version,
        "digest": digest,
        "problems": [str(problem) for problem in problems],
    }


def _kept(record: Any, service: str, region: str) -> dict[str, Any]:
    entry = record.entry(service, region)
    said = {"by": entry.run or "a person", "at": entry.at} if entry else {"by": "the fleet file", "at": None}
    return {"service": service, "region": region, "release": record.release(service, region), **said}


def _listed(rows: list[dict[str, Any]]) -> Any:
    cells = [(row["service"], row["version"], row["digest"][:SHORT], row["summary"]) for row in rows]
    return grid(("SERVICE", "VERSION", "DIGEST", "SUMMARY"), cells)


def _changed(changes: list[dict[str, Any]]) -> Any:
    cells = [(change["field"], _value(change["old"]), _value(change["new"])) for change in changes]
    table = grid(("FIELD", "OLD", "NEW"), cells)
    table.columns[0].no_wrap = True  # values may be folded, the name of a field must be readable
    return table


def _value(value: Any) -> str:
    """A value in a cell: `-` where there is none, the beginning of a long one."""
    text = str(value) if value not in (None, [], {}) else "-"
    return text if len(text) <= SHORT else text[: SHORT - 3] + "..."


def _verdicts(rows: list[dict[str, Any]]) -> Any:
    cells = [(row["service"], row["version"], (row["digest"] or "-")[:SHORT], _verdict(row)) for row in rows]
    return grid(("SERVICE", "VERSION", "DIGEST", "RESULT"), cells)


def _verdict(row: dict[str, Any]) -> str:
    number = len(row["problems"])
    return "ok" if not number else f"{number} problem{'s' * (number > 1)}"


def _current(rows: list[dict[str, Any]]) -> Any:
    cells = [(row["service"], row["region"], row["release"], row["by"], row["at"] or "-") for row in rows]
    return grid(("SERVICE", "REGION", "RELEASE", "SAID BY", "SINCE"), cells)
