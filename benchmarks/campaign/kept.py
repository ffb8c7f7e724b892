"""What earlier runs of a campaign have finished, so that it goes on from there: JSON lines, only ever appended to."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any


class Kept:
    """The rows of one file. Several threads may keep theirs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def keep(self, row: dict[str, Any]) -> None:
        """Write it down at once: the next moment may be Ctrl-C."""
        with self._lock:
            self._path.parent.mkdir(exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            self.rows.append(row)
