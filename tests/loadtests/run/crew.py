"""Locust with a master and workers, each a process of its own, on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.run.client import ROOT

PLAN = "loadtests/locustfile.py"
PATIENCE = 60.0  # s for a process to end that was told to


@dataclass
class Crew:
    """The processes, and what the master said."""

    master: subprocess.Popen[str]
    workers: Sequence[subprocess.Popen[str]]

    def said(self, kind: str) -> dict[str, Any]:
        """The next line of the master that is of a kind."""
        assert self.master.stdout is not None
        for line in self.master.stdout:
            if line.startswith("{") and (one := json.loads(line))["kind"] == kind:
                return dict(one)
        raise AssertionError(f"the master never said {kind}")

    def end(self) -> tuple[int, str]:
        """How the master ended, and the rest of its stdout."""
        out, _ = self.master.communicate(timeout=PATIENCE)
        return self.master.returncode, out


@contextmanager
def crew(order: str, workers: int, *words: str, folder: Path = ROOT, plan: str = PLAN) -> Iterator[Crew]:
    """A master and its workers; all are gone at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    locust = [sys.executable, "-m", "locust", "-f", plan, "--headless"]
    lead = [
        *locust,
        "--master",
        "--master-bind-host",
        "127.0.0.1",
        "--master-bind-port",
        port,
        "--expect-workers",
        str(workers),
    ]
    follow = [*locust, "--worker", "--master-host", "127.0.0.1", "--master-port", port]
    with ExitStack() as stack:
        master = _started(stack, folder, [*lead, "--order", order, "--exit-code-on-error", "0", *words])
        yield Crew(master, [_started(stack, folder, follow) for _ in range(workers)])


def _started(stack: ExitStack, folder: Path, words: Sequence[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1"}
    process = stack.enter_context(
        subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    )
    stack.callback(process.kill)
    return process
