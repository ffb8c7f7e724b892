"""A load while it runs: starts the client, shows how it goes, ends it, and writes down what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cli.commands.load.page import line, report_page
from cli.console import Output, document, emit, story
from infra.errors import OpsError

if TYPE_CHECKING:
    from cli.commands.load.underway import Log
    from infra.fleet import Fleet
    from loadtests.order import Order
    from loadtests.report.junit import Case
    from loadtests.report.load_report import LoadReport
    from loadtests.report.run_file import Run
    from loadtests.run.client import Load

EVERY = 5  # lines of progress that are left out between two where there is no terminal to repaint a line on


def press(order: Order, log: Log, workers: int = 1) -> Run:
    """Run the load that has a log in so many processes and show how it goes.

    Ctrl-C stops sending; a second one does not wait for open requests.
    """
    from loadtests.run.client import start

    return watch(start(order, workers), log)


def watch(started: Load, log: Log) -> Run:
    """Show how a load goes that has been started and has a log, until its end."""
    from loadtests.report.run_file import Run

    with started as load:
        report = _until_its_end(load)
        assert load.book is not None, "a load that has a report has the book that it was made of"
        run = Run(report, load.book)
        log.sent(run)
        return run


def _until_its_end(load: Load) -> LoadReport:
    try:
        _show(load)
    except KeyboardInterrupt:
        story("\nstopping: open requests may end; Ctrl-C again to cut them off")
        with suppress(KeyboardInterrupt):
            return load.stop()
    return load.stop()


def _show(load: Load) -> None:
    """Progress until the load ends: one line repainted on a terminal, else one line every few seconds."""
    live = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    for number, progress in enumerate(load.progress(), start=1):
        if live:
            print(f"\r\x1b[K{line(progress)}", end="", file=sys.stderr, flush=True)
        elif number % EVERY == 0:
            story(line(progress))
    if live:
        story()


def priced(run: Run, fleet: Fleet, service: str | None) -> Run:
    """The run with what the machines of the service cost meanwhile, where the fleet runs it and its price is known."""
    from loadtests.report.reckoning import priced as with_cost
    from loadtests.report.run_file import Run

    where = run.report.region
    known = service is not None and where in [region.name for region in fleet.regions_of(service)]
    try:
        usd = _usd_per_hour(fleet, service, where) if known and service else None
    except OpsError as error:  # what was measured is not lost for a price
        story(f"warning: what it cost is not known: {error.what}")
        return run
    return Run(with_cost(run.report, usd), run.book)


def _usd_per_hour(fleet: Fleet, service: str, region: str) -> float | None:
    from infra.preflight.cost import cost
    from infra.release import load_release

    first = {service: load_release(service, fleet.service(service).release)}
    costs = cost(fleet, releases=first).services
    return next((one.hour for one in costs if (one.service, one.region) == (service, region)), None)


def answer(run: Run, output: Output) -> None:
    """The report, on stdout."""
    report = run.report
    emit(document("LoadReport", report.model_dump(mode="json")), output, lambda: report_page(report))


def keep(
    run: Run,
    *,
    page: Path | None = None,
    junit: Path | None = None,
    save: Path | None = None,
    checks: Sequence[Case] = (),
) -> None:
    """Write the files that were asked for, and say so. JUnit has the `checks` of a verdict, where there is one."""
    from infra.store import write_atomic

    for path, text in _files(run, page, junit, save, checks):
        write_atomic(path, text)
        story(f"written: {path}")


def _files(
    run: Run, page: Path | None, junit: Path | None, save: Path | None, checks: Sequence[Case]
) -> list[tuple[Path, str]]:
    import json

    from loadtests.report.junit import junit as to_junit
    from loadtests.report.page import page as to_page

    files = []
    if save:
        files.append((save, json.dumps(document("LoadRun", run.to_json())) + "\n"))
    if page:
        files.append((page, to_page(run)))
    if junit:
        files.append((junit, to_junit(run.report, checks)))
    return files
