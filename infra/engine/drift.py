"""What somebody changed outside of Pulumi: whose change the next `up` would undo, and how loud that must be said. Pure.

Types are Pulumi's (azure-native:<module>:<Type>), paths those of their inputs, as the engine tells drift. The kinds of
change are data, in drift_rules.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from infra.engine.drift_rules import (
    CHANGED,
    CONVERTED,
    DOWNGRADED,
    GONE,
    OTHER,
    RETAGGED,
    TAGGED,
    UPGRADED,
    Explanation,
    Loudness,
)

__all__ = ["NOT_TOLD", "Drift", "Explanation", "Loudness", "explain", "loudest"]

OWN_TAGS = ("fleet", "environment", "stack", "managed-by", "region", "data")
"""Tags that the programs set; every other one is somebody else's."""


class NotTold:
    """The type of NOT_TOLD."""

    def __repr__(self) -> str:
        return "NOT_TOLD"


NOT_TOLD: Any = NotTold()
"""A value that the engine does not tell: it says which paths drifted, and not always from what to what."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what `up` left and what is there. An empty path: the whole resource is gone."""

    type: str
    name: str
    path: str = ""
    ours: Any = NOT_TOLD
    found: Any = NOT_TOLD


def explain(drift: Drift) -> Explanation:
    """What a drift is, and what `up` would undo."""
    type, path = _plain(drift)
    if not path:
        return next(rule.said for rule in GONE if rule.fits(type, path))
    if re.match(r"tags($|[.\[])", path):
        return _tag(path, drift)
    if type == "StorageAccount" and path == "sku.name" and _converted(drift):
        return CONVERTED
    if type in ("ManagedCluster", "AgentPool") and path in ("kubernetesVersion", "orchestratorVersion"):
        return _version(drift)
    return next((rule.said for rule in CHANGED if rule.fits(type, path)), OTHER)


def loudest(drifts: Iterable[Drift]) -> Loudness:
    """The loudest of several; benign where there is none."""
    order: tuple[Loudness, ...] = ("benign", "ours", "dangerous")
    return max((explain(drift).loud for drift in drifts), key=order.index, default="benign")


def _plain(drift: Drift) -> tuple[str, str]:
    """The bare type and path. The SDK lifts `properties` of most types; only GPU pools are generic resources."""
    type = drift.type.rpartition(":")[2]
    return "AgentPool" if type == "Resource" else type, drift.path.removeprefix("properties.")


def _tag(path: str, drift: Drift) -> Explanation:
    """A tag that is new is somebody else's; one of ours, or one that we set, is not."""
    key = re.sub(r"[\[\]\".]", "", path.removeprefix("tags"))
    was_ours = drift.ours is not NOT_TOLD and drift.ours is not None
    return RETAGGED if key in OWN_TAGS or was_ours else TAGGED


def _converted(drift: Drift) -> bool:
    """Whether Azure must convert the account to go back, since it is copied over zones on one side only."""
    ours, found = ("ZRS" in str(sku) for sku in (drift.ours, drift.found))
    return drift.found is not NOT_TOLD and ours != found


def _version(drift: Drift) -> Explanation:
    """Newer, or no telling: the channel's doing. Older: somebody's."""
    ours, found = _numbers(drift.ours), _numbers(drift.found)
    return DOWNGRADED if ours and found and found < ours else UPGRADED


def _numbers(version: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)) if isinstance(version, str) else ()
