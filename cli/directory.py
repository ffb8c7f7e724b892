"""The directory into which a command writes files for a person: looked at before the first is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import InvalidInput
from infra.store import UnusableState


class BadDirectory(InvalidInput):
    """Files cannot go there."""


def directory(named: str) -> Path:
    """Where files may be written. Raises BadDirectory where none is named, or something else is there, or above."""
    if not named.strip() or "\0" in named or (Path(named).exists() and not Path(named).is_dir()):
        raise BadDirectory(f"{named!r} is not a directory", not_done="nothing was written", next="--out DIR")
    above = next(one for one in Path(named).absolute().parents if one.exists())
    if not above.is_dir():
        what = f"{named} cannot be written: {above} is not a directory"
        raise BadDirectory(what, not_done="nothing was written", next="--out DIR")
    return Path(named)


@contextmanager
def writing() -> Iterator[None]:
    """Raises BadDirectory for a file that cannot be written inside the block: these are not our state."""
    try:
        yield
    except UnusableState as error:
        what = error.what.replace("cannot hold our state", "cannot be written")
        raise BadDirectory(what, not_done="not all files were written", next="--out DIR, with one of yours") from error
