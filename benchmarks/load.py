"""The load client, in numbers: `make bench-load`. A server of known truth on one core, the generator on the other.

The parts `capacity` (half an hour) and `acceptance` (twelve minutes) press a local region instead.
Resumable: what is done is kept in .bench/load.jsonl (not in Git); delete it to begin anew. The machine should be quiet:
every figure is of two cores that have nothing else to do. Rivals are installed from PyPI into .bench/rivals once (6 GB,
for GuideLLM brings torch); one that cannot be had is left out, and a line says why.
    python benchmarks/load.py [--part NAME ...] [--rounds 5] [--seconds 8] [--tool NAME ...] [--streams N ...]
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
from load_campaign import acceptance, accuracy, capacity, ending, hour, sending
from load_campaign.part import Job, Part

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".bench" / "load.jsonl"
PARTS: dict[str, Part] = {
    "outcomes": ending.ending,
    "arrivals": sending.sending,
    "hour": hour.hour,
    "capacity": capacity.capacity,
    "acceptance": acceptance.acceptance,
    "accuracy": accuracy.accuracy,
}
"""The short ones first. The last three keep their runs one by one; the last needs others' clients."""


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
    kept, good = Kept(given.kept), True
    for name in given.part or PARTS:
        good &= _part(name, kept, given)
    return 0 if good else 1


def _part(name: str, kept: Kept, given: argparse.Namespace) -> bool:
    done = next((row for row in kept.rows if row.get("part") == name), None)
    began = time.monotonic()
    if done is None:
        try:
            report = _ran(name, kept, given)
        except Exception:  # noqa: BLE001 - whatever it is, the other parts are run
            print(f"== {name}: FAILED\n{traceback.format_exc()}", flush=True)
            return False
        done = {"part": name, "ok": report.ok, "took": round(time.monotonic() - began, 1), "lines": report.lines}
        if report.ok and name != "accuracy":  # whose runs are kept one by one
            kept.keep(done)
    print(f"== {name}: {'as it must be' if done['ok'] else 'FAILED'} ({done['took']} s)")
    print("\n".join(f"  {line}" for line in done["lines"]), flush=True)
    return bool(done["ok"])


def _ran(name: str, kept: Kept, given: argparse.Namespace) -> Report:
    tools = given.tool or list(accuracy.CLIENTS)
    streams = given.streams or list(accuracy.ALLOWED)
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-", ignore_cleanup_errors=True) as folder:
        rows = [row for row in kept.rows if "part" not in row]
        return PARTS[name](Job(Path(folder), given.rounds, given.seconds, tools, streams, rows, kept.keep))


if __name__ == "__main__":
    sys.exit(main())
