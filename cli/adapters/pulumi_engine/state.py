"""States of stacks as they were before each run: put aside, listed, put back."""

from __future__ import annotations

from pathlib import Path

from infra.blueprint.stack import Stack
from infra.engine.deploy import Engine
from infra.errors import InvalidInput
from infra.store import CorruptFile, read_json, write_json


class NotKept(InvalidInput):
    """No state of before such a run was kept."""


class States:
    """A file for each stack and run, in a folder."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder

    def keep(self, stack: Stack, run: str) -> None:
        """Put the state aside as it is before the run."""
        if self._engine.exists(stack):
            write_json(self._of(stack) / f"{run}.json", self._engine.export(stack))

    def versions(self, stack: Stack) -> list[str]:
        """The runs before which the state was kept, the newest first."""
        folder = self._of(stack)
        return sorted((path.stem for path in folder.glob("*.json")), reverse=True)

    def restore(self, stack: Stack, run: str) -> None:
        """Put the state of before a run in place of the one that is there. Raises NotKept, CorruptFile."""
        if run not in self.versions(stack):
            known = ", ".join(self.versions(stack)) or "none was kept"
            raise NotKept(f"no state of before {run!r} was kept; known: {known}", not_done="nothing was changed")
        path = self._of(stack) / f"{run}.json"
        kept = read_json(path)
        if not isinstance(kept, dict) or "deployment" not in kept:
            raise CorruptFile(f"{path} is not the state of a stack", not_done="nothing was changed")
        self._engine.restore(stack, kept)

    def _of(self, stack: Stack) -> Path:
        return self._folder / f"{stack.project}.{stack.name}"
