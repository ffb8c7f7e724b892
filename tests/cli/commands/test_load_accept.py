"""`ops load accept` from the outside: what it sends, what it says, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands.made_region import bring_up
from tests.cli.commands.test_load_search import EXITS
from tests.conftest import Ops
from tests.loadtests.truth import Truth, serving

DAY = "name: day\ndiurnal: {trough: 20/s, peak: 80/s, period: 3s}\ntokens: {prompt: 9, output: 3}\n"


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Truth]:
    """The server of known truth, as the demo fleet's region that is up."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    with serving(Truth()) as server:
        bring_up("demo", "eastus2", server.url)
        yield server


def test_a_day_ends_as_its_verdict_says(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """The whole of it is sent, and no more. That nobody is answered is clear after three seconds."""
    truth.behaviours = ("503",)
    (tmp_path / "day.yaml").write_text(DAY)
    asked = ("--profile", str(tmp_path / "day.yaml"), "--slo", "goodput >= 50%", "--workers", "2", "-o", "json")
    done = ops("load", "accept", "--service", "chat", *asked)
    found = json.loads(done.stdout)
    assert (found["kind"], done.returncode) == ("LoadAcceptance", EXITS[found["verdict"]]), done.stderr
    assert found["report"]["client"]["processes"] == 2
    valid = found["report"]["client"]["verdict"] != "INVALID"
    assert found["verdict"] == ("fail" if valid else "cannot tell")
    assert found["report"]["arrivals"]["sent"] == len(truth.asked) > 0 and found["report"]["elapsed"] >= 3
    assert found["recovery_s"] is None and found["reasons"]
    assert [one["what"] for one in found["checks"]] == ["over the whole day", "at the peak"]
    assert "the profile day takes 3s" in done.stderr


def test_it_says_to_a_person_what_was_checked(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """Check by check, in the width of a page; three seconds show nothing good."""
    (tmp_path / "day.yaml").write_text(DAY)
    slow = ("--slo", "e2e p98 < 50s")  # kept on a busy machine too
    done = ops("load", "accept", "--service", "chat", "--profile", str(tmp_path / "day.yaml"), *slow)
    assert done.returncode == 5
    assert "chat through day for 3 s: cannot tell" in done.stdout and "at the peak: cannot tell" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--service", "chat"], "conversation has no peak to be accepted at"),
        ([], "--service"),
    ],
    ids=str,
)
def test_what_cannot_be_accepted_is_not_sent(truth: Truth, ops: Ops, arguments: list[str], said: str) -> None:
    """Exit 2, and what would be right."""
    done = ops("load", "accept", *arguments)
    assert (done.returncode, done.stdout, truth.asked) == (2, "", [])
    assert said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
