"""The demo, 20 times with different seeds: did every rollout end as it must, how long it took, what it cost.

Prints one line per run and medians at the end. Resumable: runs that are done are kept in .bench/demo.jsonl (beside the
work tree's .gitignore, not in Git); delete the file to begin anew.
    python benchmarks/demo.py [--runs 20]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".bench" / "demo.jsonl"
LIMIT = 240.0  # seconds for one run
VERSIONS = ("v2", "v3", "v4")
Run = dict[str, Any]


def main() -> int:
    """Run what is missing, print the figures; 0 if every run ended as it must."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    done = {run["seed"]: run for run in _kept()}
    for seed in range(1, runs + 1):
        if seed not in done:
            done[seed] = _keep(_run(seed))
        print(_line(done[seed]), flush=True)
    return _report([done[seed] for seed in range(1, runs + 1)])


def _kept() -> list[Run]:
    if not KEPT.is_file():
        return []
    return [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]


def _keep(run: Run) -> Run:
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a", encoding="utf-8") as file:
        file.write(json.dumps(run) + "\n")
    return run


def _run(seed: int) -> Run:
    """One demo, as a command."""
    began = time.monotonic()
    command = [str(Path(sys.executable).parent / "ops"), "demo", "--seed", str(seed), "-o", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    run: Run = {"seed": seed, "exit": done.returncode, "seconds": round(time.monotonic() - began, 1)}
    if done.returncode != 0:
        return {**run, "error": done.stderr.strip().splitlines()[-3:]}
    answer = json.loads(done.stdout)
    traffic = answer["traffic"]
    rollouts = {
        one["to"]: {key: one[key] for key in ("phase", "seconds", "bad", "responses", "reason")}
        for one in answer["rollouts"]
    }
    return {
        **run,
        "rollouts": rollouts,
        "rate": traffic["arrivals"]["rate_sent"],
        "warnings": traffic["client"]["reasons"],
    }


def _line(run: Run) -> str:
    if run["exit"] != 0:
        return f"seed {run['seed']:2d}  {run['seconds']:5.1f} s  exit {run['exit']}: {' '.join(run['error'])}"
    parts = [f"{v} {run['rollouts'][v]['phase']} {run['rollouts'][v]['seconds']:.0f} s" for v in VERSIONS]
    busy = "  (machine too busy)" if run["warnings"] else ""
    return f"seed {run['seed']:2d}  {run['seconds']:5.1f} s  {', '.join(parts)}{busy}"


def _report(runs: list[Run]) -> int:
    good = [run for run in runs if run["exit"] == 0]
    print(f"\n{len(good)} of {len(runs)} runs ended as they must: v2 promoted, v3 and v4 rolled back")
    if good:
        print(f"whole demo: median {median(run['seconds'] for run in good):.1f} s, most {_most(good):.1f} s")
    for version in VERSIONS if good else ():
        seconds = [run["rollouts"][version]["seconds"] for run in good]
        bad = [run["rollouts"][version]["bad"] for run in good]
        of = [run["rollouts"][version]["responses"] for run in good]
        print(
            f"{version}: median {median(seconds):.1f} s (most {max(seconds):.1f}), "
            f"median {median(bad):g} bad of {median(of):g} canary responses (most {max(bad)})"
        )
    return 0 if len(good) == len(runs) else 1


def _most(runs: list[Run]) -> float:
    return max(float(run["seconds"]) for run in runs)


if __name__ == "__main__":
    sys.exit(main())
