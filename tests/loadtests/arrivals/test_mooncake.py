"""Mooncake's traces are read strictly: every line that is wrong is named, with what would be right."""

from __future__ import annotations

import pytest

from loadtests.arrivals.mooncake import parse
from loadtests.arrivals.row import Row, TraceError

GOOD = '{"timestamp": 3000, "input_length": 600, "output_length": 52, "hash_ids": [0, 7]}'


def test_times_are_seconds_from_the_first_and_blocks_are_kept() -> None:
    """The file has milliseconds; what else a line has is its publishers' own."""
    later = GOOD.replace("3000", "6500.5").replace("}", ', "type": "chat"}')
    assert parse([GOOD, later], "t") == (Row(0.0, 600, 52, (0, 7)), Row(3.5005, 600, 52, (0, 7)))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "'' is not JSON; a line is {"),
        ("timestamp,input_length", "'timestamp,input_length' is not JSON; a line is {"),
        ("[" * 5000, "is not JSON"),
        ("5", "the line: input should be"),
        (GOOD.replace("3000", '"3 s"'), "timestamp: input should be a valid number"),
        (GOOD.replace("3000", "-1"), "timestamp: input should be greater than or equal to 0"),
        (GOOD.replace("3000", "NaN"), "timestamp: input should be a finite number"),
        (GOOD.replace("3000", "2999"), "-0.001 s is before the row above, at 0 s; rows ascend in time"),
        (GOOD.replace('"output_length": 52, ', ""), "output_length: field required; a line is {"),
        (GOOD.replace("600", "0"), "input_length: input should be greater than or equal to 1"),
        (GOOD.replace("600", "600.5"), "input_length: input should be a valid integer"),
        (GOOD.replace("52", "true"), "output_length: input should be a valid integer"),
        (GOOD.replace("[0, 7]", "[0, -7]"), "hash_ids.1: input should be greater than or equal to 0"),
        (GOOD.replace("[0, 7]", "[0]"), "600 tokens are 2 blocks of 512, and hash_ids has 1"),
        (GOOD.replace("600", "512"), "512 tokens are 1 blocks of 512, and hash_ids has 2"),
    ],
)
def test_a_bad_line_is_named(line: str, message: str) -> None:
    """With its number and what would be right."""
    with pytest.raises(TraceError) as caught:
        parse([GOOD, line, GOOD], "my.jsonl")
    assert caught.value.what.startswith("my.jsonl:2: ")
    assert message in caught.value.what
    assert "\n" not in caught.value.what
