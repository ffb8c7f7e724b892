"""Azure's traces are read strictly: every line that is wrong is named."""

from __future__ import annotations

import pytest

from loadtests.arrivals.azure import HEADER, parse
from loadtests.arrivals.row import Row, TraceError

GOOD = "2023-11-16 18:15:46.6805900,374,44"


def test_offsets_count_from_the_first_row() -> None:
    """Parts of a second are read."""
    lines = [HEADER, GOOD, "2023-11-16 18:15:50.9951690,396,109"]
    assert parse(lines, "t") == (Row(0.0, 374, 44), Row(4.314579, 396, 109))


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
        ("2023-11-16 18:15:45,2,2", "is before the row above, at 0 s; rows ascend in time"),
    ],
)
def test_a_bad_row_is_named_with_its_line(line: str, message: str) -> None:
    """The line number is that of an editor."""
    with pytest.raises(TraceError) as caught:
        parse([HEADER, GOOD, line, GOOD.replace(":46", ":59")], "my.csv")
    assert caught.value.what.startswith("my.csv:3: ")
    assert message in caught.value.what
    assert "\n" not in caught.value.what


def test_problems_come_in_the_order_of_the_file() -> None:
    """Whatever kind they are of."""
    with pytest.raises(TraceError) as caught:
        parse([HEADER, GOOD, GOOD.replace(":46", ":45"), "x", GOOD.replace(":46", ":44")], "t")
    assert [line[:4] for line in caught.value.what.splitlines()] == ["t:3:", "t:4:", "t:5:"]
