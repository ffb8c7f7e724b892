"""Commands that a region keeps alive for somebody: `jobs/<name>.json` asks for one. Knows nothing of what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx

from infra.local.layout import Layout
from infra.local.process import MARKER, Child, Program, State
from infra.store import CorruptFile, read_json


class Jobs:
    """The jobs of a region: started when their file appears, restarted when killed, forgotten when they end."""

    def __init__(self, layout: Layout, http: httpx.AsyncClient, changed: Callable[[], None]) -> None:
        self.problems: tuple[str, ...] = ()
        self._layout = layout
        self._http = http
        self._changed = changed
        self._children: dict[Path, Child] = {}

    def children(self) -> list[Child]:
        """Their processes."""
        return list(self._children.values())

    def look(self) -> None:
        """Start what is new, forget what has ended."""
        self._forget()
        problems = []
        for file in sorted(self._layout.jobs.glob("*.json")):
            if file in self._children:
                continue
            try:
                self._children[file] = Child(self._program(file), self._http, self._changed)
            except (CorruptFile, KeyError, TypeError, ValueError) as error:
                problems.append(f"job {file.name} is not {{name, argv}}: {error}")
        self.problems = tuple(problems)

    async def stop(self) -> None:
        """Stop all; their files stay, so that the next start of the region goes on with them."""
        await asyncio.gather(*(child.stop() for child in self.children()))

    def _forget(self) -> None:
        for file in [file for file, child in self._children.items() if child.state is State.GONE]:
            file.unlink(missing_ok=True)
            del self._children[file]

    def _program(self, file: Path) -> Program:
        data = read_json(file)
        name, argv = str(data["name"]), tuple(str(word) for word in data["argv"])
        if not argv or "/" in name:
            raise ValueError("argv is empty or the name is a path")
        return Program(name, argv, self._layout.log(name), environ={MARKER: str(self._layout.root)}, ends=ended)


AGAIN = frozenset({1, 6, 7})
"""Exits that are worth another try: a bug, something that did not answer, a lock that somebody else held."""


def ended(code: int) -> bool:
    """Whether a job is over: not after a signal, and not after an exit that is worth another try."""
    return code >= 0 and code not in AGAIN
