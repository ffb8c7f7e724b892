"""The regions that Azure copies geo-redundant data to, and where Key Vault copies unasked. Data, no calls.

pairs.json holds the pairs, their source and its licence. Pairs are not always mutual; newer regions have none.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_suffix(".json")


def pair(location: str) -> str | None:
    """The region that geo-redundant data of this one are copied to; None where there is none."""
    found = _facts()["pairs"].get(location)
    return None if found is None else str(found)


def vault_pair(location: str) -> str | None:
    """The region that Key Vault copies the vaults of this one to, which nobody can switch off; None: to none."""
    return None if location in _facts()["vaults_stay"] else pair(location)


@cache
def _facts() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))
