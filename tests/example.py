"""An example: one command line that --help or README.md shows, what it needs, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cli import groups

LINE = re.compile(r"^\s*\$ (?P<command>.+?)(?:\s+#\s*(?P<remark>.*))?$")
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_RUN = ("make test", "make demo", "git clone", "cd ")
"""What README.md shows and is not run: the suite in itself, the end-to-end test's own command, and getting here."""


@dataclass(frozen=True, slots=True)
class Example:
    """A command line with its remark: `# exit 3` is how it ends, `# needs region` or `# needs rollout` what is up."""

    command: str
    exit: int = 0
    needs: str = ""

    def __str__(self) -> str:
        return self.command


def examples(text: str) -> list[Example]:
    """The examples of a text: its lines that begin with "$ "."""
    found = (LINE.match(line) for line in text.splitlines())
    return [_example(match["command"], match["remark"] or "") for match in found if match]


def blocks(page: str) -> list[list[Example]]:
    """The examples of each console block of a Markdown page, without the lines that are not for running."""
    every = [examples(block) for block in BLOCK.findall(page)]
    kept = [[one for one in block if not one.command.startswith(NOT_RUN)] for block in every]
    return [block for block in kept if block]


def commands() -> Iterator[tuple[str, Any]]:
    """Every command of `ops` with its whole name, groups too."""
    yield "ops", groups.root()
    for name in groups.GROUPS:
        yield from _below(f"ops {name}", groups.load(name))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for child, below in getattr(command, "commands", {}).items():
        yield from _below(f"{name} {child}", below)


def _example(command: str, remark: str) -> Example:
    code = re.search(r"exit (\d+)", remark)
    needs = re.search(r"needs (\w+)", remark)
    return Example(command, int(code[1]) if code else 0, needs[1] if needs else "")
