"""What every measured load client is to the benchmark: it sends one case to a server, and tells four figures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from load_rivals.usage import Usage, Watch

BENCH = Path(__file__).resolve().parents[2] / ".bench"
RIVALS = BENCH / "rivals"
TOKENS, PROMPT = 64, 32  # of an answer, and words of a prompt
BEYOND = 75.0  # s that a client may take beyond what it is to send: starting and reporting take up to 35 s on one core
FIGURES = ("ttft_p50", "ttft_p99", "itl_p50", "itl_p99")


@dataclass(frozen=True, slots=True)
class Case:
    """A load: so many streams that are always open, or requests that come by chance so often that it is as many."""

    streams: int
    open_loop: bool
    seconds: float

    @property
    def name(self) -> str:
        return f"{'open' if self.open_loop else 'closed'} {self.streams}"

    @property
    def rate(self) -> float:
        """Requests a second: the streams by the 55 ms + 63 x 10 ms that each is open."""
        return round(self.streams / 0.685, 1)

    @property
    def requests(self) -> int:
        """As many as are sent in the time."""
        return round(self.rate * self.seconds)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a client told, in s, and when it was started, in s since the epoch; without figures: why not."""

    began: float
    usage: Usage
    figures: Mapping[str, float] = field(default_factory=dict)
    verdict: str = ""
    why: str = ""


class Client(Protocol):
    """A load client."""

    name: str

    def install(self) -> str:
        """Make it ready, once; why it cannot be had, nothing if it can."""

    def run(self, case: Case, url: str, folder: Path, core: int) -> Ran:
        """Send the case from one core."""


class Missing(Exception):
    """A client that cannot be installed here, or did not tell figures."""


def run(command: Sequence[str], more: Mapping[str, str], core: int, log: Path, patience: float) -> tuple[float, Usage]:
    """Run a client's command line on one core. Raises Missing with the last that it said."""
    began = time.time()
    with log.open("w") as said:
        pinned = ["taskset", "-c", str(core), *command]
        env = {**os.environ, **more}
        process = subprocess.Popen(pinned, stdout=said, stderr=said, env=env, start_new_session=True, cwd=log.parent)
        with Watch(process.pid) as watch:
            try:
                code = process.wait(patience)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _end(process)
    if code != 0:
        last = "; ".join(log.read_text(errors="replace").strip().splitlines()[-2:])[-200:]
        raise Missing(f"not done after {patience:.0f} s" if code is None else f"exit code {code}: {last}")
    return began, watch.usage


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment(name: str, *packages: str) -> str:
    """An environment of its own under .bench with these packages, made once. Its Python; raises Missing."""
    folder = RIVALS / name
    stamp, python = folder / "installed", str(folder / "bin" / "python")
    wanted = " ".join(packages)
    if not (stamp.is_file() and stamp.read_text() == wanted):
        call(sys.executable, "-m", "venv", "--clear", str(folder))
        call(python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *packages)
        stamp.write_text(wanted)
    return python


def call(*command: str) -> None:
    """Run an installer, quietly and behind everything else. Raises Missing with the last that it said."""
    done = subprocess.run(["nice", "-n", "10", *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing("; ".join((done.stderr or done.stdout).strip().splitlines()[-2:])[-300:])
