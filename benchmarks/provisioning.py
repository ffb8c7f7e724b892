"""The provisioning of fleets, in numbers: `make bench-infra`. Emulated Azure, Pulumi's real engine, seeded faults.

Resumable: parts and fault points that are done are kept in .bench/infra.jsonl (not in Git); delete it to begin anew.
It cannot be called infra.py: as a script it would hide the package infra from all benchmarks.
    python benchmarks/provisioning.py [--part NAME ...] [--points 200] [--seed 2026]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from campaign.kept import Kept
from campaign.parts import run
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
    kept = Kept(KEPT)

    def ran(name: str, folder: Path) -> Report:
        rows = [row for row in kept.rows if "point" in row]
        return PARTS[name](Job(folder, given.points, given.seed, rows, kept.keep))

    return run(given.part or PARTS, kept, ran, one_by_one=["faults"])


if __name__ == "__main__":
    sys.exit(main())
