"""What simulated services can do, and what the load commands find of it: `make bench-capacity`, on a local region.

`search`: the same engines in virtual time are the truth of `ops load search` (half an hour). `acceptance`: `ops load
accept` through an evening peak and a crowd that comes at once (twelve minutes). The machine should be quiet.
Resumable: what is done is kept in .bench/capacity.jsonl (not in Git); delete it to begin anew.
    python benchmarks/capacity.py [--part NAME ...]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from campaign.kept import Kept
from campaign.parts import run
from capacity_campaign import acceptance, searched
from capacity_campaign.part import Job, Part

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".bench" / "capacity.jsonl"
PARTS: dict[str, Part] = {"acceptance": acceptance.acceptance, "search": searched.searched}
"""The short one first. Both keep what they find one by one."""


def main() -> int:
    """Run what is missing of what is asked for, print all figures; 1 where one is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=PARTS, help="a part; may be repeated")
    given = parser.parse_args()
    kept = Kept(KEPT)
    return run(given.part or PARTS, kept, lambda name, folder: PARTS[name](Job(folder, kept.rows, kept.keep)), PARTS)


if __name__ == "__main__":
    sys.exit(main())
