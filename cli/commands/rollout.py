"""`ops rollout`: roll a release out by evidence, watch it, stop it, explain it."""

from typing import Annotated, Any

import typer

from cli.console import Output, confirm, document, emit, grid, story
from cli.options import FleetOption, OutputOption, RegionOption, YesOption

app = typer.Typer(help="Roll a release out by evidence, and back.")

ServiceArgument = Annotated[str, typer.Argument(metavar="SERVICE", help="The service, as the fleet names it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")]
TimeoutOption = Annotated[
    str | None, typer.Option("--timeout", metavar="DURATION", help="Stop watching after this time (exit 124).")
]


@app.command()
def start(
    service: ServiceArgument,
    release: Annotated[str, typer.Option("--release", metavar="VERSION|FILE", help="The release to roll out.")],
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Let the region's supervisor drive, and return.")] = False,
    timeout: TimeoutOption = None,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Roll a release out, judged until it is proven.

    Canary and baseline slice of the same size answer side by side.

    Ends 0 when promoted, 3 when rolled back, 124 after --timeout with the rollout still open.

    Examples:
      $ ops rollout start chat --release v3 --yes  # needs region, exit 3
      $ ops rollout start chat --release v9 --yes  # exit 2
    """
    from cli import steering, wiring
    from cli.rollouts import view

    place, limit = wiring.place(fleet, region, service), _seconds(timeout)
    version = steering.release_for(place, release).version
    try:
        plan = steering.new_plan(place, version)
    except steering.NothingToDo as same:
        story(f"{same}; nothing to change")
        return
    for line in view.plan_lines(plan):
        story(line)
    latencies = [signal for signal in plan.signals if signal.threshold]
    if latencies and all(signal.gate for signal in latencies):  # none has a measured threshold
        story("  note       no traffic in the last minute: nothing is proven without it, and the")
        story("             deadline rolls back; `ops load run` sends some")
    confirm("start this rollout?", yes)
    run = steering.begin(place, plan)
    if detach:
        steering.detach(place, run)
        story(f"the region's supervisor drives {plan.run}; watch it with: ops rollout watch {service}")
        return
    _ended(place, steering.lead(place, run, limit), run, output)


@app.command()
def resume(
    service: ServiceArgument,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    keep_pause: Annotated[bool, typer.Option("--keep-pause", help="Take over, but leave a pause in force.")] = False,
    timeout: TimeoutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Lift a pause, or take over from a driver that died.

    Ends as `start` does: 0 when promoted, 3 when rolled back, 124 after --timeout with the rollout still open.

    Examples:
      $ ops rollout resume chat --timeout 3s  # needs rollout, exit 124
    """
    from cli import steering, wiring

    place, limit = wiring.place(fleet, region, service), _seconds(timeout)
    run = steering.open_run(place)
    if run.state.paused_since is not None and not keep_pause:
        steering.command(place, "resume", "")
        story(f"{run.plan.run} goes on")
    _ended(place, steering.attend(place, run, limit), run, output)


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

    place, limit = wiring.place(fleet, region, service), _seconds(timeout)
    run = place.runs.latest(service, place.region)
    _ended(place, steering.follow(place, run, limit), run, output)


@app.command()
def status(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="One service; all if not given.")] = None,
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
    _emit_runs(list(newest.values()), broken, "RolloutStatus", output)


@app.command()
def history(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="One service; all if not given.")] = None,
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
def pause(
    service: ServiceArgument, fleet: FleetOption = "demo", region: RegionOption = None, reason: ReasonOption = ""
) -> None:
    """Hold the weight where it is until `resume`. A failed verdict still rolls back.

    Examples:
      $ ops rollout pause chat --reason "one dashboard looks odd"  # needs rollout
    """
    from cli import steering, wiring

    place = wiring.place(fleet, region, service)
    run = steering.command(place, "pause", reason)
    story(f"{run.plan.run} is paused; {steering.when_obeyed(place, run)}")
    story(f"go on with: ops rollout resume {service}")


@app.command()
def promote(
    service: ServiceArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why the missing evidence may be overridden.")],
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    yes: YesOption = False,
) -> None:
    """Promote without waiting for more evidence. Never against a failed verdict.

    Examples:
      $ ops rollout promote chat --reason "tested by hand" --yes  # needs rollout
    """
    from cli import steering, wiring

    place = wiring.place(fleet, region, service)
    if not reason.strip():
        raise typer.BadParameter("say why, in a few words", param_hint="--reason")
    run = steering.open_run(place)
    story(f"promote {run.plan.canary} of {service} in {place.region}, fleet {place.fleet.name}, without full evidence")
    confirm("promote it?", yes)
    steering.command(place, "promote", reason)
    story(f"{run.plan.run} will be promoted unless its verdict has failed; {steering.when_obeyed(place, run)}")
    story(f"see: ops rollout watch {service}")


