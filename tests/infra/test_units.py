"""Quantities are read as people write them, and written so that they read back as the same number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from infra import units

DAY = 86400.0

READ: list[tuple[Callable[[object], float], object, float]] = [
    (units.parse_duration, "500ms", 0.5),
    (units.parse_duration, "1.5s", 1.5),
    (units.parse_duration, "5m", 300),
    (units.parse_duration, "2h", 7200),
    (units.parse_duration, "30d", 30 * DAY),
    (units.parse_duration, "250us", 0.00025),
    (units.parse_duration, "0s", 0),
    (units.parse_ratio, "99.9%", 0.999),
    (units.parse_ratio, 0.999, 0.999),
    (units.parse_ratio, "0.999", 0.999),
    (units.parse_ratio, 1e-7, 1e-7),
    (units.parse_ratio, "100%", 1),
    (units.parse_ratio, 1.0, 1),
    (units.parse_ratio, 0, 0),
    (units.parse_percent, "0.05%", 0.05),
    (units.parse_percent, "25%", 25),
    (units.parse_rate, "100/s", 100),
    (units.parse_rate, "6000/m", 100),
    (units.parse_rate, "360/h", 0.1),
    (units.parse_tokens, 4096, 4096),
    (units.parse_tokens, "4k", 4000),
    (units.parse_tokens, "4Ki", 4096),
    (units.parse_tokens, "1.5k", 1500),
    (units.parse_bytes, "64KiB", 65536),
    (units.parse_bytes, "500MB", 500_000_000),
    (units.parse_bytes, "12B", 12),
    (units.parse_times, "10x", 10),
    (units.parse_times, "0.5x", 0.5),
]

REFUSED: list[tuple[Callable[[object], float], object, str]] = [
    (units.parse_duration, 5, "5 has no unit; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, "5", "'5' is not understood; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, "5 m", "'5 m' is not understood; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, "-5s", "'-5s' is not understood; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, "1h30m", "'1h30m' is not understood; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, "1e3s", "'1e3s' is not understood; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, "\u0665m", "'\u0665m' is not understood; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, "4000d", "'4000d' is longer than ten years; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, None, "None is not a quantity; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, True, "True is not a quantity; write a duration such as 500ms, 5m, 30d"),
    (units.parse_duration, float("nan"), "nan has no unit; write a duration such as 500ms, 5m, 30d"),
    (units.parse_ratio, 1, "1 could mean 1% or 100%; write the one that is meant"),
    (units.parse_ratio, "1", "1 could mean 1% or 100%; write the one that is meant"),
    (units.parse_ratio, 99.9, "99.9 is more than 100%; write a share such as 99.9% or 0.999"),
    (units.parse_ratio, "101%", "'101%' is more than 100%; write a share such as 99.9% or 0.999"),
    (units.parse_ratio, -0.1, "'-0.1' is not understood; write a share such as 99.9% or 0.999"),
    (units.parse_ratio, float("inf"), "'Infinity' is not understood; write a share such as 99.9% or 0.999"),
    (units.parse_ratio, True, "True is not a quantity; write a share such as 99.9% or 0.999"),
    (units.parse_percent, 25, "25 has no unit; write a percentage of traffic such as 0.05%, 25%"),
    (units.parse_percent, "101%", "'101%' is more than 100%; write a percentage of traffic such as 0.05%, 25%"),
    (units.parse_rate, 100, "100 has no unit; write a rate such as 100/s, 6000/m"),
    (units.parse_rate, "100/d", "'100/d' is not understood; write a rate such as 100/s, 6000/m"),
    (
        units.parse_tokens,
        "4K",
        "'4K' is not understood; write a number of tokens such as 4096, 4k (4,000), 4Ki (4,096)",
    ),
    (
        units.parse_tokens,
        "1.5",
        "'1.5' is not a whole number; write a number of tokens such as 4096, 4k (4,000), 4Ki (4,096)",
    ),
    (units.parse_bytes, 1000, "1000 has no unit; write a size such as 64KiB, 500MB, 2GiB"),
    (units.parse_times, 10, "10 has no unit; write how many times as much, such as 4x, 0.5x"),
    (units.parse_times, "x10", "'x10' is not understood; write how many times as much, such as 4x, 0.5x"),
    (units.parse_times, "0x", "'0x' is nothing; write how many times as much, such as 4x, 0.5x"),
    (units.parse_bytes, "0.5B", "'0.5B' is not a whole number; write a size such as 64KiB, 500MB, 2GiB"),
]


@pytest.mark.parametrize(("parse", "text", "value"), READ)
def test_quantities_are_read(parse: Callable[[object], float], text: object, value: float) -> None:
    """As written, exactly."""
    assert parse(text) == value


@pytest.mark.parametrize(("parse", "text", "message"), REFUSED)
def test_what_is_no_quantity_is_refused_with_what_would_be_right(
    parse: Callable[[object], float], text: object, message: str
) -> None:
    """The whole message."""
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == message


@given(st.floats(0, 3650 * DAY))
def test_a_duration_reads_back_as_the_same_number(seconds: float) -> None:
    """For every float."""
    assert units.parse_duration(units.format_duration(seconds)) == seconds


@given(st.floats(0, 1))
def test_a_ratio_reads_back_as_the_same_number(ratio: float) -> None:
    """For every float."""
    assert units.parse_ratio(units.format_ratio(ratio)) == ratio


@given(st.floats(0, 100))
def test_a_percentage_reads_back_as_the_same_number(percent: float) -> None:
    """For every float."""
    assert units.parse_percent(units.format_percent(percent)) == percent


@given(st.floats(0, 1e9))
def test_a_rate_reads_back_as_the_same_number(rate: float) -> None:
    """For every float."""
    assert units.parse_rate(units.format_rate(rate)) == rate


@given(st.integers(0, 10**15))
def test_a_size_reads_back_as_the_same_number(count: int) -> None:
    """For every size."""
    assert units.parse_bytes(units.format_bytes(count)) == count


@given(st.floats(1e-9, 1e9))
def test_a_factor_reads_back_as_the_same_number(factor: float) -> None:
    """For every float."""
    assert units.parse_times(units.format_times(factor)) == factor


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (units.format_duration(0.25), "250ms"),
        (units.format_duration(2.5), "2.5s"),
        (units.format_duration(90), "90s"),
        (units.format_duration(60), "1m"),
        (units.format_duration(7 * DAY), "7d"),
        (units.format_duration(0.0031), "3.1ms"),
        (units.format_duration(0), "0s"),
        (units.format_ratio(0.999), "99.9%"),
        (units.format_ratio(0), "0%"),
        (units.format_percent(25), "25%"),
        (units.format_rate(100), "100/s"),
        (units.format_rate(100 / 60), "100/m"),
        (units.format_times(10), "10x"),
        (units.format_bytes(2 * 1024**3), "2GiB"),
        (units.format_bytes(1000), "1000B"),
        (units.format_bytes(0), "0B"),
    ],
)
def test_quantities_are_written_as_people_do(written: str, shown: str) -> None:
    """The largest unit that makes a short number."""
    assert written == shown


class Everything(BaseModel):
    """One of each."""

    duration: units.Duration
    ratio: units.Ratio
    percent: units.Percent
    rate: units.Rate
    tokens: units.Tokens
    size: units.Bytes
    times: units.Times


def test_a_model_with_quantities_survives_json() -> None:
    """Dumped as text with units, and validated again."""
    text = {"duration": "5m", "ratio": "99.9%", "percent": "25%", "rate": "100/s", "size": "2GiB", "times": "10x"}
    text["tokens"] = "4Ki"
    model = Everything.model_validate(text)
    assert model.duration == 300
    assert model.model_dump(mode="json") == {**text, "tokens": 4096}
    assert Everything.model_validate_json(model.model_dump_json()) == model


@pytest.mark.parametrize(
    ("kind", "nothing", "example"),
    [(units.SomeDuration, "0s", "500ms"), (units.SomeRate, "0/s", "100/s"), (units.SomeTokens, "0k", "4096")],
    ids=["duration", "rate", "tokens"],
)
def test_nothing_is_refused_where_there_must_be_some(kind: Any, nothing: str, example: str) -> None:
    """With what would be right; a little is enough."""
    with pytest.raises(ValidationError, match=f"it is nothing; write a .* such as {example}"):
        TypeAdapter(kind).validate_python(nothing)
    assert TypeAdapter(kind).validate_python(nothing.replace("0", "1")) > 0


@given(st.text(max_size=20))
def test_no_text_makes_a_quantity_fail_in_another_way(text: str) -> None:
    """A ValidationError or a number, whatever the text."""
    kinds: list[Any] = [units.Duration, units.Ratio, units.Percent, units.Rate, units.Tokens, units.Bytes, units.Times]
    for kind in kinds:
        with suppress(ValidationError):
            assert TypeAdapter(kind).validate_python(text) >= 0
