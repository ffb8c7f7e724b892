"""A search while it runs: asks what to send next, rests, sends it and has it judged. Decides nothing itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cli.commands.load.guard import NOT_STARTED
from cli.commands.load.ordering import Given, here
from cli.commands.load.pressing import press
from cli.console import story
from infra.errors import InvalidInput

if TYPE_CHECKING:
    from cli.commands.load.underway import Log
    from infra.fleet import Fleet
    from infra.service import Service
    from loadtests.order import Order
    from loadtests.report.run_file import Run
    from loadtests.search.answer import Answer
    from loadtests.search.criterion import Criterion
    from loadtests.search.decision import Send, Stop
    from loadtests.search.plan import Plan
    from loadtests.search.probe import Probe


def named(fleet: Fleet, service: str | None) -> Service:
    """The service of that name. Raises NotInFleet, and InvalidInput where none was named."""
    if service is None:
        names = ", ".join(one.name for one in fleet.services)
        raise InvalidInput(f"say which service: --service ({names})", not_done=NOT_STARTED)
    return fleet.service(service)


def orders(fleet: Fleet, given: Given, criteria: Sequence[Criterion]) -> list[Order]:
    """One for the region that was named, or for each that is up: traffic that stands still, and no rate yet.

    Raises what `here` raises for a region that nothing can be sent to.
    """
    from loadtests.search.traffic import stationary

    found = [here(fleet, replace(given, region=region)) for region in regions_up(fleet, given)]
    return [
        with_slo(order, criteria).model_copy(update={"profile": stationary(order.load), "rate": None})
        for order in found
    ]


def with_slo(order: Order, criteria: Sequence[Criterion]) -> Order:
    """The order that criteria are held against, where there are some: goodput goes by their thresholds, and every
    request may come to its own end, for one that is cut off would count as failed."""
    from loadtests.order import Slo
    from loadtests.search.criterion import thresholds

    found = thresholds(criteria)
    judged = order.model_copy(update={"grace": max(order.grace, order.timeouts.total)}) if criteria else order
    return judged.model_copy(update={"slo": Slo(**found)}) if found else judged


def search(order: Order, plan: Plan, criteria: tuple[Criterion, ...], log: Log, workers: int) -> Answer:
    """Probe after probe, each by so many processes, until the decision is to stop; after Ctrl-C with what was found."""
    from loadtests.search.answer import answer

    probes: list[Probe] = []
    stop = _until_the_end(order, plan, criteria, probes, partial(press, log=log, workers=workers))
    slo = [one.label for one in criteria]
    return answer(probes, stop, service=order.service, region=order.region, profile=order.profile.name, slo=slo)


def line(probe: Probe) -> str:
    """A probe on one line."""
    worst = probe.worst
    seen = f"; {worst.criterion}: {worst.share:.2%}" if worst and worst.share is not None else ""
    damage = f"; {probe.damage[0]}" if probe.damage else ""
    return f"{probe.rate:g}/s for {probe.seconds:.0f} s: {probe.result}{seen}{damage}"


def _until_the_end(
    order: Order, plan: Plan, criteria: tuple[Criterion, ...], probes: list[Probe], send: Callable[[Order], Run]
) -> Stop:
    """Fills `probes`."""
    from loadtests.search.decision import Rule, Stop, decide
    from loadtests.search.probe import judged

    while not isinstance(decision := decide(plan, probes), Stop):
        run = _sent(order, decision, order.seed + len(probes), send)
        if run is None or run.report.interrupted:
            return Stop(Rule.INTERRUPTED, "it was interrupted")
        rest, recovery = decision.rest, decision.recovery
        probes.append(judged(run, criteria, plan.alpha, decision.rate, rest=rest, recovery=recovery))
        story(line(probes[-1]))
    return decision


def _sent(order: Order, wanted: Send, seed: int, send: Callable[[Order], Run]) -> Run | None:
    """The probe, after its rest; None where a person did not wait for it. Every probe draws its own arrivals."""
    if wanted.rest:
        story(f"resting for {wanted.rest:g} s: the last probe did damage")
    with suppress(KeyboardInterrupt):
        time.sleep(wanted.rest)
        return send(order.model_copy(update={"rate": wanted.rate, "duration": wanted.seconds, "seed": seed}))
    return None


def regions_up(fleet: Fleet, given: Given) -> list[str]:
    """The region that was named, or all that are up and have the service; the first of these where none is up."""
    from infra import state
    from infra.local.region import LocalRegion, RegionDown

    if given.region is not None or given.service is None:
        return [fleet.region(given.region).name]
    names, up = [region.name for region in fleet.regions_of(given.service)], []
    for name in names:
        with suppress(RegionDown):
            LocalRegion(state.region_dir(fleet.name, name)).facts()
            up.append(name)
    return up or names[:1]