@app.command()
def abort(
    service: ServiceArgument,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    reason: ReasonOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Take all traffic from the canary at once and roll back. Needs no judge, no Prometheus and no answer.

    Ends 0 when the rollout is rolled back.

    Examples:
      $ ops rollout abort chat --reason "users complain"  # needs rollout
    """
    from cli import aborting, wiring

    place = wiring.place(fleet, region, service)
    ended = aborting.abort(place, reason)
    if ended is None:
        story(f"no rollout of {service} in {place.region} is under way; its canary has no traffic")
        return
    run, state = ended
    _show(state, run, output)


@app.command()
def undo(
    service: ServiceArgument,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    timeout: TimeoutOption = None,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Go back to the release before the last promotion.

    At once, and without a judge.

    Examples:
      $ ops rollout undo chat --yes  # exit 4
    """
    from cli import steering, wiring
    from cli.rollouts import view

    place, limit = wiring.place(fleet, region, service), _seconds(timeout)
    plan = steering.undo_plan(place)
    for line in view.plan_lines(plan):
        story(line)
    confirm("go back?", yes)
    run = steering.begin(place, plan)
    _ended(place, steering.lead(place, run, limit), run, output)


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
    head = report.summary(found.state, events)
    journal = str(found.journal.path)
    answer = document("RolloutExplanation", {**head, "journal": journal, "decisions": data})
    _answer(answer, output, report.explanation(found.state, events, journal))


def _seconds(text: str | None) -> float | None:
    from pydantic import TypeAdapter, ValidationError

    from infra.units import Duration

    if text is None:
        return None
    try:
        seconds = float(TypeAdapter(Duration).validate_python(text))
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="--timeout") from error
    if seconds <= 0:
        raise typer.BadParameter("give more than zero, such as 5m", param_hint="--timeout")
    return seconds


def _ended(place: Any, state: Any, run: Any, output: Output) -> None:
    """Print what came of it; a rollback is exit 3."""
    from cli import steering

    _show(state, run, output)
    steering.finish(place, state)


def _show(state: Any, run: Any, output: Output) -> None:
    from cli.rollouts import report

    events = run.journal.events()
    data = document("Rollout", {**report.summary(state, events), "journal": str(run.journal.path)})
    _answer(data, output, report.outcome(state, events, str(run.journal.path)))


def _answer(data: dict[str, Any], output: Output, lines: list[str]) -> None:
    """For machines as they asked; for people in 80 columns, but for paths: those stay whole, to be copied."""
    from cli.console import WIDTH
    from cli.screen import wrapped

    if output is Output.TABLE:
        print("\n".join(wrapped(lines, WIDTH)), flush=True)
    else:
        emit(data, output)


def _summaries(loaded: Any, region: str | None) -> tuple[list[dict[str, Any]], list[Any]]:
    """Every rollout in a few values, and the journals that cannot be read."""
    from cli.adapters.run_files import RunFiles
    from cli.rollouts import report
    from infra import state

    wanted = loaded.region(region).name if region else None
    runs, broken = RunFiles(state.journal_dir(loaded.name)).readable()
    told = [report.summary(run.state, run.journal.events()) for run in runs if wanted in (None, run.plan.region)]
    return told, broken


def _emit_runs(runs: list[dict[str, Any]], broken: list[Any], kind: str, output: Output) -> None:
    columns = ("run", "release", "phase", "bad")  # a run's name says service, region and start (UTC)
    rows = [_row(run) for run in runs]
    unreadable = [{"journal": str(one.path), "why": one.why} for one in broken]
    data = document(kind, {"rollouts": runs, "unreadable": unreadable})
    emit(data, output, lambda: grid(columns, rows) if rows else "no rollout yet")
    for one in broken:
        story(f"not readable: {one.path}: {one.why}")


def _row(run: dict[str, Any]) -> tuple[str, ...]:
    phase = f"{run['phase']}{', paused' if run['paused'] else ''}"
    change, bad = f"{run['from']} -> {run['to']}", f"{run['badResponses']}/{run['responses']}"
    return run["run"], change, phase, bad
