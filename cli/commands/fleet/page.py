"""What `ops fleet preflight` shows a person: what was found first, then the figures, for 80 columns. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from cli.console import WIDTH

if TYPE_CHECKING:
    from infra.preflight.capacity import Preflight
    from infra.preflight.finding import Finding

Row = Mapping[str, Any]
UNKNOWN = "-"
WHOLE = 10_000  # dollars; from here on without cents
NAMED = 2  # regions; more of them that are alike are counted
_LEGEND = (
    "- is what nobody knows. Machines: fewest to most, +1 while an upgrade runs; vCPUs are of the most and that. "
    "A price is US dollars an hour for one machine, and how far it can be trusted."
)
_QUOTA = "In vCPUs, for the fewest machines and for the most with those of upgrades; left is what others do not use."


def page(found: Preflight) -> str:
    """All of it; a path in it is as short as it may be from here."""
    rows = {table.title: table.document() for table in found.tables}
    notes = {table.title: table.note for table in found.tables}
    parts = [list(_findings(found.findings)), list(_machines(rows["machines"]))]
    if rows["quota"]:
        parts.append(["quota", *_quota(rows["quota"]), "", *_said(_QUOTA)])
    costs, services = rows["cost of regions"], rows["cost of services"]
    parts.append(["cost of regions", *_regions(costs), "", *_said(notes["cost of regions"])])
    if services:
        parts.append(["cost of services", *_services(services), "", *_said(notes["cost of services"])])
    return "\n\n".join("\n".join(part) for part in parts)


def here(text: str) -> str:
    """Text with the paths below the current directory as they are from there."""
    return text.replace(f"{Path.cwd()}/", "")


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    """The worst first; each begins with its kind, and goes on right of it."""
    kinds = set()
    for one in findings:
        kinds.add(one.kind)
        first, *more = here(str(one)).split("\n")
        yield from _hung(first, f"{one.kind:<11}", 11)
        for line in more:
            yield from _hung(line.strip(), " " * 11, 20)
    if not kinds - {"warning"}:
        yield "it fits"


def _machines(rows: Sequence[Row]) -> Iterator[str]:
    heads = ("pool", "size", "bought", "machines", "vCPUs", "zones", "price")
    table = [(row["region"], _machine(row)) for row in rows]
    yield "machines"
    yield from _grouped(heads, table, right=("vCPUs",))
    yield ""
    yield from _said(_LEGEND)
    for source in dict.fromkeys(row["price source"] for row in rows if row["price source"]):
        yield from _said(f"Price source: {source}")


def _machine(row: Row) -> tuple[str, ...]:
    surge = f" +{row['for upgrades']}" if row["for upgrades"] else ""
    machines = f"{_span(row['least'], row['most'])}{surge}"
    usd = row["usd an hour each"]
    price = UNKNOWN if usd is None else f"{usd:,.3f}".removesuffix("0") + f" {row['price confidence']}"
    size = str(row["size"]).removeprefix("Standard_")
    zones = UNKNOWN if row["zones"] == "none" else str(row["zones"]).replace(", ", " ")
    return (row["pool"], size, row["bought"], machines, f"{row['vCPUs']:,}", zones, price)


def _quota(rows: Sequence[Row]) -> Iterator[str]:
    heads = ("quota", "least", "most", "left", "limit")
    names = ("needed at least", "needed at most", "left", "limit")
    table = [(row["location"], (row["quota"], *(_number(row[name]) for name in names))) for row in rows]
    return _grouped(heads, table, right=heads[1:])


def _regions(rows: Sequence[Row]) -> Iterator[str]:
    """The sum of all where there are several."""
    heads = ("region", "usd an hour", "usd a month", "no price for")
    shown = rows[:-1] if len(rows) == 2 else rows  # one region, and the sum of it
    table = []
    for row in shown:
        hour = _span(row["usd an hour, least"], row["usd an hour, most"])
        month = _span(row["usd a month, least"], row["usd a month, most"])
        lost = "all its pools" if hour == UNKNOWN else str(row["pools without a price"]).replace("none", "")
        table.append((str(row["region"]), hour, month, f"{lost} pools" if lost and row["region"] == "all" else lost))
    return _lines(heads, table, right=("usd an hour", "usd a month"))


def _services(rows: Sequence[Row]) -> Iterator[str]:
    """One line for all regions of a service in which its figures are the same."""
    figures = ("replicas", "gpus", "usd a month", "usd a million output tokens", "usd a million tokens")
    heads = ("service", "replicas", "gpus", "usd a month", "per M output", "per M tokens", "regions")
    table: list[tuple[str, ...]] = []
    for service, all_of in groupby(rows, key=lambda row: row["service"]):
        alike: dict[tuple[Any, ...], list[str]] = {}
        for row in all_of:
            alike.setdefault(tuple(row[name] for name in figures), []).append(str(row["region"]))
        for values, regions in alike.items():
            replicas, gpus, month, output, tokens = values
            money = (_number(month and round(month)), _cents(output), _cents(tokens))
            many = sum(len(each) > NAMED for each in alike.values())
            where = _where(regions, alone=len(alike) == 1, only=many == 1)
            name = str(service) if values == next(iter(alike)) else ""
            table.append((name, _number(replicas), _number(gpus), *money, where))
    kept = len(heads) if len({row["region"] for row in rows}) > 1 else -1
    return _lines(heads[:kept], [row[:kept] for row in table], right=heads[1:6])


def _where(regions: Sequence[str], *, alone: bool, only: bool) -> str:
    """Regions by name, but for the one group of them that is large."""
    if len(regions) <= NAMED or not only:
        return ", ".join(regions)
    return f"{'all ' * alone}{len(regions)}{'' if alone else ' others'}"


def _grouped(heads: Sequence[str], rows: Sequence[tuple[str, tuple[str, ...]]], right: Sequence[str]) -> Iterator[str]:
    """Rows under the region that they are of; it stands once, and takes no column."""
    lines = iter([f"  {line}" for line in _lines(heads, [row for _, row in rows], right)])
    yield next(lines)
    for region, group in groupby(rows, key=lambda row: row[0]):
        yield region
        for _ in group:
            yield next(lines)


def _lines(heads: Sequence[str], rows: Sequence[tuple[str, ...]], right: Sequence[str]) -> Iterator[str]:
    """Columns as wide as what is in them; nothing is folded, so that a name can be copied."""
    table = [tuple(head.upper() for head in heads), *rows]
    widths = [max(len(row[at]) for row in table) for at in range(len(heads))]
    sides = [str.rjust if head in right else str.ljust for head in heads]
    for row in table:
        yield "  ".join(side(cell, width) for cell, width, side in zip(row, widths, sides, strict=True)).rstrip()


def _span(least: float | None, most: float | None) -> str:
    """1,234-5,678; one figure where both are the same."""
    if least is None or most is None:
        return UNKNOWN
    form = ",d" if isinstance(most, int) else ",.2f" if most < WHOLE else ",.0f"
    return "-".join(dict.fromkeys(format(end, form) for end in (least, most)))


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _cents(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.4f}"


def _said(text: str) -> list[str]:
    return wrap(text, WIDTH, break_on_hyphens=False, break_long_words=False)


def _hung(text: str, label: str, indent: int) -> list[str]:
    return wrap(
        text,
        WIDTH,
        initial_indent=label,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
