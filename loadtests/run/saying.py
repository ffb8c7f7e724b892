"""What a client says on stdout, for whoever started it: one JSON line each. Knows nothing of what is said."""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def say(kind: str, data: dict[str, Any]) -> None:
    """One JSON line on stdout. Where its reader has gone, nobody is told."""
    try:
        print(json.dumps({"kind": kind, **data}), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
