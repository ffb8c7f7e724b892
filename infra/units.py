"""Quantities as people write them: `500ms`, `99.9%`, `100/s`, `4k` tokens, `2GiB`, `10x`. Pure.

Each quantity is a pydantic type. In a file it is text with its unit; a bare number where a unit is needed is refused,
because nobody can tell whether `timeout: 5` is seconds or minutes. In Python it is a plain float or int, and
`model_dump(mode="json")` writes it as text again, so that a dumped model can be validated again without loss.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from infra.yamlfile.problem import brief

NUMBER = r"[0-9]{1,25}(?:\.[0-9]{1,350})?"  # long enough for every float, short enough for every parser

SECONDS = {"d": "86400", "h": "3600", "m": "60", "s": "1", "ms": "0.001", "us": "0.000001"}
PER_SECOND = {"s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
TOKENS = {"": 1, "k": 1000, "m": 1000**2, "Ki": 1024, "Mi": 1024**2}
BYTES = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}

LONGEST = Decimal(3650 * 86400)  # ten years; anything longer is a slip of the keyboard

DURATION_HINT = "write a duration such as 500ms, 5m, 30d"
RATIO_HINT = "write a share such as 99.9% or 0.999"
PERCENT_HINT = "write a percentage of traffic such as 0.05%, 25%"
RATE_HINT = "write a rate such as 100/s, 6000/m"
TOKENS_HINT = "write a number of tokens such as 4096, 4k (4,000), 4Ki (4,096)"
BYTES_HINT = "write a size such as 64KiB, 500MB, 2GiB"
TIMES_HINT = "write how many times as much, such as 4x, 0.5x"


def parse_duration(value: object) -> float:
    """Seconds in `500ms`, `1.5s`, `5m`, `2h`, `30d`. Raises ValueError that says what would be right."""
    number, unit = _split(value, SECONDS, DURATION_HINT)
    seconds = number * Decimal(SECONDS[unit])
    if seconds > LONGEST:
        raise ValueError(f"{brief(value)} is longer than ten years; {DURATION_HINT}")
    return float(seconds)


def format_duration(seconds: float) -> str:
    """A duration as people write it (30d, 90s, 2.5s, 250ms); `parse_duration` reads it back as the same number."""
    exact = Decimal(repr(float(seconds)))
    for unit, size in SECONDS.items():
        count = exact / Decimal(size)
        whole = count == count.to_integral_value()
        if count >= 1 and (whole or unit in ("s", "ms", "us")):
            return f"{_plain(count)}{unit}"
    return f"{_plain(exact)}s"


def parse_ratio(value: object) -> float:
    """A share of 0..1 from `99.9%` or `0.999`. A bare 1 is refused: it could mean 1% or 100%."""
    if value in (1, "1") and not isinstance(value, (bool, float)):
        raise ValueError("1 could mean 1% or 100%; write the one that is meant")
    text = f"{Decimal(repr(value)):f}" if _is_number(value) else value
    number, unit = _split(text, ("%", ""), RATIO_HINT)
    ratio = number / 100 if unit else number
    if ratio > 1:
        raise ValueError(f"{brief(value)} is more than 100%; {RATIO_HINT}")
    return float(ratio)


def format_ratio(ratio: float) -> str:
    """A share as a percentage that `parse_ratio` reads back as the same number."""
    return f"{Decimal(repr(float(ratio))) * 100:f}".rstrip("0").rstrip(".") + "%" if ratio else "0%"


def parse_percent(value: object) -> float:
    """Percent of traffic 0..100 from `25%`; the sign must be there."""
    number, _ = _split(value, ("%",), PERCENT_HINT)
    if number > 100:
        raise ValueError(f"{brief(value)} is more than 100%; {PERCENT_HINT}")
    return float(number)


def format_percent(percent: float) -> str:
    """A percentage as `parse_percent` reads it back."""
    return f"{_plain(Decimal(repr(float(percent))))}%"


def parse_rate(value: object) -> float:
    """Events a second from `100/s`, `6000/m`, `5/h`."""
    number, unit = _split(value, [f"/{unit}" for unit in PER_SECOND], RATE_HINT)
    return float(number / PER_SECOND[unit.removeprefix("/")])


def format_rate(rate: float) -> str:
    """A rate by the second, minute or hour, whichever is a short number and reads back as the same rate."""
    for unit, seconds in PER_SECOND.items():
        text = f"{_plain(round(Decimal(repr(float(rate))) * seconds, 6))}/{unit}"
        if parse_rate(text) == rate:
            return text
    return f"{_plain(Decimal(repr(float(rate))))}/s"


def parse_tokens(value: object) -> int:
    """A count of tokens from `4096`, `4k` (4,000) or `4Ki` (4,096); `4K` is refused, engines disagree about it."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    number, unit = _split(text, TOKENS, TOKENS_HINT)
    return _whole(number * TOKENS[unit], value, TOKENS_HINT)


