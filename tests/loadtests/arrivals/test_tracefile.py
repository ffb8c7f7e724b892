"""Traces are read strictly, and the ones that ship are what their README says."""

from __future__ import annotations

import pytest

from loadtests.arrivals import tracefile
from loadtests.arrivals.tracefile import HEADER, Row, TraceError, cut, parse, path_of

GOOD = "2023-11-16 18:15:46.6805900,374,44"


def read(name: str) -> tuple[Row, ...]:
    return parse(path_of(name).read_text(encoding="utf-8"), name)


# Counts, spans and means of the whole files, as their publishers' repository has them.
@pytest.mark.parametrize(
    ("name", "rows", "minutes", "prompt", "output"),
    [("conv", 19366, 58.4, 1154.7, 211.1), ("code", 8819, 57.3, 2047.8, 27.9)],
)
def test_the_traces_that_ship_are_whole(name: str, rows: int, minutes: float, prompt: float, output: float) -> None:
    """Every row is there and ascends in time."""
    found = read(name)
    assert len(found) == rows
    assert found[-1].offset / 60 == pytest.approx(minutes, abs=0.05)
    assert sum(row.prompt_tokens for row in found) / rows == pytest.approx(prompt, abs=0.05)
    assert sum(row.output_tokens for row in found) / rows == pytest.approx(output, abs=0.05)
    assert [row.offset for row in found] == sorted(row.offset for row in found)


def test_offsets_count_from_the_first_row() -> None:
    """Line ends of either kind, a byte order mark and parts of a second are read."""
    text = f"\ufeff{HEADER}\r\n{GOOD}\r\n2023-11-16 18:15:50.9951690,396,109"
    assert parse(text, "t") == (Row(0.0, 374, 44), Row(4.314579, 396, 109))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "is not `YYYY"),
        ("2023-11-16 18:15:50,396", "is not `YYYY"),
        ("2023-11-16T18:15:50,396,1", "is not `YYYY"),
        ("2023-11-16 18:15:50,396,1,2", "is not `YYYY"),
        ("2023-11-16 18:15:50,-1,2", "is not `YYYY"),
        ("2023-11-16 18:15:50,1e3,2", "is not `YYYY"),
        ("2023-13-16 18:15:50,1,2", "is not a time"),
        ("2023-11-16 18:15:50,0,2", "must be at least 1"),
        ("2023-11-16 18:15:50,2,0", "must be at least 1"),
        ("2023-11-16 18:15:45,2,2", "is before the row above"),
    ],
)
def test_a_bad_row_is_named_with_its_line(line: str, message: str) -> None:
    """The line number is that of an editor."""
    with pytest.raises(TraceError) as caught:
        parse(f"{HEADER}\n{GOOD}\n{line}\n{GOOD.replace(':46', ':59')}", "my.csv")
    assert caught.value.what.startswith("my.csv:3: ")
    assert message in caught.value.what
    assert "\n" not in caught.value.what


def test_a_file_of_another_kind_does_not_fill_the_screen() -> None:
    """The first problems are shown and the rest counted."""
    with pytest.raises(TraceError) as caught:
        parse("\n".join([HEADER, *["x"] * 1000]), "t")
    assert len(caught.value.what.splitlines()) == tracefile.MOST_PROBLEMS + 1
    assert caught.value.what.endswith("and 990 more")


@pytest.mark.parametrize("text", ["", "a,b,c\n", GOOD])
def test_a_file_without_the_header_is_refused(text: str) -> None:
    """The message says what the first line must be."""
    with pytest.raises(TraceError, match=f":1: the first line must be {HEADER}"):
        parse(text, "t")


@pytest.mark.parametrize("text", [HEADER, f"{HEADER}\n{GOOD}\n"])
def test_a_trace_of_one_row_has_no_rate(text: str) -> None:
    """Two rows are the least."""
    with pytest.raises(TraceError, match="at least two rows"):
        parse(text, "t")


@pytest.mark.parametrize("name", ["conv", "azure2023_conv", "azure2023_conv.csv"])
def test_a_trace_has_a_short_and_a_long_name(name: str) -> None:
    """Fleet files may use either."""
    assert path_of(name).name == "azure2023_conv.csv"


def test_an_unknown_trace_names_the_choices() -> None:
    """So that nobody has to look them up."""
    with pytest.raises(TraceError, match="no trace 'chat'; there are conv and code"):
        path_of("chat")


def test_cutting_shortens_answers_only() -> None:
    """And none leaves the rows as they are."""
    rows = (Row(0.0, 500, 90), Row(1.0, 500, 10))
    assert cut(rows, 20) == (Row(0.0, 500, 20), Row(1.0, 500, 10))
    assert cut(rows, None) == rows
