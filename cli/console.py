"""What a command says: answers on stdout, the story and questions on stderr. Knows nothing of what is said."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

from infra.errors import Refused

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

API_VERSION = "bellwether/v1"
WIDTH = 80  # columns where there is no terminal to ask


class Output(StrEnum):
    """The form of an answer."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def story(text: str = "") -> None:
    """One line of the story, on stderr. A reader that has gone is not an error: the work goes on."""
    with suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)


def document(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An answer for machines: `data` under the apiVersion and kind that say how to read it."""
    return {"apiVersion": API_VERSION, "kind": kind, **data}


def emit(data: Any, output: Output, table: Callable[[], Any] | None = None) -> None:
    """The answer, on stdout: `data` (JSON values) as JSON or YAML, or what `table` makes: text, or what rich can print.

    Without a `table` the form for people is YAML.
    """
    match output:
        case Output.JSON:
            print(json.dumps(data, indent=2, ensure_ascii=False), flush=True)
        case Output.TABLE if table is not None:
            _show(table())
        case _:
            print(_yaml(data), end="", flush=True)


def grid(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = ()) -> Table:
    """A plain table: a header, one line per row, nothing drawn; the columns named in `right` are aligned right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    numbers = set(right)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    return table


def console(stream: TextIO) -> Console:
    """A rich console on `stream`: colour only on a terminal that wants it, 80 columns where there is none."""
    from rich.console import Console

    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        color_system="auto" if coloured(stream) else None,
        width=None if terminal else WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )


def coloured(stream: TextIO) -> bool:
    """Whether colour may be used: a terminal that is not dumb, and NO_COLOR not set (no-color.org: or empty)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def confirm(question: str, yes: bool) -> None:
    """Ask a person; returns on y. Raises Refused on any other answer, and where there is no terminal to ask at."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            f"this needs an answer and there is no terminal to ask at: {question}",
            not_done="nothing was changed",
            next="the same command with --yes",
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("answered no", not_done="nothing was changed")


def confirm_name(question: str, name: str, given: str | None = None) -> None:
    """Ask a person to type a name, for what cannot be taken back; `given` is what a script says it would type.

    Raises Refused on any other answer, and where there is neither.
    """
    asked = f"{question} type {name} to do it"
    if given is None:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Refused(
                f"this needs an answer and there is no terminal to ask at: {asked}",
                not_done="nothing was changed",
                next=f"the same command with --confirm {name}",
            )
        print(f"{asked}: ", end="", file=sys.stderr, flush=True)
        given = sys.stdin.readline().strip()
    if given != name:
        raise Refused(f"{given!r} is not {name!r}", not_done="nothing was changed")


def _show(answer: Any) -> None:
    """Text as it is, so that a path in it can be copied; a table without blanks behind its rows."""
    if isinstance(answer, str):
        print(answer, flush=True)
        return
    page = console(sys.stdout)
    with page.capture() as capture:
        page.print(answer, crop=False)  # a line that may not be wrapped, such as a path, stays whole
    print("\n".join(line.rstrip() for line in capture.get().splitlines()), flush=True)


def _yaml(data: Any) -> str:
    import yaml

    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=WIDTH))
