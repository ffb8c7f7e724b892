"""The provisioning of fleets, in numbers: `make bench-infra`. Emulated Azure, Pulumi's real engine, seeded faults.

Resumable: parts and fault points that are done are kept in .bench/infra.jsonl (not in Git); delete it to begin anew.
It cannot be called infra.py: as a script it would hide the package infra from all benchmarks.
    python benchmarks/provisioning.py [--part NAME ...] [--points 200] [--seed 2026]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from campaign.kept import Kept
from campaign.report import Report
from infra_campaign import canary, checks, drifted, lifecycle, points, speed
from infra_campaign.part import Job, Part

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".bench" / "infra.jsonl"
PARTS: dict[str, Part] = {
    "strict": checks.strict,
    "mistakes": checks.mistakes,
    "residency": checks.residency,
    "blast": checks.blast,
    "speed": speed.speed,
    "secrets": canary.canary,
    "drift": drifted.drifted,
    "lifecycle": lifecycle.lifecycle,
    "faults": points.points,
}
"""The short ones first."""


def main() -> int:
    """Run what is missing of what is asked for, print all figures; 1 where one is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=PARTS, help="one part; may be given several times")
    parser.add_argument("--points", type=int, default=200, help="fault points")
    parser.add_argument("--seed", type=int, default=2026, help="of the fault points")
    given = parser.parse_args()
    kept, good = Kept(KEPT), True
    for name in given.part or PARTS:
        good &= _part(name, kept, given.points, given.seed)
    return 0 if good else 1


def _part(name: str, kept: Kept, number: int, seed: int) -> bool:
    done = next((row for row in kept.rows if row.get("part") == name), None) if name != "faults" else None
    began = time.monotonic()
    if done is None:
        try:
            report = _ran(name, kept, number, seed)
        except Exception:  # noqa: BLE001 - whatever it is, the other parts are run
            print(f"== {name}: FAILED\n{traceback.format_exc()}", flush=True)
            return False
        done = {"part": name, "ok": report.ok, "seconds": round(time.monotonic() - began, 1), "lines": report.lines}
        if name != "faults":  # whose points are kept one by one
            kept.keep(done)
    print(f"== {name}: {'as it must be' if done['ok'] else 'FAILED'} ({done['seconds']} s)")
    print("\n".join(f"  {line}" for line in done["lines"]), flush=True)
    return bool(done["ok"])


def _ran(name: str, kept: Kept, number: int, seed: int) -> Report:
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-", ignore_cleanup_errors=True) as folder:
        rows = [row for row in kept.rows if "point" in row]
        return PARTS[name](Job(Path(folder), number, seed, rows, kept.keep))


if __name__ == "__main__":
    sys.exit(main())
