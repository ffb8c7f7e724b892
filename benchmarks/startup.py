"""What it costs to start `ops`: CPU time of a fresh process, against its budgets. Changes nothing."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

OPS = str(Path(sys.executable).with_name("ops"))
RUNS = 11
BUDGETS = {("--version",): 60, ("--help",): 250}
"""Arguments -> milliseconds of CPU, user and system."""


def cost(arguments: tuple[str, ...]) -> float:
    """CPU milliseconds of one run, from the kernel's account of the child."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(OPS, [OPS, *arguments], os.environ, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"ops {' '.join(arguments)} failed")
    return 1000 * (usage.ru_utime + usage.ru_stime)


def main() -> None:
    """Print median and worst of each; exit 1 when a median is over its budget."""
    over = False
    for arguments, budget in BUDGETS.items():
        costs = [cost(arguments) for _ in range(RUNS)]
        median = statistics.median(costs)
        over |= median > budget
        line = f"ops {' '.join(arguments):<10} median {median:4.0f} ms  worst {max(costs):4.0f} ms  budget {budget} ms"
        print(line + ("  OVER BUDGET" if median > budget else ""))
    sys.exit(over)


if __name__ == "__main__":
    main()
