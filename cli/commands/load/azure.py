"""`ops load azure`: a load as a test of Azure Load Testing. Writes files, and asks nobody."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.load.option import (
    AllowOption,
    CeilingOption,
    CredentialOption,
    ModelOption,
    SeedOption,
    ServiceOption,
    TargetOption,
)
from cli.commands.load.ordering import Elsewhere, Given
from cli.console import Output, document, emit, story
from cli.directory import directory, writing
from cli.options import FleetOption, OutputOption

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from loadtests.package.azure import AzureTest

app = typer.Typer()


@app.command()
def azure(
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Where the test's files are written.")],
    service: ServiceOption = None,
    engines: Annotated[int, typer.Option(metavar="N", help="Test engines; each sends its share from one core.")] = 1,
    rate: Annotated[
        str | None, typer.Option(metavar="RATE", help="Requests of all engines: 100/s. Default: the profile's.")
    ] = None,
    duration: Annotated[str, typer.Option(metavar="TIME", help="How long to send: 5m; at most 24h.")] = "5m",
    profile: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Another load profile.")] = None,
    seed: SeedOption = 0,
    region: Annotated[
        list[str],
        typer.Option("--region", metavar="NAME", help="A region from which to send; several share the engines."),
    ] = [],  # noqa: B006 - typer's way to say none
    target: TargetOption = None,
    model: ModelOption = None,
    credential: CredentialOption = [],  # noqa: B006
    identity: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Of the managed identity that reads key vaults; else the resource's."),
    ] = None,
    allow_host: AllowOption = [],  # noqa: B006
    ceiling: CeilingOption = None,
    fleet: FleetOption = "demo",
    output: OutputOption = Output.TABLE,
) -> None:
    """Write a load as a test of Azure Load Testing: the same locustfile, its packages, the order and fail criteria.

    Nothing is sent now, and Azure is not asked. Each engine sends its share of the order as synthetic traffic, at the
    host that users call. A run fails by the service's objectives. Keys are references: keyvault:URL is read by the
    service, env:NAME is a secret of your pipeline.

    Examples:
      $ ops load azure --service chat --engines 2 --rate 100/s --duration 10m --out test
      $ ops load azure --service chat --engines 401 --out test  # exit 2
    """
    from cli.commands.load import ordering
    from infra.fleet import load_fleet

    found, where = load_fleet(fleet), directory(out)
    place = Elsewhere(target or "", model, tuple(allow_host), tuple(credential), ordering.ceiling(ceiling))
    given = Given(
        service=service,
        duration=ordering.duration(duration),
        seed=seed,
        rate=ordering.rate("--rate", rate, max(1, engines)),
        profile=profile,
        region=region[0] if len(region) == 1 else None,
    )
    test, files = _write(found, given, place, region, engines, identity, where)
    emit(document("LoadAzure", _data(test, files)), output, lambda: _page(test, files))


def _write(
    fleet: "Fleet", given: Given, place: Elsewhere, names: list[str], engines: int, identity: str | None, out: Path
) -> tuple["AzureTest", list[Path]]:
    from cli.commands.load.leaving import leaving, regions
    from loadtests.package.azure import AzureTest, secrets
    from loadtests.package.carried import carried
    from loadtests.package.writing import write

    where = regions(fleet, given.service, names) if given.service else ()
    hosts = sorted({one.residency for one in where})
    order, trace = carried(leaving(fleet, given, place, hosts), ".")
    order, vault = secrets(order)
    promised = fleet.service(order.service).objectives
    test = AzureTest(order, engines, promised, tuple(one.location for one in where) if names else (), identity)
    with writing():
        return test, write(test, vault, trace, out)


def _data(test: "AzureTest", files: list[Path]) -> dict[str, Any]:
    from loadtests.package.azure import criteria

    facts = {"testId": test.id, "url": test.order.url, "engines": test.engines, "regions": list(test.locations)}
    failing = criteria(test.order.service, test.objectives)
    return {**facts, "duration": test.order.duration, "criteria": failing, "files": [str(path) for path in files]}


def _page(test: "AzureTest", files: list[Path]) -> str:
    from loadtests.package.azure import DEFAULT_HOURS, HOURS, criteria

    if (test.order.duration or 0) > DEFAULT_HOURS * 3600:
        story(f"more than {DEFAULT_HOURS} hours: subscriptions begin with that, and may be given up to {HOURS}")
    story("nothing was sent; `az load test create --load-test-config-file` or your pipeline takes loadtest.yaml")
    load = test.order.load
    rate = f"{load.mean:g}/s" if load.mean else "the pace of its profile"
    failing = [
        f"  fails if {name}: {text}"
        for one in criteria(test.order.service, test.objectives)
        for name, text in one.items()
    ]
    head = f"{test.id}: {test.engines} engines, together {rate} for {test.order.duration:g} s at {test.order.url}"
    return "\n".join([head, *failing, *(f"  {path} ({path.stat().st_size:,} bytes)" for path in files)])
