"""Where state lives: one directory per fleet outside the work tree. Computes paths and creates nothing."""

from __future__ import annotations

import os
from pathlib import Path


def root(fleet: str) -> Path:
    """The state directory of a fleet: ${OPS_STATE:-${XDG_STATE_HOME:-~/.local/state}/bellwether}/<fleet>."""
    given = os.environ.get("OPS_STATE")
    if given:
        return Path(given).absolute() / fleet
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home).absolute() / "bellwether" / fleet


def journal_dir(fleet: str) -> Path:
    """Where the journals of runs lie, `<run-id>.jsonl` each."""
    return root(fleet) / "journal"


def record_path(fleet: str) -> Path:
    """The release of record."""
    return root(fleet) / "record.json"


def lease_path(fleet: str, service: str, region: str) -> Path:
    """The lease of the one writer of a service in a region."""
    return root(fleet) / "leases" / f"{service}.{region}.json"


def activity_dir(fleet: str) -> Path:
    """Who does what with the regions now: locks, and notes of their holders."""
    return root(fleet) / "activity"


def region_dir(fleet: str, region: str) -> Path:
    """Everything of one local region."""
    return root(fleet) / "local" / region
