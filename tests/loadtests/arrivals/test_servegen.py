"""ServeGen's rates are read as windows of one length, and every line that is wrong is named."""

from __future__ import annotations

import pytest

from loadtests.arrivals.curve import Stretch
from loadtests.arrivals.row import TraceError
from loadtests.arrivals.servegen import HEADER, parse

LINES = [HEADER, "0,986.5650,2.232,55", "600,0.0000,0.000,0", "1200,1107.6583,85.718,56"]


def test_a_row_is_a_window_with_a_rate_and_a_variation() -> None:
    """A window may be empty, and a variation that no process of gaps can have is cut to 20."""
    assert parse(LINES, "t") == (Stretch(600, 986.565, 2.232), Stretch(600, 0, 0), Stretch(600, 1107.6583, 20))


@pytest.mark.parametrize(
    ("line", "wrong", "message"),
    [
        (2, "0,986.5650,2.232", "'0,986.5650,2.232' is not `t_s,"),
        (3, "600,-1,2,5", "'600,-1,2,5' is not `t_s,"),
        (3, "600,nan,2,5", "'600,nan,2,5' is not `t_s,"),
        (4, "", "'' is not `t_s,"),
        (4, "1300,5,2,5", "1300 s is not 600 s after the row above; windows are of one length"),
        (3, "0,5,2,5", "0 s is not 0 s after the row above"),
    ],
)
def test_a_bad_row_is_named_with_its_line(line: int, wrong: str, message: str) -> None:
    """The line number is that of an editor."""
    lines = [*LINES[: line - 1], wrong, *LINES[line:]]
    with pytest.raises(TraceError) as caught:
        parse(lines, "my.rates.csv")
    assert caught.value.what.startswith(f"my.rates.csv:{line}: ")
    assert message in caught.value.what


def test_one_window_has_no_length() -> None:
    """The second says how long the first lasts."""
    with pytest.raises(TraceError, match="t:2: rates need at least two rows"):
        parse(LINES[:2], "t")


def test_a_day_without_requests_is_refused() -> None:
    """Nothing would ever be sent."""
    with pytest.raises(TraceError, match="t:2: no row has a rate above 0"):
        parse([HEADER, "0,0,1,1", "600,0,1,1"], "t")
