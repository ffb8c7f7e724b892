"""How stacks under way are shown: a view repainted in place on a terminal, lines elsewhere; on stderr, as all story."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

from cli.console import console, story
from cli.provision.ports import Hear
from cli.provision.progress import Event, Progress

if TYPE_CHECKING:
    from rich.live import Live

EVERY = 30.0  # seconds between two lines of a stack where there is no terminal


class LiveStage(AbstractContextManager["LiveStage"]):
    """Shows each stack as it is worked on. Events come from another thread than the one that looks at the clock."""

    def __init__(self, live: bool | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._wanted = sys.stderr.isatty() if live is None else live
        self._now = now
        self._lock = threading.Lock()
        self._open: dict[str, Progress] = {}
        self._live: Live | None = None
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> LiveStage:
        if self._wanted:
            from rich.live import Live

            screen = console(sys.stderr)
            self._live = Live(console=screen, refresh_per_second=4, transient=True, get_renderable=self._picture)
            self._live.start()
        else:
            self._ticker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        if self._live:
            self._live.stop()
        else:
            self._ticker.join()

    def begin(self, title: str, expected: int) -> Hear:
        """A stack is begun; what is told of it goes into what this returns."""
        with self._lock:
            self._open[title] = Progress(title, expected, self._now())
        if not self._live:
            self._tell(f"{title}: begun, {expected} to change")

        def hear(event: Event) -> None:
            self._heard(title, event)

        return hear

    def end(self, title: str, words: str) -> None:
        """A stack has ended so; the line stays."""
        with self._lock:
            progress = self._open.pop(title, None)
        took = f" in {self._now() - progress.began:.0f} s" if progress else ""
        self._tell(f"{title:<24} {words}{took}")

    def _heard(self, title: str, event: Event) -> None:
        with self._lock:
            if title in self._open:
                self._open[title].hear(event)
        if event.phase == "failed":
            self._tell(f"{title}: {event.op} {event.type.rpartition(':')[2]} {event.name} failed")

    def _lines(self) -> list[str]:
        with self._lock:
            now = self._now()
            return [line for one in self._open.values() for line in (one.line(now), *one.slow(now))]

    def _picture(self) -> str:
        return "\n".join(self._lines())

    def _tick(self) -> None:
        while not self._over.wait(EVERY):
            for line in self._lines():
                self._tell(line)

    def _tell(self, text: str) -> None:
        if self._live:
            self._live.console.print(text, markup=False)
        else:
            story(f"{datetime.now(UTC):%H:%M:%SZ} {text}")
