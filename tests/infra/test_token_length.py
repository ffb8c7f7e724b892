"""Lengths have the forms that people know: a number, a range, a lognormal by median and 95th percentile."""

from __future__ import annotations

from math import exp, log
from typing import Any

import pytest

from infra.fleet import schema
from infra.token_length import Length, Lengths

MEANS: list[tuple[Any, float | None]] = [
    (512, 512),
    ("4k", 4000),
    ({"exactly": 512}, 512),
    ({"min": 10, "max": 90}, 50),
    ({"median": 100, "p95": 400}, 100 * exp((log(4) / 1.6448536) ** 2 / 2)),
    ({"median": 100, "p95": 400, "max": 1000}, None),
]


@pytest.mark.parametrize(("said", "mean"), MEANS, ids=str)
def test_a_length_has_a_mean(said: Any, mean: float | None) -> None:
    """A lognormal that is cut has one that is not known."""
    assert Length.model_validate(said).mean == (None if mean is None else pytest.approx(mean))


@pytest.mark.parametrize(("said", "mean"), MEANS, ids=str)
def test_a_length_that_was_written_reads_as_the_same(said: Any, mean: float | None) -> None:
    """In every form."""
    length = Length.model_validate(said)
    assert Length.model_validate_json(length.model_dump_json()) == length


def test_an_editor_lets_a_bare_number_pass() -> None:
    """The schema has both forms."""
    kinds = schema()["$defs"]["Lengths"]["properties"]["prompt"]["anyOf"]
    assert {"minimum": 0, "type": "integer"} in kinds[0]["anyOf"]
    assert {"$ref": "#/$defs/Length"} in kinds
    assert Lengths.model_validate({"prompt": 5, "output": {"exactly": 6}}).prompt == Length(exactly=5)
