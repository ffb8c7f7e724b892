"""Data that would leave their residency group: the path they would take, and why it is not allowed.

Pure: a value, found by proof.py and edge_path.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.yamlfile.problem import Place, Problem
from infra.yamlfile.source import Source


@dataclass(frozen=True, slots=True)
class Violation:
    """`path` is resource -> property -> where it leads; `place` is what of the fleet file it stems from."""

    path: str
    what: str
    place: Place = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"

    def problem(self, source: Source) -> Problem:
        """The same as a problem of the fleet file, with line and column."""
        return source.problem(self.place, str(self))
