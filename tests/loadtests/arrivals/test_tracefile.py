"""Traces are told apart by their first line, and the ones that ship are what their README says."""

from __future__ import annotations

import pytest

from loadtests.arrivals import azure, row, servegen
from loadtests.arrivals.row import Row, TraceError
from loadtests.arrivals.tracefile import Recording, cut, parse, path_of

GOOD = "2023-11-16 18:15:46.6805900,374,44"
LATER = "2023-11-16 18:15:50.9951690,396,109"


def read(name: str) -> Recording:
    return parse(path_of(name).read_text(encoding="utf-8"), name)


# Counts, spans and means, as their publishers' repositories have them (Mooncake's: of the lines that ship).
@pytest.mark.parametrize(
    ("name", "rows", "minutes", "prompt", "output"),
    [
        ("conv", 19366, 58.4, 1154.7, 211.1),
        ("code", 8819, 57.3, 2047.8, 27.9),
        ("mooncake", 1750, 9.95, 13992.3, 354.1),
    ],
)
def test_the_traces_that_ship_are_whole(name: str, rows: int, minutes: float, prompt: float, output: float) -> None:
    """Every row is there and ascends in time."""
    found = read(name).rows
    assert len(found) == rows
    assert found[-1].offset / 60 == pytest.approx(minutes, abs=0.05)
    assert sum(row.prompt_tokens for row in found) / rows == pytest.approx(prompt, abs=0.05)
    assert sum(row.output_tokens for row in found) / rows == pytest.approx(output, abs=0.05)
    assert [row.offset for row in found] == sorted(row.offset for row in found)


def test_the_day_that_ships_is_a_day() -> None:
    """144 windows of ten minutes; its peak is 2.86 times its trough, as real days have 2.3 to 4.9."""
    rates = [window.rate for window in read("servegen").rates]
    assert (len(rates), sum(window.lasting for window in read("servegen").rates)) == (144, 86400)
    assert max(rates) / min(rates) == pytest.approx(2.86, abs=0.01)


def test_what_a_file_has_is_told_by_its_first_line() -> None:
    """Line ends of either kind and a byte order mark are read."""
    assert len(parse(f"\ufeff{azure.HEADER}\r\n{GOOD}\r\n{LATER}", "t").rows) == 2
    line = '{"timestamp": %d, "input_length": 5, "output_length": 6, "hash_ids": [0]}'
    assert parse(f"{line % 0}\n{line % 1500}\n", "t").rows == (Row(0.0, 5, 6, (0,)), Row(1.5, 5, 6, (0,)))
    assert len(parse(f"{servegen.HEADER}\n0,5.0,1.5,3\n600,6.0,1.5,3\n", "t").rates) == 2


@pytest.mark.parametrize("text", ["", "a,b,c\n", GOOD, "[]"])
def test_a_file_of_no_known_kind_is_refused(text: str) -> None:
    """The message says what the first line may be."""
    with pytest.raises(TraceError) as caught:
        parse(text, "my.csv")
    assert caught.value.what.startswith(
        f"my.csv:1: the first line must be {azure.HEADER} (Azure), {servegen.HEADER} (S"
    )


def test_a_file_of_nothing_but_problems_does_not_fill_the_screen() -> None:
    """The first problems are shown and the rest counted."""
    with pytest.raises(TraceError) as caught:
        parse("\n".join([azure.HEADER, *["x"] * 1000]), "t")
    assert len(caught.value.what.splitlines()) == row.MOST_PROBLEMS + 1
    assert caught.value.what.endswith("and 990 more")


@pytest.mark.parametrize("text", [azure.HEADER, f"{azure.HEADER}\n{GOOD}\n", f"{azure.HEADER}\n{GOOD}\n{GOOD}\n"])
def test_a_trace_of_one_moment_has_no_rate(text: str) -> None:
    """Two rows at two times are the least."""
    with pytest.raises(TraceError, match="at least two rows, at two times"):
        parse(text, "t")


@pytest.mark.parametrize("name", ["conv", "azure2023_conv", "azure2023_conv.csv"])
def test_a_trace_has_a_short_and_a_long_name(name: str) -> None:
    """Any of them will do."""
    assert path_of(name).name == "azure2023_conv.csv"


def test_a_slash_makes_a_file_of_ones_own() -> None:
    """As with fleet files."""
    assert str(path_of("./conv")) == "conv"


def test_an_unknown_trace_names_the_choices() -> None:
    """So that nobody has to look them up."""
    with pytest.raises(TraceError, match=r"no trace 'convo'; did you mean conv\?"):
        path_of("convo")
    with pytest.raises(TraceError, match="no trace 'x'; known: code, conv, mooncake, servegen"):
        path_of("x")


def test_cutting_shortens_prompts_and_answers() -> None:
    """Blocks that are cut off are not shared; and none leaves the rows as they are."""
    rows = (Row(0.0, 1500, 90, (4, 5, 6)), Row(1.0, 500, 10, (4,)))
    assert cut(rows, None, 20) == (Row(0.0, 1500, 20, (4, 5, 6)), Row(1.0, 500, 10, (4,)))
    assert cut(rows, 1024, None) == (Row(0.0, 1024, 90, (4, 5)), Row(1.0, 500, 10, (4,)))
    assert cut(rows, 1025, None)[0].blocks == (4, 5, 6)
    assert cut(rows, None, None) == rows
