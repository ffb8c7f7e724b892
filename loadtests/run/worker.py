"""One client process: starts it, tells it when to begin, and passes on what it says. Imports neither gevent nor locust.

Its own process, because gevent patches the standard library of whatever it runs in.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from loadtests.order import Order

ROOT = Path(__file__).parents[2]
LAST_LINES = 15  # of stderr: enough to see how it died


class Worker:
    """The process of one order. `hear` is called in a thread of its own, with every word and then with None."""

    def __init__(self, order: Order, hear: Callable[[Worker, dict[str, Any] | None], None]) -> None:
        self.order, self._hear = order, hear
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - read when the client has died
        self._process = subprocess.Popen(
            [sys.executable, "-m", "loadtests.run.process", "--order", _attached(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C is for us alone: we pass it on, and still hear the report
        )
        Thread(target=self._read, name=f"load {self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process that sends."""
        return self._process.pid

    def begin(self, moment: float) -> None:
        """Let it begin at a moment on the clock of `perf_counter`. A process that has died hears nothing."""
        assert self._process.stdin is not None
        try:
            print(repr(moment), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            self._process.kill()

    def stop(self) -> None:
        """Let it send nothing more. Safe to repeat: the second time it does not wait for open requests."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it now. Safe to repeat."""
        self._process.kill()
        self._process.wait()

    def wait(self) -> None:
        """Until it is gone, once it has said its last word."""
        self._process.wait()

    def last_words(self) -> tuple[str, list[str]]:
        """How it ended, and the end of what it wrote to stderr."""
        self._errors.seek(0)
        return f"exit code {self._process.returncode}", self._errors.read().splitlines()[-LAST_LINES:]

    def _read(self) -> None:
        """So that the client never waits for a reader."""
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._hear(self, json.loads(line))
        except (ValueError, KeyError, TypeError) as error:  # not one of our words: a client that cannot be trusted
            self._hear(self, {"kind": "failed", "what": f"it said what nobody understands: {error}"})
            self._process.kill()
        self._hear(self, None)


def _attached(order: Order) -> str:
    return order.model_copy(update={"attached": True}).model_dump_json()
