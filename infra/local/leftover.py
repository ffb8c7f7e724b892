"""Processes of a region that outlived their supervisor: found by the mark in their environment, and ended."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from infra.local.layout import Owner
from infra.local.process import MARKER

POLITE = 0.5  # seconds between the request to end and the kill
SAME = 1.0  # seconds by which two readings of one process's start may differ


def own_start() -> float:
    """When this process began."""
    return psutil.Process().create_time()


def me() -> Owner:
    """This process, as a lock names it."""
    return Owner(pid=os.getpid(), started=own_start(), host=socket.gethostname())


def alive(owner: Owner | None) -> bool:
    """Whether this very process still runs, and not another that got its pid."""
    try:
        process = psutil.Process(owner.pid) if owner else None
        return process is not None and _runs(process) and abs(process.create_time() - owner.started) < SAME  # type: ignore[union-attr]
    except psutil.Error:
        return False


def marked(root: Path) -> list[psutil.Process]:
    """Processes that belong to the region in `root`, but for this one and those it runs in."""
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in spared and _mark(process) == str(root)]


def end(processes: list[psutil.Process]) -> list[str]:
    """Ask them to end, then kill; returns what they were."""
    names = [_describe(process) for process in processes]
    for process in processes:
        _quietly(process.terminate)
    _, left = psutil.wait_procs(processes, timeout=POLITE)
    for process in left:
        _quietly(process.kill)
    psutil.wait_procs(left, timeout=2.0)
    return names


def memory(pid: int | None) -> int:
    """Bytes of memory that are a process's own share (PSS: shared pages are split among their users)."""
    try:
        return int(psutil.Process(pid).memory_full_info().pss) if pid else 0
    except psutil.Error:
        return 0


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARKER)
    except (psutil.Error, OSError):
        return None


def _runs(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def _describe(process: psutil.Process) -> str:
    """A model server by the name of its configuration, anything else by its program's."""
    try:
        words = process.cmdline()
        server = "infra.local.server" in words and "--config" in words
        name = Path(words[words.index("--config") + 1]).stem if server else process.name()
    except (psutil.Error, IndexError):
        name = "a process"
    return f"{name} (pid {process.pid})"


def _quietly(act: Callable[[], None]) -> None:
    with suppress(psutil.Error):
        act()
