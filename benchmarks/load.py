"""The load client, in numbers: `make bench-load`. A server of known truth on one core, the generator on the other.

Resumable: what is done is kept in .bench/load.jsonl (not in Git); delete it to begin anew. The machine should be quiet:
every figure is of two cores that have nothing else to do. Rivals are installed from PyPI into .bench/rivals once (6 GB,
for GuideLLM brings torch); one that cannot be had is left out, and a line says why.
    python benchmarks/load.py [--part NAME ...] [--rounds 5] [--seconds 8] [--tool NAME ...] [--streams N ...]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from campaign.kept import Kept
from campaign.parts import run
from campaign.report import Report
from load_campaign import accuracy, ending, hour, sending
from load_campaign.part import Job, Part

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".bench" / "load.jsonl"
PARTS: dict[str, Part] = {
    "outcomes": ending.ending,
    "arrivals": sending.sending,
    "hour": hour.hour,
    "accuracy": accuracy.accuracy,
}
"""The short ones first. The last keeps its runs one by one."""


def main() -> int:
    """Run what is missing of what is asked for, print all figures; 1 where one is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=PARTS, help="a part; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="paired runs of each client and case")
    parser.add_argument("--seconds", type=float, default=8.0, help="for which each of them sends")
    parser.add_argument("--tool", action="append", choices=accuracy.CLIENTS, help="a client; may be repeated")
    parser.add_argument("--streams", action="append", type=int, help="of a case; may be repeated")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where finished runs are kept")
    given = parser.parse_args()
    kept, tools = Kept(given.kept), given.tool or list(accuracy.CLIENTS)
    streams = given.streams or list(accuracy.ALLOWED)

    def ran(name: str, folder: Path) -> Report:
        rows = [row for row in kept.rows if "tool" in row]
        return PARTS[name](Job(folder, given.rounds, given.seconds, tools, streams, rows, kept.keep))

    return run(given.part or PARTS, kept, ran, one_by_one=["accuracy"])


if __name__ == "__main__":
    sys.exit(main())
