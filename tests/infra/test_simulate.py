"""The `simulate:` section of a release: what it accepts, what it refuses, and what it costs to read."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.simulate import Crash, Faults, Simulate

WHOLE = {
    "performance": {
        "prefill_base": "20ms",
        "prefill_rate": "40000/s",
        "decode": "4ms",
        "decode_per_sequence": "100us",
        "max_num_seqs": 64,
        "kv_blocks": 1000,
        "block_size": 16,
        "stream_interval": 16,
        "jitter": 0.1,
        "load_time": "500ms",
        "max_model_len": 8192,
    },
    "faults": {
        "http_5xx": "0.5%",
        "stream_error": "3%",
        "early_end": "1%",
        "refuse": "2%",
        "slow": {"share": "10%", "factor": 4},
        "slow_tail": {"share": "1%", "factor": 2},
        "cold_start": {"for": "2m", "factor": 3},
        "leak": {"latency": "10%", "kv": "5%"},
        "crash": {"every": "30s"},
    },
}


def test_every_field_is_read_with_its_unit() -> None:
    simulate = Simulate.model_validate(WHOLE)
    assert simulate.performance.decode_per_sequence == pytest.approx(0.0001)
    assert simulate.performance.prefill_rate == 40_000
    assert simulate.faults.stream_error == 0.03
    assert simulate.faults.cold_start is not None
    assert simulate.faults.cold_start.period == 120


def test_a_written_section_reads_back_as_the_same() -> None:
    simulate = Simulate.model_validate(WHOLE)
    assert Simulate.model_validate(simulate.model_dump(mode="json")) == simulate
    assert Simulate.model_validate_json(simulate.model_dump_json()) == simulate


def test_an_empty_section_is_a_healthy_server() -> None:
    assert Simulate.model_validate({}).faults.ends == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("section", "path", "hint"),
    [
        ({"faults": {"stream_errors": "3%"}}, "faults.stream_errors", "Extra inputs"),
        ({"performance": {"decode": 4}}, "performance.decode", "no unit"),
        ({"performance": {"decode": "0ms"}}, "performance.decode", "greater than 0"),
        ({"performance": {"prefill_rate": "0/s"}}, "performance.prefill_rate", "greater than 0"),
        ({"performance": {"max_num_seqs": 0}}, "performance.max_num_seqs", "greater than 0"),
        ({"performance": {"jitter": -1}}, "performance.jitter", "greater than or equal to 0"),
        ({"faults": {"http_5xx": "120%"}}, "faults.http_5xx", "more than 100%"),
        ({"faults": {"slow": {"share": "10%", "factor": 0.5}}}, "faults.slow.factor", "greater than or equal to 1"),
        ({"faults": {"slow": {"share": "10%", "factor": float("inf")}}}, "faults.slow.factor", "finite"),
        ({"faults": {"http_5xx": "60%", "refuse": "60%"}}, "faults", "add up to 1.2"),
        (
            {"faults": {"slow": {"share": "60%", "factor": 2}, "slow_tail": {"share": "60%", "factor": 2}}},
            "faults",
            "slow and slow_tail",
        ),
        ({"faults": {"leak": {}}}, "faults.leak", "above 0%"),
        ({"faults": {"crash": {}}}, "faults.crash", "either every or after_requests"),
        ({"faults": {"crash": {"every": "1s", "after_requests": 3}}}, "faults.crash", "not both"),
        ({"faults": {"cold_start": {"for": "0s", "factor": 2}}}, "faults.cold_start.for", "greater than 0"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path_and_what_would_be_right(
    section: dict[str, Any], path: str, hint: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Simulate.model_validate(section)
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == path
    assert hint in error["msg"]


@given(shares=st.lists(st.integers(0, 25), min_size=4, max_size=4))
def test_shares_that_fit_are_always_accepted(shares: list[int]) -> None:
    names = ("refuse", "http_5xx", "stream_error", "early_end")
    faults = Faults.model_validate({name: f"{share}%" for name, share in zip(names, shares, strict=True)})
    assert faults.ends == pytest.approx([share / 100 for share in shares])


def test_a_section_cannot_be_changed() -> None:
    crash = Crash.model_validate({"every": "5s"})
    with pytest.raises(ValidationError, match="frozen"):
        crash.every = 6  # type: ignore[misc]


def test_reading_it_loads_neither_yaml_nor_a_web_server() -> None:
    code = "import infra.simulate, sys; print(sorted({'yaml', 'uvicorn', 'numpy', 'asyncio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
