"""What `ops load search` shows a person, for 80 columns: the rate, how sure it is, every probe. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from cli.commands.load.page import percent
from cli.console import WIDTH, grid

if TYPE_CHECKING:
    from loadtests.search.answer import Answer, FleetAnswer
    from loadtests.search.probe import Probe

COLUMNS = ("RATE/S", "S", "SENT/S", "NEAREST TO ITS LIMIT", "GOOD", "FROM", "TO", "RESULT")


def page(answers: Sequence[Answer], fleet: FleetAnswer | None) -> Any:
    """Each region, then what they carry together."""
    from rich.console import Group

    parts: list[Any] = []
    for one in answers:
        rows = [_row(probe) for probe in one.probes]
        parts += [*_head(one), "", grid(COLUMNS, rows, right=("RATE/S", "S", "SENT/S", "GOOD", "FROM", "TO")), ""]
    return Group(*parts, *(_together(fleet) if fleet else ()), *_notes(answers))


def headline(one: Answer) -> str:
    """The answer on one line."""
    return f"{one.service} in {one.region}: {_found(one)}"


def _head(one: Answer) -> Iterator[str]:
    yield headline(one)
    if one.interval and one.rule != "interval":
        low, high = one.interval
        yield f"by one curve through all probes: {one.estimate:.4g}/s, from {low:.4g}/s to {high:.4g}/s"
    yield from wrap(f"SLO: {'; '.join(one.slo)}", WIDTH)
    yield from wrap(f"stopped by {one.rule}: {one.why}; {len(one.probes)} probes, {one.seconds:.0f} s", WIDTH)


def _found(one: Answer) -> str:
    sure = f" ({one.confidence:.0%} sure)"
    if one.rule == "interval" and one.interval:
        low, high = one.interval
        return f"between {low:.4g}/s and {high:.4g}/s, {high / low - 1:.1%} apart{sure}"
    if one.low and one.high:
        near = f", {one.bracket:.1%} apart" if one.bracket is not None else ""
        return f"between {one.low:g}/s and {one.high:g}/s{near}{sure}"
    if one.low:
        return f"at least {one.low:g}/s{sure}"
    return f"less than {one.high:g}/s{sure}" if one.high else "not known"


def _row(probe: Probe) -> tuple[str, ...]:
    worst = probe.worst
    said = (worst.criterion, percent(worst.share), percent(worst.low), percent(worst.high)) if worst else ("",) * 4
    result = f"{probe.result}{' (recovery)' if probe.recovery else ''}{' (damage)' if probe.damage else ''}"
    return f"{probe.rate:g}", f"{probe.seconds:.0f}", f"{probe.rate_sent:.1f}", *said, result


def _together(fleet: FleetAnswer) -> Iterator[str]:
    if fleet.total is None:
        yield "all regions: not known, as some rates are not"
        return
    waiting = f" ({', '.join(fleet.standing_by)}: no users, only standing by)" if fleet.standing_by else ""
    yield from wrap(f"all regions: {fleet.total:g}/s{waiting}", WIDTH)
    for one in fleet.losses:
        heirs = ", ".join(one.heirs) or "nothing takes over"
        yield from wrap(f"without {one.lost}: {one.survivable:g}/s in all may be sent before ({heirs})", WIDTH)
    yield f"any one region may be lost at {fleet.n_minus_1:g}/s"


def _notes(answers: Sequence[Answer]) -> Iterator[str]:
    """What the client says of itself, once."""
    reasons = {reason for one in answers for probe in one.probes for reason in probe.reasons}
    for reason in sorted(reasons)[:3]:
        yield from wrap(f"warning: {reason}", WIDTH)
