"""The commands of `ops rollout` that only look: where rollouts stand, how they ended, and on which evidence."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cli.commands.rollout.answer import ServiceArgument, ServiceOrAll, TimeoutOption, answer, ended, seconds
from cli.console import Output, document, emit, grid, story
from cli.options import FleetOption, OutputOption, RegionOption

app = typer.Typer()


@app.command()
def watch(
    service: ServiceArgument,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    timeout: TimeoutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Watch the open rollout, or show how the last one ended.

    Examples:
      $ ops rollout watch chat --timeout 3s  # needs rollout, exit 124
    """
    from cli import steering, wiring

    place, limit = wiring.place(fleet, region, service), seconds(timeout)
    run = place.runs.latest(service, place.region)
    ended(place, steering.follow(place, run, limit), run, output)


@app.command()
def status(
    service: ServiceOrAll = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show where the rollouts stand: the newest of each service.

    Examples:
      $ ops rollout status
      $ ops rollout status chat -o json
    """
    from infra.fleet import load_fleet

    loaded = load_fleet(fleet)
    names = [loaded.service(service).name] if service else [one.name for one in loaded.services]
    runs, broken = _summaries(loaded, region)
    newest = {(run["service"], run["region"]): run for run in runs if run["service"] in names}
    shown = [{**run, "driver": None if run["ended"] else _driver(loaded.name, run)} for run in newest.values()]
    _emit_runs(shown, broken, "RolloutStatus", output)


@app.command()
def history(
    service: ServiceOrAll = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List all rollouts, the newest last.

    Examples:
      $ ops rollout history
      $ ops rollout history chat -o yaml
    """
    from infra.fleet import load_fleet

    loaded = load_fleet(fleet)
    name = loaded.service(service).name if service else None
    runs, broken = _summaries(loaded, region)
    _emit_runs([run for run in runs if name in (None, run["service"])], broken, "RolloutHistory", output)


@app.command()
def explain(
    run: Annotated[str, typer.Argument(metavar="RUN|SERVICE", help="A run, or a service for its last one.")],
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell what was decided when, and on which evidence.

    From the journal alone.

    Examples:
      $ ops rollout explain chat  # needs rollout
    """
    from cli.adapters.run_files import RunFiles
    from cli.rollouts import report
    from infra import state
    from infra.fleet import load_fleet

    loaded = load_fleet(fleet)
    runs = RunFiles(state.journal_dir(loaded.name))
    named = run in {service.name for service in loaded.services}
    found = runs.latest(run, loaded.region(region).name) if named else runs.find(run)
    events = found.journal.events()
    kept = report.decisions(events)
    data = [
        {"at": e.at.isoformat().replace("+00:00", "Z"), "seq": e.seq, "kind": e.kind, **dict(e.payload)} for e in kept
    ]
    head = report.summary(found.state)
    journal = str(found.journal.path)
    told = document("RolloutExplanation", {**head, "journal": journal, "decisions": data})
    answer(told, output, report.explanation(found.state, events, journal))


def _summaries(loaded: Any, region: str | None) -> tuple[list[dict[str, Any]], list[Any]]:
    """Every rollout in a few values, and the journals that cannot be read."""
    from cli.adapters.run_files import RunFiles
    from cli.rollouts import report
    from infra import state

    wanted = loaded.region(region).name if region else None
    runs, broken = RunFiles(state.journal_dir(loaded.name)).readable()
    return [report.summary(run.state) for run in runs if wanted in (None, run.plan.region)], broken


def _emit_runs(runs: list[dict[str, Any]], broken: list[Any], kind: str, output: Output) -> None:
    columns = ("run", "release", "phase", "bad")  # a run's name says service, region and start (UTC)
    rows = [_row(run) for run in runs]
    unreadable = [{"journal": str(one.path), "why": one.why} for one in broken]
    data = document(kind, {"rollouts": runs, "unreadable": unreadable})
    emit(data, output, lambda: _table(columns, rows, [_drives(run) for run in runs if "driver" in run]))
    for one in broken:
        story(f"not readable: {one.path}: {one.why}")


def _driver(fleet: str, run: dict[str, Any]) -> dict[str, Any] | None:
    """Who drives an open rollout: id, actor, host, process, since when, last renewed. Raises CorruptFile."""
    from cli.adapters.lease_file import LeaseFile
    from infra import state

    return LeaseFile(state.lease_path(fleet, run["service"], run["region"]), "", "").holder()


def _drives(run: dict[str, Any]) -> str:
    """Who drives it, in words; nothing where nobody has to."""
    from cli.adapters.lease_file import in_words

    if run["ended"]:
        return ""
    if run["driver"] is None:
        return f"{run['service']} in {run['region']}: nobody drives it: `ops rollout resume {run['service']}`"
    return f"{run['service']} in {run['region']}: driven by {in_words(run['driver'])}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]) -> Any:
    from rich.console import Group

    return Group(grid(columns, rows), *filter(None, notes)) if rows else "no rollout yet"


def _row(run: dict[str, Any]) -> tuple[str, ...]:
    phase = f"{run['outcome']}{', paused' if run['paused'] else ''}"
    change, bad = f"{run['from']} -> {run['to']}", f"{run['badResponses']}/{run['responses']}"
    return run["run"], change, phase, bad
