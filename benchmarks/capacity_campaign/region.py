"""A local region for a part of the campaign, in a state of its own, and `ops` as a person would type it there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ANSWERED = (0, 3, 5)  # exits with an answer: yes, no, cannot tell

Done = subprocess.CompletedProcess[str]


def ops(*arguments: str, state: Path) -> Done:
    """The command's end; its story is told as it goes. Raises CalledProcessError where it has no answer."""
    command = [str(Path(sys.executable).parent / "ops"), *arguments]
    environment = {**os.environ, "OPS_STATE": str(state)}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in ANSWERED:
        done.check_returncode()
    return done


@contextmanager
def region(folder: Path, fleet: Path | str) -> Iterator[Path]:
    """The region of a fleet, up; its state."""
    state = folder / "state"
    ops("local", "up", "--fleet", str(fleet), state=state)
    try:
        yield state
    finally:
        ops("local", "down", "--fleet", str(fleet), state=state)
