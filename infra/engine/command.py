"""One command of Pulumi's engine, run through its Automation API, and what it says while it runs.

Knows nothing of fleets and stacks; errors are told by what the engine wrote.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra import programs
from infra.engine.event import Account, Progress
from infra.errors import Locked, Unavailable

OnEvent = Callable[[Progress], None]
LOOK = 0.05  # seconds between two looks at the events of a running engine
EVENTS = {"PULUMI_DEBUG_COMMANDS": "true"}  # without it there is no --event-log


class EngineFailed(Unavailable):
    """The engine could not do its work: its backend does not answer, or it says why in its own words."""


class NoStack(EngineFailed):
    """The backend knows no stack of that name."""


class StackLocked(Locked):
    """Another engine works on the stack, or one that died left its lock."""


@dataclass(frozen=True)
class Command:
    """The engine that is on this machine, with a folder of ours for what the Automation API wants of it."""

    home: Path
    environment: Mapping[str, str]

    def call(self, folder: Path, words: Sequence[str]) -> str:
        """Run one command in a folder; its output. Raises StackLocked, NoStack, EngineFailed."""
        from pulumi.automation.errors import CommandError

        output: list[str] = []
        errors: list[str] = []
        arguments = [*words, "--color", "never"]
        try:
            self._pulumi.run(arguments, str(folder), {**self.environment, **EVENTS}, output.append, errors.append)
        except CommandError as error:
            raise _told(error, errors or output) from error
        return "\n".join(output)

    @cached_property
    def _pulumi(self) -> Any:
        """It wants a folder with bin/pulumi in it."""
        from pulumi.automation import PulumiCommand

        link, binary = self.home / "bin" / "pulumi", programs.find("pulumi")
        if not link.is_symlink() or link.readlink() != binary:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(binary)
        return PulumiCommand(root=str(self.home), skip_version_check=True)


def _told(error: Exception, lines: Sequence[str]) -> EngineFailed | StackLocked:
    from pulumi.automation.errors import ConcurrentUpdateError, StackNotFoundError

    what = "\n".join(line for line in lines if line.strip())
    if isinstance(error, ConcurrentUpdateError):
        held = next((line.partition("created by ")[2] for line in lines if "created by " in line), what)
        return StackLocked(
            f"the stack is locked by {held}",
            not_done="nothing was changed",
            next="wait for the other engine; where it is dead, take its lock away: ops fleet recover cancel",
        )
    if died := re.match(r"\s*code: -(\d+)$", str(error), re.MULTILINE):
        return EngineFailed(f"the engine was killed, by signal {died[1]}", not_done="what it did is not known")
    if isinstance(error, StackNotFoundError):
        return NoStack(what, not_done="nothing was changed", next="ops fleet up makes it")
    backend = re.search(
        r"unable to open bucket|PULUMI_ACCESS_TOKEN|could not create secrets manager|vault.azure.net", what
    )
    where = "PULUMI_BACKEND_URL and the login: ops fleet bootstrap prints the backend's line; --emulated needs neither"
    if "unknown stack" in what:
        where = "ops fleet up makes the stack that this one refers to"
    return EngineFailed(
        what, not_done="what was asked was not done", next=where if backend or "unknown stack" in what else ""
    )


@contextmanager
def listening(account: Account, on_event: OnEvent) -> Iterator[Path]:
    """A file for the engine's events, read while it works by a thread that is gone when this ends."""
    with tempfile.TemporaryDirectory(prefix="engine-events-") as folder:
        log, over = Path(folder) / "events.jsonl", threading.Event()
        log.touch()
        reader = threading.Thread(target=_follow, args=(log, over, account, on_event), daemon=True)
        reader.start()
        try:
            yield log
        finally:
            over.set()
            reader.join()


def _follow(log: Path, over: threading.Event, account: Account, on_event: OnEvent) -> None:
    """Hear every whole line; once more after the end, since the last ones may come with it."""
    rest = ""
    with log.open(encoding="utf-8") as file:
        while True:
            last = over.wait(LOOK)
            *lines, rest = (rest + file.read()).split("\n")
            for line in lines:
                if progress := account.hear(json.loads(line)):
                    on_event(progress)
            if last:
                return
