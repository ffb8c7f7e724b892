"""`ops local`: a region of the fleet on this machine. Parses, calls infra.local.region, prints."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Output, document, emit, grid, story
from cli.options import FleetOption, OutputOption, RegionOption

if TYPE_CHECKING:
    from infra.local.layout import Facts, Layout, Status
    from infra.record import Record

app = typer.Typer(no_args_is_help=True, help="Bring a region of the fleet up on this machine, and down.")

MEBIBYTE = 2**20
FOLLOW_PAUSE = 0.2  # seconds between two looks at a log


@app.command()
def up(
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    replicas: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=20, help="Replicas of each service; else as the fleet says.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the simulated servers.")] = 1,
    output: OutputOption = Output.TABLE,
) -> None:
    """Bring a region up and wait until all of it is healthy.

    Envoy, Prometheus, Alertmanager and the simulated model servers.

    Nothing happens when the region is up already. What an earlier, killed one left running is stopped first.

    Examples:
        $ ops local up
        $ ops local up --fleet demo --replicas 1 -o json
        $ ops local down
    """
    from cli.recovery import record_store
    from infra.fleet import load_fleet
    from infra.local.region import Wanted
    from infra.local.region import up as bring_up
    from infra.programs import obtain
    from infra.state import region_dir

    loaded = load_fleet(fleet)
    name = loaded.region(region).name
    _check_releases(record_store(loaded).read(loaded), name)
    for program in ("envoy", "prometheus", "alertmanager"):
        obtain(program, story)
    wanted = Wanted(_absolute(fleet), loaded.name, name, seed, replicas or 0)
    root = region_dir(loaded.name, name)
    result = bring_up(root, wanted, story)
    how = "is already up" if result.already else "is up"
    story(f"region {name} of fleet {loaded.name} {how}")
    data = {**result.facts.model_dump(mode="json"), "state": str(root)}
    emit(document("LocalRegion", data), output, lambda: _addresses(result.facts))


@app.command()
def status(fleet: FleetOption = "demo", region: RegionOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show what runs, and which weights are in force.

    Services, arms, replicas, weights as wished and as Envoy applies them, processes and memory.

    Examples:
        $ ops local status  # needs region
        $ ops local status -o json  # needs region
    """
    local = _region(fleet, region)
    now, memory = local.status(), local.memory()
    data = {**now.model_dump(mode="json"), "memory_bytes": sum(memory.values())}
    emit(document("LocalStatus", data), output, lambda: _status_table(now, memory))


@app.command()
def down(fleet: FleetOption = "demo", region: RegionOption = None) -> None:
    """Stop everything of the region, also what a killed supervisor left. Its weights, jobs and logs stay.

    Examples:
        $ ops local down
    """
    from infra.local.region import down as take_down

    root = _region(fleet, region).layout.root
    stopped = take_down(root, story)
    print(f"stopped {len(stopped)}: {', '.join(stopped)}" if stopped else f"nothing of region {root.name} was running")


