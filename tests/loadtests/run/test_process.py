"""The client process by itself, as whoever debugs it starts it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from loadtests.run.worker import ROOT


@pytest.mark.parametrize(
    ("order", "said"),
    [("", "no order was given"), ("nowhere.json", "nowhere.json cannot be read"), ("{}", "the order is not valid")],
)
def test_a_wrong_order_is_told_in_a_line(order: str, said: str) -> None:
    """On stdout like every other word, with no trace of the code beside it."""
    command = [sys.executable, "-m", "loadtests.run.process", "--order", order]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["kind"] == "failed"
    assert said in told["what"] and "nothing was sent" in told["what"]
    assert not done.stderr
