"""Supervised processes: real ones that live, die, hang and talk too much."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import psutil

from infra.local.alerting import here, runnable
from infra.local.process import LOG_LIMIT, Child, Program, State, tail, trim


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def python(folder: Path, code: str, health: str | None = None) -> Program:
    """A program of a few lines."""
    return Program("it", (sys.executable, "-c", code), folder / "it.log", health)


def watched(program: Program, watch: Callable[[Child], Awaitable[None]]) -> None:
    """Run a child while `watch` looks at it, then stop it."""

    async def run() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            child = Child(program, http, lambda: None)
            try:
                await watch(child)
            finally:
                await child.stop(signal.SIGKILL)
            assert child.state is State.GONE

    asyncio.run(run())


def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    """With another pid, and counted."""

    async def watch(child: Child) -> None:
        await until(lambda: child.pid)
        first = child.pid
        assert first
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (None, first))
        assert child.restarts == 1

    watched(python(tmp_path, "import time; time.sleep(60)"), watch)


def test_a_process_that_keeps_dying_is_crashed_and_started_ever_later(tmp_path: Path) -> None:
    """It is called crashed while it waits; deaths before it was ready are counted."""

    async def watch(child: Child) -> None:
        await until(lambda: child.early_deaths >= 3)
        assert child.state is State.CRASHED and child.last_exit == 3 and child.restarts >= 2

    watched(python(tmp_path, "raise SystemExit(3)", "http://127.0.0.1:9/never"), watch)


def test_a_program_that_is_not_there_is_a_crash_with_a_reason(tmp_path: Path) -> None:
    """The reason is in its log."""

    async def watch(child: Child) -> None:
        await until(lambda: child.early_deaths)

    watched(Program("it", ("/no/such/program",), tmp_path / "it.log"), watch)
    assert "cannot start /no/such/program" in tail(tmp_path / "it.log", 1)[0]


def test_a_process_that_ignores_the_signal_is_killed_with_its_children(tmp_path: Path) -> None:
    """After its grace; nothing of its group is left."""
    code = "import signal, subprocess, time; signal.signal(15, signal.SIG_IGN); subprocess.run(['sleep', '300'])"

    async def watch(child: Child) -> None:
        await until(lambda: child.pid and psutil.Process(child.pid).children())
        assert child.pid
        grandchild = psutil.Process(child.pid).children()[0]
        await child.stop(signal.SIGTERM, grace=0.1)
        await until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)

    watched(python(tmp_path, code), watch)


def test_a_process_that_is_stopped_at_once_never_runs_on(tmp_path: Path) -> None:
    """Also when the stop comes while it is being born."""

    async def watch(child: Child) -> None:
        await child.stop()
        assert child.pid is None

    watched(python(tmp_path, "import time; time.sleep(60)"), watch)


def test_a_long_log_is_cut_and_its_end_is_kept(tmp_path: Path) -> None:
    """A short one is left alone."""
    log = tmp_path / "it.log"
    log.write_bytes(b"x\n")
    trim(log)
    assert log.read_bytes() == b"x\n"
    log.write_bytes(b"old\n" * (LOG_LIMIT // 4) + b"the end\n")
    trim(log)
    assert log.stat().st_size == 0 and (tmp_path / "it.log.1").read_bytes().endswith(b"the end\n")


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    """None of a log that is not there, and broken text is shown as such."""
    log = tmp_path / "it.log"
    log.write_bytes(b"1\n2\n\xff3\n")
    assert tail(log, 2) == ["2", "\ufffd3"] and tail(log, 0) == [] and tail(tmp_path / "none", 5) == []


def test_an_unpacked_alertmanager_reads_its_templates_where_it_is_started(tmp_path: Path) -> None:
    """The folder's name in it becomes one of the same length; any other program is left as it is."""
    program = tmp_path / "usr" / "bin" / "prometheus-alertmanager"
    share = tmp_path / "usr" / "share" / "prometheus" / "alertmanager"
    share.mkdir(parents=True)
    program.parent.mkdir()
    program.write_bytes(b"A/usr/share/prometheus/alertmanagerZ")
    assert runnable(Path("/bin/ls"), tmp_path / "run") == Path("/bin/ls")
    (share / "default.tmpl").write_text("{{}}")
    copy = runnable(program, tmp_path / "run")
    assert len(copy.read_bytes()) == len(program.read_bytes()) and b"/usr" not in copy.read_bytes()
    assert (tmp_path / "run" / "default.tmpl").exists() and len(here(34)) == 34
