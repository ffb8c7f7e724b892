"""The local region of the demo fleet: seconds up and down, memory, and how soon a wish is in force in Envoy.

Brings a region up in a state directory of its own, with two services of three replicas each, and takes it down.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from cli.adapters.local_region import LocalTraffic
from cli.rollouts.procedure import Shift
from infra.local.region import LocalRegion, Wanted, down, up

RUNS, WISHES = 5, 40
BUDGETS = {"up": 10.0, "down": 3.0, "memory": 600.0, "wish": 0.3}
"""Seconds, seconds, megabytes with both slices at 50 %, seconds with the slices ready."""


def main() -> int:
    """Print median and worst of each against its budget; 1 where a median is over."""
    seen: dict[str, list[float]] = {name: [] for name in BUDGETS}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OPS_STATE"] = folder
        for number in range(RUNS):
            _one(Path(folder) / f"region{number}", seen)
    over = False
    for name, values in seen.items():
        over |= median(values) > BUDGETS[name]
        print(f"{name:7} median {median(values):7.3f}  worst {max(values):7.3f}  budget {BUDGETS[name]:g}")
    return int(over)


def _one(root: Path, seen: dict[str, list[float]]) -> None:
    seen["up"].append(_timed(lambda: up(root, Wanted("demo", "demo", "eastus2", replicas=3))))
    traffic = LocalTraffic(root, "chat")
    _force(traffic, 50.0, 1)
    for step in range(WISHES // RUNS):
        seen["wish"].append(_timed(lambda weight=40.0 + step, token=2 + step: _force(traffic, weight, token)))  # type: ignore[misc]
    seen["memory"].append(sum(LocalRegion(root).memory().values()) / 1e6)
    seen["down"].append(_timed(lambda: down(root)))


def _force(traffic: LocalTraffic, weight: float, token: int) -> None:
    """Wish a weight and wait until Envoy says it."""
    traffic.wish(Shift("v2", weight, weight), token, 60.0)
    while traffic.observe().canary != weight:
        time.sleep(0.002)


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
