"""Files that a crash cannot tear: atomic replacement, advisory locks, JSON. Knows nothing of what is in them."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.errors import Locked, Unavailable


class CorruptFile(Unavailable):
    """A file of ours is there and cannot be read as what it must be."""


class UnusableState(Unavailable):
    """The directory that state should lie in cannot be written: no right, no room."""


def write_atomic(path: Path, text: str) -> None:
    """Replace `path` by `text`: readers see the old or the new content, and after a crash one of both is there."""
    with _usable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as indented JSON."""
    write_atomic(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path, missing: Any = None) -> Any:
    """The JSON in `path`, or `missing` where there is no such file. Raises CorruptFile for anything else."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return missing
    except OSError as error:
        raise CorruptFile(
            f"{path} cannot be read: {error.strerror or error}", not_done="nothing was changed"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CorruptFile(f"{path} cannot be read as JSON: {error}", not_done="nothing was changed") from error


@contextmanager
def locked(path: Path, *, wait: bool = True, shared: bool = False) -> Iterator[None]:
    """Hold the advisory lock of `path`, a file of its own, created here; alone, or `shared` with all who share it.

    It is free again when this process ends, however it ends. With `wait=False` raises Locked.
    """
    with _usable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - closed below; only opening it may be impossible
    with file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise Locked(f"{path} is locked by another process") from error
        yield


def make_folder(path: Path) -> None:
    """Make a folder for state, with those above it. Raises UnusableState."""
    with _usable(path / "x"):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"{path.parent} cannot hold our state: {error.strerror or error}"
        raise UnusableState(
            what, not_done="nothing was changed", next="set OPS_STATE to a directory of yours"
        ) from error
