"""A load that others know of: with its place in the region, and a journal from before the first request to its end.

Users' load shares its region with others and with rollouts; synthetic load has it alone. Sends nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.adapters.activity import Activity, Doing
from cli.adapters.run_files import RunFiles, actor
from cli.commands.load.guard import NOT_STARTED, ours
from cli.commands.load.past import Past, replay
from cli.console import story
from infra import state
from infra.errors import GateFailed, Inconclusive, Interrupted, Locked, OpsError
from runbooks.archive import Archive
from runbooks.journal import Journal, JournalError

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from loadtests.order import Order
    from loadtests.report.run_file import Run

ENDS = {
    GateFailed: "gate said no",
    Inconclusive: "cannot tell",
    Interrupted: "interrupted",
    KeyboardInterrupt: "interrupted",
}
"""How a load ended, by what the command ends with; everything else broke it off."""

FACTS: dict[str, Any] = {
    **dict.fromkeys(("region", "elapsed", "interrupted", "arrivals", "outcomes", "metrics", "goodput"), True),
    "client": {"verdict", "reasons"},
}
"""What of a report is journalled: all but what `--save` is for."""


class Log:
    """The journal of a load that has its place: whoever has one may send."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._verdict: str | None = None
        self._reasons: tuple[str, ...] = ()

    def sent(self, run: Run) -> None:
        """A part of the load came to this."""
        self._write("sent", **run.report.model_dump(mode="json", include=FACTS))

    def kept(self, *files: Path | None) -> None:
        """What was written of it, where something was."""
        paths = [str(path.absolute()) for path in files if path]
        if paths:
            self._write("kept", files=paths)

    def concluded(self, verdict: str, reasons: Sequence[str] = ()) -> None:
        """What the command found, for its end."""
        self._verdict, self._reasons = verdict, tuple(reasons)

    def end(self, error: BaseException | None) -> None:
        """Nothing comes after this."""
        how = next((word for kind, word in ENDS.items() if isinstance(error, kind)), "broke off") if error else "done"
        why = error.what if isinstance(error, OpsError) else repr(error) if how == "broke off" else ""
        self._write("end", how=how, why=why, verdict=self._verdict, reasons=self._reasons)

    def _write(self, kind: str, **payload: object) -> None:
        """What was measured is told to the person, whether or not it can be written down."""
        try:
            self._journal.append(kind, **payload)
        except JournalError as error:
            story(f"warning: {error.what}")


@contextmanager
def under_way(fleet: Fleet, orders: Sequence[Order], command: str) -> Iterator[Log]:
    """The place and the journal of a load, meanwhile.

    Raises Locked where somebody is in the way, JournalError where it cannot be written: nothing was sent then.
    """
    order = orders[0]
    places = {place: one for one in orders if (place := region_of(fleet, one))}
    journal = archive(fleet).new(order.service, "+".join(places) or "elsewhere")
    with ExitStack() as held:
        for place, one in places.items() or [("", order)]:
            held.enter_context(activity(fleet).held(_doing(one, place, journal.run), NOT_STARTED))
            _meet_rollouts(fleet, one, place)
        journal.append("begin", command=command, orders=[_told(one) for one in orders])
        log = Log(journal)
        try:
            yield log
        except BaseException as error:
            log.end(error)
            raise
        log.end(None)


def archive(fleet: Fleet) -> Archive[Past]:
    """The loads of a fleet, by their journals."""
    return Archive(state.journal_dir(fleet.name), "load", actor(), _past)


def activity(fleet: Fleet) -> Activity:
    """What is under way in a fleet."""
    return Activity(state.activity_dir(fleet.name), actor())


def region_of(fleet: Fleet, order: Order) -> str:
    """The region of the fleet that the requests meet; empty where they meet none, or nobody knows which."""
    return order.region if order.targets is not None or ours(fleet, order.url) else ""


def _doing(order: Order, region: str, run: str) -> Doing:
    synthetic = order.traffic == "synthetic"
    what = f"synthetic load on {order.url}" if synthetic else f"users' load on {order.service}"
    return Doing("load", what, run, region, order.service, alone=synthetic)


def _meet_rollouts(fleet: Fleet, order: Order, region: str) -> None:
    """Open rollouts in the region: users' load says that it counts for its service's, synthetic load meets none."""
    if not region:
        return
    runs = RunFiles(state.journal_dir(fleet.name))
    if order.traffic == "synthetic":
        _refuse_open(fleet, runs, region)
        return
    try:
        if run := runs.open(order.service, region):
            story(f"{run.plan.run} is under way: these requests count for its judge")
    except JournalError as error:
        story(f"warning: whether a rollout of {order.service} is under way is not known: {error.what}")


def _refuse_open(fleet: Fleet, runs: RunFiles, region: str) -> None:
    """Raises Locked for a rollout that has not ended, JournalError where that is not known."""
    for service in [one.name for one in fleet.services]:
        if run := runs.open(service, region):
            raise Locked(
                f"{run.plan.run} has not ended and nobody drives it; synthetic load must be alone in {region}",
                not_done=NOT_STARTED,
                next=f"ops rollout resume {service}, or ops rollout abort {service}; then the same command again",
            )


def _told(order: Order) -> dict[str, object]:
    """The order for the journal; credentials in it are references."""
    return order.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"attached", "share", "targets"})


def _past(journal: Journal) -> Past | None:
    try:
        return replay(journal.run, journal.events())
    except (KeyError, TypeError, ValueError) as error:
        what = f"{journal.path.name}: it holds what this version does not know: {error!r}"
        raise JournalError(what, not_done="what that load did is not known; the file is kept as it is") from error
