"""What a part of the campaign works with: a folder of its own, and what it kept of earlier runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign.report import Report


@dataclass(frozen=True)
class Job:
    """What a part may use."""

    folder: Path
    kept: list[dict[str, Any]]
    keep: Callable[[dict[str, Any]], None]


Part = Callable[[Job], Report]
