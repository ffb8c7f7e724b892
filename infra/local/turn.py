"""One `up` or `down` of a region at a time: who comes second learns who the first is. Does nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import Locked
from infra.local.layout import Layout, Owner, read_owner
from infra.local.leftover import alive, me
from infra.store import locked, write_json

LOOK = 0.03  # seconds between two looks at the other's name


@contextmanager
def alone(layout: Layout, doing: str) -> Iterator[None]:
    """One `up` or `down` at a time; the loser learns who the other is."""
    path = layout.file("starting.lock")
    owner_file = layout.file("starting.json")
    try:
        with locked(path, wait=False):
            write_json(owner_file, {**me().model_dump(), "doing": doing})
            yield
            owner_file.unlink(missing_ok=True)
    except Locked as error:
        if error.next:
            raise
        raise _taken(layout.root, owner_file) from None


def _taken(root: Path, owner_file: Path) -> Locked:
    owner = _holder(owner_file)
    who = f"pid {owner.pid} on {owner.host}, for {max(0.0, time.time() - owner.started):.0f} s" if owner else "somebody"
    what = f"the local region {root.name} is being brought up or down by {who}"
    return Locked(what, not_done="nothing was changed", next="ops local status")


def _holder(owner_file: Path) -> Owner | None:
    """Who holds the lock: he writes his name a moment after he has it, and a dead one's name may still be there."""
    until = time.monotonic() + 0.5
    while not alive(owner := read_owner(owner_file)):
        if time.monotonic() > until:
            return None
        time.sleep(LOOK)
    return owner
