"""What Locust itself shows of a load: parts of a request under names of their own, and in no total."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtests.run.client import ROOT
from tests.loadtests.report.made import order
from tests.loadtests.truth import Truth, serving

Shown = tuple[Truth, dict[str, dict[str, Any]], str]


@pytest.fixture(scope="module")
def shown() -> Shown:
    """Its JSON, by name, and its tables. Two answers of three are whole; none keeps an SLO of a millisecond."""
    with serving(Truth(behaviours=("ok", "early", "ok"), prefill=0.05, gap=0.02)) as truth:
        asked = order(url=truth.url, rate=60.0, duration=1.0, slo={"ttft": 0.001}).model_dump_json()
        locust = str(Path(sys.executable).with_name("locust"))
        done = subprocess.run(
            [locust, "-f", "loadtests/locustfile.py", "--headless", "--json", "--order", asked],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    lines = done.stdout.splitlines()
    assert "[" in lines, done.stderr
    return truth, {one["name"]: one for one in json.loads("\n".join(lines[lines.index("[") :]))}, done.stderr


def test_a_request_is_one_entry_and_its_parts_are_others(shown: Shown) -> None:
    """One TTFT and one mean ITL for each ok request; goodput for each, and what broke the SLO failed in it."""
    truth, entries, _ = shown
    sent, ok = len(truth.asked), truth.done["ok"]
    assert 0 < ok < sent
    assert {name: (one["method"], one["num_requests"], one["num_failures"]) for name, one in entries.items()} == {
        "chat": ("SSE", sent, sent - ok),
        "goodput": ("LLM", sent, sent),
        "ttft": ("LLM", ok, 0),
        "itl": ("LLM", ok, 0),
    }
    assert entries["ttft"]["min_response_time"] >= 50


def test_no_part_is_in_the_aggregated_row(shown: Shown) -> None:
    """It is of requests: as many as were sent, and with as many failures."""
    truth, _, tables = shown
    sent, ok = len(truth.asked), truth.done["ok"]
    counts = re.findall(r"Aggregated +(\d+) +(\d+)\(", tables)
    assert counts[-1] == (str(sent), str(sent - ok))


def test_times_keep_three_digits(shown: Shown) -> None:
    """Locust's own two would make 1 ms of a mean gap of 1.25 ms (20 ms for sixteen tokens)."""
    _, entries, _ = shown
    kept = [float(time) for time in entries["itl"]["response_times"]]
    assert any(time != round(time) for time in kept)
    assert all(len(f"{time:g}".replace(".", "").strip("0")) <= 3 for time in kept)
