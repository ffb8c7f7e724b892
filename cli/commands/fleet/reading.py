"""The commands of `ops fleet` that read the fleet file: check it, show it, its schema."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Output, document, emit, grid, story
from cli.options import FleetOption, OutputOption, RegionOption

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from infra.region import Pool, Region
    from infra.service import Service

app = typer.Typer()


@app.command()
def check(
    file: Annotated[str | None, typer.Argument(metavar="NAME|FILE", help="A fleet; else that of --fleet.")] = None,
    fleet: FleetOption = "demo",
    output: OutputOption = Output.TABLE,
) -> None:
    """Check a fleet file.

    Every problem is told with line, column and what would be right; else a short summary is. The first release of each
    service must be there and valid.

    Examples:
        $ ops fleet check
        $ ops fleet check infra/fleets/atlas.yaml
        $ ops fleet check atlas -o json
        $ ops fleet check no-such-file.yaml  # exit 2
    """
    from infra.fleet import FleetError, locate, read_fleet
    from infra.release import unreleased
    from infra.yamlfile.source import read

    path = locate(fleet if file is None else file)
    source = read(path)
    loaded = read_fleet(source)
    if problems := unreleased(loaded, source):
        raise FleetError(problems, not_done="nothing was done", next="ops release list")
    summary = _summary(loaded)
    emit(
        document("FleetCheck", {"file": str(path), **summary}),
        output,
        lambda: f"{_here(path)}: ok\n{_sentence(summary)}",
    )


@app.command()
def show(fleet: FleetOption = "demo", region: RegionOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show what a fleet comes to, or one region of it.

    With -o yaml or json, also every value that the file leaves to a default.

    Examples:
        $ ops fleet show
        $ ops fleet show --fleet atlas --region westeurope
        $ ops fleet show --fleet atlas -o json
    """
    from infra.fleet import load_fleet

    loaded = load_fleet(fleet)
    if region is not None:
        loaded = _only(loaded, region)
    data = loaded.model_dump(mode="json", by_alias=True)
    data.pop("apiVersion")
    emit(document("Fleet", data), output, lambda: _tables(loaded))


@app.command()
def schema() -> None:
    """Print the JSON Schema of fleet files.

    With it, an editor completes keys, explains them and marks what is wrong.

    Examples:
        $ ops fleet schema
    """
    from infra import fleet

    emit(fleet.schema(), Output.JSON)
    story("save it and begin a fleet file with: # yaml-language-server: $schema=fleet.schema.json")


def _only(fleet: "Fleet", name: str) -> "Fleet":
    """The fleet as one region has it: that region, and the services that run there."""
    region = fleet.region(name)
    services = tuple(service for service in fleet.services if region.pool(service.pool))
    return fleet.model_copy(update={"regions": (region,), "services": services})


def _summary(fleet: "Fleet") -> dict[str, Any]:
    return {
        "name": fleet.name,
        "environment": fleet.environment,
        "regions": len(fleet.regions),
        "services": len(fleet.services),
        "objectives": sum(len(service.objectives) for service in fleet.services),
        "people": len(fleet.on_call.people),
        "gpus": sum(pool.nodes.max * pool.size.count for region in fleet.regions for pool in region.pools),
    }


def _sentence(summary: dict[str, Any]) -> str:
    counts = [_count(summary[what], what) for what in ("regions", "services", "objectives")]
    name = f"fleet {summary['name']} ({summary['environment']})"
    return f"{name}: {', '.join(counts)}, up to {summary['gpus']:,} GPUs"


def _here(path: Path) -> str:
    """A path as short as it may be from here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _count(number: int, what: str) -> str:
    one = {"people": "person"}.get(what, what.removesuffix("s"))
    return f"{number} {what if number != 1 else one}"


def _tables(fleet: "Fleet") -> Any:
    from rich.console import Group

    head = f"fleet {fleet.name}, environment {fleet.environment}, owner {fleet.owner}"
    tables = (_regions(fleet), _pools(fleet), _services(fleet), _objectives(fleet), _rollouts(fleet), _people(fleet))
    return Group(head, *(line for table in tables for line in ("", table)), "", _money(fleet))


def _regions(fleet: "Fleet") -> Any:
    columns = ("REGION", "LOCATION", "DATA", "ADDRESSES", "ZONES", "FAILS OVER TO", "FLOOR")
    return grid(columns, [_region(region) for region in fleet.regions])


def _region(region: "Region") -> tuple[str, ...]:
    from infra.units import format_ratio

    zones, failover = ",".join(map(str, region.zones)) or "-", ", ".join(region.failover) or "-"
    place = (region.name, region.location, region.residency, str(region.address_space))
    return (*place, zones, failover, format_ratio(region.capacity_floor))


def _pools(fleet: "Fleet") -> Any:
    rows = [(region.name, *_pool(pool)) for region in fleet.regions for pool in region.pools]
    return grid(("REGION", "POOL", "PURPOSE", "MACHINES", "GPUS", "BOUGHT"), rows)


def _pool(pool: "Pool") -> tuple[str, ...]:
    fabric = " InfiniBand" if pool.infiniband else ""
    machines = f"{pool.nodes.min}-{pool.nodes.max}"
    return pool.name, pool.purpose, machines, f"{pool.size.count} x {pool.size.gpu}{fabric}", pool.priority


def _services(fleet: "Fleet") -> Any:
    rows = [_service(fleet, service) for service in fleet.services]
    return grid(("SERVICE", "MODEL", "POOL", "REPLICAS", "FIRST", "FALLBACK", "REGIONS"), rows)


def _service(fleet: "Fleet", service: "Service") -> tuple[Any, ...]:
    regions = len(fleet.regions_of(service.name))
    short = service.model.rpartition("/")[2]
    return (service.name, short, service.pool, service.replicas, service.release, service.fallback or "-", regions)


def _objectives(fleet: "Fleet") -> Any:
    from infra.units import format_duration, format_ratio

    rows = [
        (service.name, objective.label, format_ratio(objective.target), format_duration(objective.window))
        for service in fleet.services
        for objective in service.objectives
    ]
    return grid(("SERVICE", "PROMISES", "OF ALL", "WITHIN"), rows)


def _rollouts(fleet: "Fleet") -> Any:
    return grid(
        ("SERVICE", "STEPS", "MAY SPEND", "BLOCK", "DEADLINE", "WATCHES"), [_rollout(s) for s in fleet.services]
    )


def _rollout(service: "Service") -> tuple[Any, ...]:
    from infra.units import format_duration, format_percent

    rollout = service.rollout
    watches = ", ".join(f"{what} x{tolerance.ratio:g}" for what, tolerance in rollout.tolerance.items())
    times = format_duration(rollout.block), format_duration(rollout.deadline)
    return (service.name, " ".join(map(format_percent, rollout.weights)), rollout.budget, *times, watches)


def _people(fleet: "Fleet") -> Any:
    rows = [
        (layer.name, ", ".join(layer.participants), f"every {layer.every}d", _hours(layer), layer.time_zone)
        for layer in fleet.on_call.layers
    ]
    return grid(("ON CALL", "TAKE TURNS", "TURN", "HOURS", "TIME ZONE"), rows)


def _hours(layer: Any) -> str:
    return f"{layer.hours.start}-{layer.hours.end}" if layer.hours else "all day"


def _money(fleet: "Fleet") -> str:
    return f"budget {fleet.budget.monthly_usd:,} USD a month"
