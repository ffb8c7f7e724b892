"""Our own load client, driven as a user of the package would: an order, and the report that comes of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from load_rivals.client import BEYOND, FIGURES, PROMPT, TOKENS, Case, Missing, Ran
from load_rivals.usage import Watch
from loadtests.order import Order
from loadtests.run.client import Load, LoadError, start

LENGTHS = {"prompt": PROMPT, "output": TOKENS}


def order(url: str, seconds: float, profile: dict[str, Any], **more: Any) -> Order:
    """An order of the truth server's one model; a profile without lengths has prompts and answers of equal size."""
    lengths = {} if "trace" in profile else {"tokens": LENGTHS}
    whole = {"name": "bench", **lengths, **profile}
    return Order.model_validate(
        {"service": "chat", "model": "m", "url": url, "duration": seconds, "profile": whole} | more
    )


def poisson(rate: float) -> dict[str, Any]:
    """A profile of requests by chance."""
    return {"arrivals": "poisson", "rate": f"{rate:g}/s"}


@contextmanager
def started(wanted: Order, core: int) -> Iterator[Load]:
    """A load that runs on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})  # the child inherits it from its first instruction on
    try:
        load = start(wanted)
    finally:
        os.sched_setaffinity(0, before)
    with load:
        yield load


def report(wanted: Order, core: int) -> dict[str, Any]:
    """Run it and return its LoadReport, as its JSON has it."""
    with started(wanted, core) as load:
        told: dict[str, Any] = load.wait((wanted.duration or 0.0) + BEYOND).model_dump(mode="json")
        return told


class Ours:
    """loadtests, through loadtests.run.client."""

    name = "ours"

    def install(self) -> str:
        """It is there."""
        return ""

    def run(self, case: Case, url: str, folder: Path, core: int) -> Ran:
        """The case as a profile; figures are those of all ok requests."""
        profile = poisson(case.rate) if case.open_loop else {"closed": {"streams": case.streams}}
        began = time.time()
        try:
            with started(order(url, case.seconds, profile), core) as load, Watch(load.pid) as watch:
                told = load.wait(case.seconds + BEYOND).model_dump(mode="json")
        except LoadError as error:
            raise Missing(str(error)) from error
        figures = {name: told["metrics"][name[:-4]][name[-3:]] for name in FIGURES}
        if None in figures.values():
            raise Missing(f"no request was ok: {told['outcomes']}")
        return Ran(began, watch.usage, figures, told["client"]["verdict"])
