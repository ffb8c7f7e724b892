"""One supervised process: started, watched until it answers, restarted when it dies, stopped.

Knows nothing of what it is for.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import httpx

MARKER = "BELLWETHER_REGION"  # in the environment of every child: how leftovers of a dead supervisor are found
LOG_LIMIT = 4 * 2**20  # bytes; one older file of the same size is kept
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before a restart, doubled by each death
STEADY = 10.0  # seconds of life after which a death is a first death again
LOOK = 0.03  # seconds between two looks at a process that does not answer yet


class State(StrEnum):
    """Where a process is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    CRASHED = "crashed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `health` is the address that answers 200 when it is ready; without one it is ready at once."""

    name: str
    argv: tuple[str, ...]
    log: Path
    health: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None  # where it is started
    grace: float = 2.0  # seconds from the signal to the kill
    ends: Callable[[int], bool] = lambda code: False  # whether an exit code is an end and not a crash


class Child:
    """A program kept alive by this event loop, in a session of its own. `changed` is called when its state changes."""

    def __init__(self, program: Program, http: httpx.AsyncClient, changed: Callable[[], None]) -> None:
        self.program = program
        self.state = State.STARTING
        self.restarts = 0
        self.early_deaths = 0  # deaths before it ever was ready: a start that fails
        self.last_exit: int | None = None
        self._http = http
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._task = asyncio.create_task(self._live(), name=program.name)

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def stop(self, number: signal.Signals = signal.SIGTERM, grace: float | None = None) -> None:
        """Signal it, wait, kill what is left of its group. Safe to call twice; the harder call wins."""
        self._stopping = True
        self._enter(State.DRAINING)
        self._signal(number)
        done, _ = await asyncio.wait({self._task}, timeout=self.program.grace if grace is None else grace)
        if not done:
            self._signal(signal.SIGKILL)
        await asyncio.wait({self._task})

    async def _live(self) -> None:
        deaths = 0
        while not self._stopping:
            born = time.monotonic()
            try:
                await self._spawn()
                await self._until_exit()
            except OSError as error:
                self._cannot(error)
            deaths = 1 if time.monotonic() - born > STEADY else deaths + 1
            if self._stopping or self.program.ends(self.last_exit or 0):
                break
            self._enter(State.CRASHED)
            await self._pause(min(FIRST_PAUSE * 2 ** (deaths - 1), LONGEST_PAUSE))
            self.restarts += 1
        self._enter(State.GONE)

    async def _spawn(self) -> None:
        self._enter(State.STARTING)
        with open_log(self.program.log) as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.program.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.program.environ},
                cwd=self.program.folder,
                start_new_session=True,
            )
        if self._stopping:  # asked to stop while it was being born
            self._signal(signal.SIGKILL)

    def _cannot(self, error: OSError) -> None:
        """It could not even be started: its log says why, and it counts as an early death."""
        with suppress(OSError), open_log(self.program.log) as log:
            log.write(f"cannot start {self.program.argv[0]}: {error}\n".encode())
        self.last_exit, self.early_deaths = 127, self.early_deaths + 1

    async def _until_exit(self) -> None:
        assert self._process is not None
        exit_ = asyncio.create_task(self._process.wait())
        await self._until_ready(exit_)
        self.last_exit = await exit_
        self.early_deaths += self.state is State.STARTING
        self._signal(signal.SIGKILL)  # whatever it left behind in its session

    async def _until_ready(self, exit_: asyncio.Task[int]) -> None:
        while not exit_.done() and self.state is State.STARTING:
            if await self._answers():
                self._enter(State.READY, only_from=State.STARTING)
                return
            await asyncio.wait({exit_}, timeout=LOOK)

    async def _answers(self) -> bool:
        if self.program.health is None:
            return True
        with suppress(httpx.HTTPError):
            answer = await self._http.get(self.program.health, timeout=1.0)
            return bool(answer.status_code == 200)
        return False

    async def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            await asyncio.sleep(min(LOOK, seconds))

    def _signal(self, number: signal.Signals) -> None:
        """To the process; the kill goes to its whole group."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)
            elif self._process.returncode is None:
                os.kill(self._process.pid, number)

    def _enter(self, state: State, only_from: State | None = None) -> None:
        if self.state in (state, State.GONE) or (only_from and self.state is not only_from):
            return
        if self._stopping and state in (State.STARTING, State.READY, State.CRASHED):
            return
        self.state = state
        self._changed()


def open_log(path: Path) -> BinaryIO:
    """A log to append to; a long one makes way first, and one older is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    trim(path)
    return open(path, "ab")


def trim(path: Path) -> None:
    """Cut a log that grew too long: its content moves to <log>.1. Writers append, so they go on at the new end."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            with open(path, "rb") as log:
                log.seek(-LOG_LIMIT // 2, os.SEEK_END)
                path.with_name(path.name + ".1").write_bytes(log.read())
            os.truncate(path, 0)


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, none if there is no log."""
    with suppress(OSError):
        with open(path, "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 200 * max(lines, 1) - 20_000))
            text = log.read().decode(errors="replace")
        return text.splitlines()[-lines:] if lines > 0 else []
    return []