def parse_bytes(value: object) -> int:
    """Bytes from `64KiB`, `500MB`, `2GiB`."""
    number, unit = _split(value, BYTES, BYTES_HINT)
    return _whole(number * BYTES[unit], value, BYTES_HINT)


def format_bytes(count: int) -> str:
    """Bytes in the largest binary unit that divides them."""
    units = [unit for unit in ("TiB", "GiB", "MiB", "KiB") if count and count % BYTES[unit] == 0]
    return f"{count // BYTES[units[0]]}{units[0]}" if units else f"{count}B"


def parse_times(value: object) -> float:
    """A factor from `10x`, `0.5x`; nothing times as much is refused."""
    number, _ = _split(value, ("x",), TIMES_HINT)
    if number == 0:
        raise ValueError(f"{brief(value)} is nothing; {TIMES_HINT}")
    return float(number)


def format_times(factor: float) -> str:
    """A factor as `parse_times` reads it back."""
    return f"{_plain(Decimal(repr(float(factor))))}x"


def _something(hint: str) -> AfterValidator:
    """A quantity of which there must be some."""

    def check(value: float) -> float:
        if not value:
            raise ValueError(f"it is nothing; {hint}")
        return value

    return AfterValidator(check)


def _split(value: object, units: Mapping[str, object] | list[str] | tuple[str, ...], hint: str) -> tuple[Decimal, str]:
    """Number and unit of a quantity, or a ValueError that ends with `hint`."""
    if not isinstance(value, str):
        trouble = "has no unit" if _is_number(value) else "is not a quantity"
        raise ValueError(f"{brief(value)} {trouble}; {hint}")
    found = re.fullmatch(rf"({NUMBER})(.*)", value, re.DOTALL)
    if found is None or found[2] not in units:
        raise ValueError(f"{brief(value)} is not understood; {hint}")
    return Decimal(found[1]), found[2]


def _whole(number: Decimal, value: object, hint: str) -> int:
    if number != number.to_integral_value():
        raise ValueError(f"{brief(value)} is not a whole number; {hint}")
    return int(number)


def _plain(number: Decimal) -> str:
    """A decimal without exponent and without idle zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _schema(units: str, description: str, *examples: Any, number: str = "") -> WithJsonSchema:
    """JSON Schema of a quantity: text with one of the `units`, or a bare `number` where that is unambiguous."""
    text = {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)?({units})$"}
    either = {"anyOf": [text, {"type": number, "minimum": 0}]} if number else text
    return WithJsonSchema({**either, "description": description, "examples": list(examples)})


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    _schema("us|ms|s|m|h|d", "A duration.", "500ms", "5m", "30d"),
]
Ratio = Annotated[
    float,
    BeforeValidator(parse_ratio),
    PlainSerializer(format_ratio, return_type=str, when_used="json"),
    _schema("%", "A share of 0% to 100%.", "99.9%", 0.999, number="number"),
]
Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(format_percent, return_type=str, when_used="json"),
    _schema("%", "A percentage of traffic.", "0.05%", "25%"),
]
Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    PlainSerializer(format_rate, return_type=str, when_used="json"),
    _schema("/s|/m|/h", "Events by time.", "100/s", "6000/m"),
]
Tokens = Annotated[
    int,
    BeforeValidator(parse_tokens),
    _schema("|k|m|Ki|Mi", "A count of tokens.", 4096, "4k", "128Ki", number="integer"),
]
Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    PlainSerializer(format_bytes, return_type=str, when_used="json"),
    _schema("B|kB|MB|GB|KiB|MiB|GiB|TiB", "A size in bytes.", "64KiB", "2GiB"),
]
Times = Annotated[
    float,
    BeforeValidator(parse_times),
    PlainSerializer(format_times, return_type=str, when_used="json"),
    _schema("x", "A factor.", "10x", "0.5x"),
]
SomeDuration = Annotated[Duration, _something(DURATION_HINT)]
SomeRate = Annotated[Rate, _something(RATE_HINT)]
SomeTokens = Annotated[Tokens, _something(TOKENS_HINT)]
