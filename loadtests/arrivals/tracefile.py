"""A trace file: recorded requests or recorded rates, of whichever publisher. Pure: parses text and opens no file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from infra.suggest import hint
from infra.token_length import BLOCK
from loadtests.arrivals import azure, mooncake, servegen
from loadtests.arrivals.curve import Stretch
from loadtests.arrivals.row import NOT_DONE, Problem, Row, TraceError, refuse

TRACES = {
    "conv": "azure2023_conv.csv",
    "code": "azure2023_code.csv",
    "mooncake": "mooncake_conversation_10min.jsonl",
    "servegen": "servegen_m-mid_day.rates.csv",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """Requests in the order of their time, or rates window by window; both where lengths come from another trace."""

    rows: tuple[Row, ...] = ()
    rates: tuple[Stretch, ...] = ()

    @property
    def period(self) -> float:
        """The length of one round in seconds: the span and one mean gap, which joins the end to the start."""
        span = self.rows[-1].offset
        return span + span / (len(self.rows) - 1)

    @property
    def blocks(self) -> int:
        """One more than the highest block that a prompt has: rounds are so many blocks apart."""
        return 1 + max((block for row in self.rows for block in row.blocks), default=0)


def path_of(name: str) -> Path:
    """The file of a trace: `conv`, `azure2023_conv`, or with a slash a file of one's own. Raises TraceError."""
    folder = Path(__file__).parents[1] / "traces"
    for short, file in TRACES.items():
        if name in (short, file, Path(file).stem):
            return folder / file
    if "/" in name:
        return Path(name)
    what = f"there is no trace {name!r}{hint(name, TRACES)}"
    raise TraceError(what, not_done=NOT_DONE, next="--trace NAME for one of ours, --trace ./FILE for a file of yours")


def parse(text: str, source: str) -> Recording:
    """What a file has, by its first line. Raises TraceError with every problem as `source:line: message`."""
    lines = text.removeprefix("\ufeff").splitlines()
    first = lines[0] if lines else ""
    if first == servegen.HEADER:
        return Recording(rates=servegen.parse(lines, source))
    if first != azure.HEADER and not first.startswith("{"):
        known = f"{azure.HEADER} (Azure), {servegen.HEADER} (ServeGen), or {mooncake.FORM} (Mooncake)"
        raise refuse(source, [Problem(1, f"the first line must be {known}")])
    rows = (azure.parse if first == azure.HEADER else mooncake.parse)(lines, source)
    if len(rows) < 2 or not rows[-1].offset:
        raise refuse(source, [Problem(len(lines), "a trace needs at least two rows, at two times: one has no rate")])
    return Recording(rows=rows)


def cut(rows: tuple[Row, ...], prompt: int | None, output: int | None) -> tuple[Row, ...]:
    """The rows with no prompt and no answer of more than so many tokens; unchanged for None."""
    if prompt is None and output is None:
        return rows
    return tuple(_cut(row, prompt or row.prompt_tokens, output or row.output_tokens) for row in rows)


def _cut(row: Row, prompt: int, output: int) -> Row:
    most, answer = min(row.prompt_tokens, prompt), min(row.output_tokens, output)
    return replace(row, prompt_tokens=most, output_tokens=answer, blocks=row.blocks[: -(-most // BLOCK)])
