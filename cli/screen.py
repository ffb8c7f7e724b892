"""How a rollout under way is shown: a live view on a terminal, a line per change elsewhere."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

from cli.console import console, story
from cli.rollouts import view
from cli.rollouts.drive import Snapshot

if TYPE_CHECKING:
    from rich.live import Live

EVERY = 10.0  # seconds between two lines while nothing changes


class Screen(AbstractContextManager["Screen"]):
    """Shows snapshots on stderr. Where it is a terminal the view is repainted in place."""

    def __init__(self, live: bool | None = None) -> None:
        self._live: Live | None = None
        self._wanted = sys.stderr.isatty() if live is None else live
        self._shown = ("", 0.0)
        self._at = 0.0
        self._why = ""

    def __enter__(self) -> Screen:
        if self._wanted:
            from rich.live import Live

            self._live = Live(console=console(sys.stderr), auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Show what a tick saw."""
        if self._live:
            lines = view.lines(snapshot.state, snapshot.verdict, snapshot.hold, snapshot.now)
            self._live.update("\n".join(wrapped(lines, self._live.console.width)), refresh=True)
        else:
            self._tell(snapshot)

    def _tell(self, snapshot: Snapshot) -> None:
        state = snapshot.state
        now = (view.phase(state), state.weight)
        if now == self._shown and snapshot.now - self._at < EVERY:
            return
        self._shown, self._at = now, snapshot.now
        time = datetime.fromtimestamp(snapshot.now, UTC).strftime("%H:%M:%SZ")
        why, before = snapshot.hold or state.reason, self._why
        self._why = why
        because = f": {why}" if why and why != before else ""  # said once: the answer at the end says it again
        story(f"{time} {now[0]} at {state.weight:g} %, e-value {view.readable(snapshot.verdict.e_value)}{because}")


def wrapped(lines: Iterable[str], width: int) -> Iterator[str]:
    """Lines no wider than `width`; what is too long goes on below its own text, right of its label."""
    for line in lines:
        label = re.match(r"  \S+ +(?=\S)", line)
        indent = " " * (len(label[0]) if label else 4)
        if len(line) <= width or " " not in line[len(indent) :]:
            yield line
            continue
        yield from textwrap.wrap(
            line, max(width, 40), subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
        ) or [""]