@app.command()
def logs(
    process: Annotated[str | None, typer.Argument(help="A process of `ops local status`; all if not given.")] = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Last lines of each log.")] = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the logs of the region's processes.

    Also of a region that did not come up.

    Examples:
        $ ops local logs  # needs region
        $ ops local logs envoy --lines 20  # needs region
    """
    from infra.local.layout import read_failure
    from infra.local.process import tail

    layout = _region(fleet, region).layout
    names = _logs_of(layout, process)
    width = max(map(len, names))
    for name in names:
        for line in tail(layout.log(name), lines):
            print(line if process else f"{name:<{width}}  {line}", flush=True)
    failure = read_failure(layout)
    if failure is not None:
        story(f"the region did not come up: {failure.process}: {failure.reason}")
    elif not follow and not any(layout.log(name).stat().st_size for name in names):
        story("nothing was logged: the processes had nothing to complain about")
    if follow:
        _follow({(f"{name:<{width}}  " if not process else ""): layout.log(name) for name in names})


def _check_releases(record: "Record", region: str) -> None:
    """Raises what is wrong with the releases that the region will start with, and who names them."""
    from infra.errors import InvalidInput
    from infra.release import load_release

    for service in record.fleet.services:
        if record.fleet.region(region).pool(service.pool) is None:
            continue
        try:
            load_release(service.name, record.release(service.name, region))
        except InvalidInput as error:
            by = "the release of record" if record.entry(service.name, region) else "the fleet file"
            error.add_note(f"{by} names it for {service.name} in {region}")
            raise


def _absolute(fleet: str) -> str:
    """A fleet's file by its full path: the supervisor may be asked from elsewhere."""
    return str(Path(fleet).resolve()) if "/" in fleet or fleet.endswith((".yaml", ".yml")) else fleet


def _region(fleet: str, region: str | None) -> Any:
    from infra.fleet import load_fleet
    from infra.local.region import LocalRegion
    from infra.state import region_dir

    loaded = load_fleet(fleet)
    return LocalRegion(region_dir(loaded.name, loaded.region(region).name))


def _logs_of(layout: "Layout", process: str | None) -> list[str]:
    """The processes whose logs are asked for. Raises RegionDown where none ever ran, InvalidInput for a wrong name."""
    from infra.errors import InvalidInput
    from infra.local.region import RegionDown
    from infra.suggest import hint

    known = layout.logs()
    if not known:
        what = f"the local region {layout.root.name} has no logs: it never ran in this state directory"
        raise RegionDown(what, not_done="nothing was shown", next="ops local up")
    if process is None:
        return known
    if process not in known:
        choices = hint(process, known) or f"; known: {', '.join(known)}"
        raise InvalidInput(f"no process {process!r} has a log{choices}", not_done="nothing was shown")
    return [process]


def _follow(files: dict[str, Path]) -> None:
    """New lines of the files, each after its prefix, until Ctrl-C."""
    import time

    ends = {prefix: path.stat().st_size for prefix, path in files.items()}
    try:
        while True:
            for prefix, path in files.items():
                text, ends[prefix] = _since(path, ends[prefix])
                for line in text.splitlines():
                    print(f"{prefix}{line}", flush=True)
            time.sleep(FOLLOW_PAUSE)
    except KeyboardInterrupt:
        return


def _since(path: Path, start: int) -> tuple[str, int]:
    """What a log has beyond `start`, whole lines only, and where that ends; a log that was cut begins anew."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(start if size >= start else 0)
            whole = log.read().rpartition(b"\n")
            return (whole[0] + whole[1]).decode(errors="replace"), log.tell() - len(whole[2])
    except OSError:
        return "", 0


def _addresses(facts: "Facts") -> Any:
    rows = [(name, service.url) for name, service in facts.services.items()]
    rows += [("envoy admin", facts.envoy_admin), ("prometheus", facts.prometheus), ("alertmanager", facts.alertmanager)]
    return grid(("WHAT", "URL"), rows)


def _status_table(status: "Status", memory: dict[int, int]) -> Any:
    from rich.console import Group

    arms = ("SERVICE", "ARM", "RELEASE", "WISHED", "APPLIED", "READY", "RESTARTS")
    processes = ("PROCESS", "STATE", "PID", "RESTARTS", "MIB")
    tables: list[Any] = [
        grid(arms, _arm_rows(status), right=arms[3:]),
        "",
        grid(processes, _process_rows(status, memory), right=processes[2:]),
        "",
        f"memory {sum(memory.values()) / MEBIBYTE:.0f} MiB (each process's own share)",
    ]
    return Group(*tables, *(f"! {problem}" for problem in _problems(status)))


def _arm_rows(status: "Status") -> Iterator[tuple[str, ...]]:
    for name, service in status.services.items():
        for arm in ("stable", "canary", "baseline"):
            now = service.arms[arm]
            if arm != "stable" and not now.replicas:
                continue
            wished, applied = (getattr(share, arm) for share in (service.weights.wished, service.weights.applied))
            note = " expired" if service.expired and arm == "canary" else ""
            ready = f"{sum(replica.state == 'ready' for replica in now.replicas)}/{len(now.replicas)}"
            restarts = str(sum(replica.restarts for replica in now.replicas))
            yield name, arm, now.release or "-", _percent(wished) + note, _percent(applied), ready, restarts


def _process_rows(status: "Status", memory: dict[int, int]) -> Iterator[tuple[str, ...]]:
    for process in status.everything():
        used = f"{memory.get(process.pid or 0, 0) / MEBIBYTE:.0f}"
        yield process.name, process.state, str(process.pid or "-"), str(process.restarts), used


def _problems(status: "Status") -> Iterator[str]:
    yield from status.problems
    yield from (f"{name}: {service.problem}" for name, service in status.services.items() if service.problem)


def _percent(share: float) -> str:
    return f"{share:g}%"
