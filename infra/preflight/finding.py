"""What a check of a fleet found: what does not fit, what nobody knows, what to mind; the figures behind it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from infra.yamlfile.problem import Place, show
from infra.yamlfile.source import Source

Kind = Literal["violation", "unknown", "warning"]
KINDS: tuple[Kind, ...] = ("violation", "unknown", "warning")
"""The worst first."""

Cell = str | int | float | None
"""One figure of a table; None is one that nobody knows."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """What would fit instead: machines of a size in a region of the same residency group."""

    sku: str
    region: str
    location: str
    machines: int
    memory: int  # GB of one GPU
    usd_per_hour: float | None  # for all of the machines

    def __str__(self) -> str:
        price = "price unknown" if self.usd_per_hour is None else f"${self.usd_per_hour:,.2f} an hour"
        return f"{self.machines} x {self.sku} in {self.region} ({self.memory} GB a GPU, {price})"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, where the fleet file says it, the limit that binds, and what would fit, best first."""

    kind: Kind
    where: str
    what: str
    binding: str = ""
    fallbacks: tuple[Fallback, ...] = ()

    def __str__(self) -> str:
        lines = [": ".join(part for part in (self.where, self.what) if part)]
        lines += [f"  binding: {self.binding}"] if self.binding else []
        lines += [f"  instead: {fallback}" for fallback in self.fallbacks]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Table:
    """Figures with a title and a note, for a screen or a machine."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def shown(self) -> tuple[tuple[str, ...], ...]:
        """The rows as text: thousands with commas, money to the cent or finer, `unknown` for what nobody knows."""
        return tuple(tuple(_text(cell) for cell in row) for row in self.rows)

    def document(self) -> list[dict[str, Cell]]:
        """The rows for a machine, column -> figure."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding at a place of the fleet, before it is known in which file the fleet is."""

    kind: Kind
    place: Place
    what: str
    binding: str = ""
    fallbacks: tuple[Fallback, ...] = ()

    def at(self, source: Source | None) -> Finding:
        """The finding with file, line and column, as far as there is a file."""
        path = show(self.place)
        mark = source.mark(self.place) if source else None
        where = f"{source.file}:{mark.line}:{mark.column}: {path}" if source and mark and self.place else path
        return Finding(self.kind, where, self.what, self.binding, self.fallbacks)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return "unknown"
        case int():
            return f"{cell:,}"
        case float():
            cents = f"{cell:,.4f}".rstrip("0")
            return cents + "0" * max(0, 2 - len(cents.partition(".")[2]))
    return cell
