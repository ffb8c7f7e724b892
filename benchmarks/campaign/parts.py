"""The parts of a campaign, one after the other: run, or remembered; one that breaks stops no other."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from campaign.kept import Kept
from campaign.report import Report

Run = Callable[[str, Path], Report]
"""Runs the part of a name in a folder of its own."""


def run(wanted: Iterable[str], kept: Kept, ran: Run, one_by_one: Collection[str] = ()) -> int:
    """Run what is missing of what is wanted and print all figures; 1 where one is not as it must be.

    A part that is as it must be is remembered as a whole, unless it keeps what it does `one_by_one`.
    """
    ends = [_part(name, kept, ran, whole=name not in one_by_one) for name in wanted]
    return 0 if all(ends) else 1


def _part(name: str, kept: Kept, ran: Run, *, whole: bool) -> bool:
    done = next((row for row in kept.rows if row.get("part") == name), None)
    if done is None:
        try:
            done = _done(name, ran)
        except Exception:  # noqa: BLE001 - whatever it is, the other parts are run
            print(f"== {name}: FAILED\n{traceback.format_exc()}", flush=True)
            return False
        if done["ok"] and whole:
            kept.keep(done)
    print(f"== {name}: {'as it must be' if done['ok'] else 'FAILED'} ({done['seconds']} s)")
    print("\n".join(f"  {line}" for line in done["lines"]), flush=True)
    return bool(done["ok"])


def _done(name: str, ran: Run) -> dict[str, Any]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-", ignore_cleanup_errors=True) as folder:
        report = ran(name, Path(folder))
    return {"part": name, "ok": report.ok, "seconds": round(time.monotonic() - began, 1), "lines": report.lines}
